"""Targets that read what providers answer, and write it for a caller."""

from base64 import b64encode
from collections.abc import Iterable, Sequence

import msgspec

from gateway.dialects.codec import AnswerFacts, Asked, Relay
from gateway.dialects.codecs import CODECS, SPLICES
from gateway.dialects.contract import Inbound, StreamReader
from gateway.dialects.embeddings import CODECS as OF_EMBEDDINGS
from gateway.dialects.embeddings import EMBEDDINGS
from gateway.dialects.formats import GEMINI_ARRAY, INBOUND, OUTBOUND
from gateway.wire.delta import CallArguments, Delta, RefusalDelta, TextDelta, ThoughtDelta
from tests.dialects.cases import aws_message
from tests.fuzz.requests import IDENTITY, TINY
from tests.fuzz.seeds import given, recorded
from tests.fuzz.target import Check, Target, as_json, bounded, chosen, halves

# What an answer may grow to. A Responses stream says every text five times (delta, done, part, item, response), and
# each byte may be escaped; every event has a frame of some hundred bytes of its own, an event may be one byte long.
FACTOR, ALLOWANCE = 64, 65_536
LONGEST_KIND = 60  # characters of a message's name
METADATA = b'{"decision":"dec_1"}'
QUESTIONS = {
    "openai_chat": b'{"model":"m","messages":[{"role":"user","content":"x"}],"stream":true}',
    "openai_completions": b'{"model":"m","prompt":"x","stream":true}',
    "openai_responses": b'{"model":"m","input":"x","stream":true}',
    "anthropic_messages": b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"stream":true}',
    "gemini": b'{"contents":[{"role":"user","parts":[{"text":"x"}]}]}',
}
CALLERS = (*INBOUND.values(), GEMINI_ARRAY)
ASKED = {inbound: Asked(inbound.parse(QUESTIONS[inbound.name], "m"), inbound, IDENTITY) for inbound in CALLERS}
VECTORS = (
    b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1]}],"model":"m","usage":'
    b'{"prompt_tokens":3,"total_tokens":3}}',
    b'{"data":[{"index":0,"embedding":"AACAPwAAAAA="}]}',
    b'{"embeddings":[{"values":[0.5,1e-3]}],"usageMetadata":{"promptTokenCount":3}}',
    b'{"embeddings":{"float":[[0.5,1]]},"meta":{"billed_units":{"input_tokens":3}}}',
    b'{"embeddings":[[0.5,1]],"model":"m","prompt_eval_count":3}',
    b'{"error":"no such model"}',
    b'{"error":{"message":"x","code":429}}',
)


def wrapped(name: str, data: bytes) -> bytes:
    """The bytes as this host sends them: in AWS messages one line each, where it does that."""
    if name == "bedrock_converse" and not data.startswith(b"\x00"):
        return b"".join(map(message_of, data.split(b"\n")))
    if name == "anthropic_bedrock" and data.startswith(b"event:"):
        payloads = (line.removeprefix(b"data:").strip() for line in data.splitlines() if line.startswith(b"data:"))
        return b"".join(aws_message(f'chunk {{"bytes":"{b64encode(payload).decode()}"}}') for payload in payloads)
    return data


def message_of(line: bytes) -> bytes:
    kind, _, payload = line.decode("latin-1").partition(" ")
    return aws_message(f"{kind[:LONGEST_KIND]} {payload}".encode("latin-1", "replace").decode("latin-1"))


def check_stream(name: str) -> Check:
    """In one piece and in two the same Deltas, and the same bytes for one caller; never too many of either."""

    def check(data: bytes) -> None:
        text = wrapped(name, data)
        new = OUTBOUND[name].stream_reader
        deltas, state = read(new(), [text])
        is_settled = not has_stray(text)
        assert read(new(), halves(text)) == (deltas, state) or not is_settled
        bounded(len(msgspec.json.encode(deltas)), len(text), FACTOR, ALLOWANCE)
        callers = chosen(data, CALLERS)
        codec, asked = CODECS[callers, name], ASKED[callers]
        out, told = relayed(codec.relay(asked, "m"), [text])
        again = relayed(codec.relay(asked, "m"), halves(text))
        if is_settled:
            assert again[1] == told
            same = as_it_is if (callers, name) in SPLICES else heard
            assert same(callers, again[0]) == same(callers, out)
        bounded(len(out), len(text), FACTOR, ALLOWANCE)
        out.decode()

    return check


def has_stray(text: bytes) -> bool:
    """Whether bare JSON stands where an event should be. It is judged as soon as it comes, so pieces count."""
    return any(line.lstrip()[:1] in (b"{", b"[") for line in text.splitlines())


def as_it_is(callers: Inbound, out: bytes) -> object:
    return out


def heard(callers: Inbound, out: bytes) -> object:
    """What a caller makes of a stream: every kind of text of each choice, put together. Events may be cut otherwise."""
    texts: dict[tuple[str, int], str] = {}
    if callers.name not in OUTBOUND or callers is GEMINI_ARRAY:
        return texts
    deltas, _ = read(OUTBOUND[callers.name].stream_reader(), [out])
    for delta in deltas:
        if isinstance(delta, TextDelta | ThoughtDelta | RefusalDelta | CallArguments):
            place = (type(delta).__name__, delta.choice)
            texts[place] = texts.get(place, "") + delta.text
    return texts


def read(reader: StreamReader, pieces: Iterable[bytes]) -> tuple[list[Delta], tuple[bool, bool, bool]]:
    deltas = [delta for piece in pieces for delta in reader.feed(piece)] + reader.end()
    return deltas, (reader.done, reader.malformed, reader.oversized)


def relayed(relay: Relay, pieces: Iterable[bytes]) -> tuple[bytes, Sequence[object]]:
    """What a caller gets of a stream, and what is known of it."""
    out = b"".join([relay.feed(piece) for piece in pieces])
    relay.end()
    relay.end()
    out += relay.closing(METADATA) if relay.complete else relay.cut("x", 502, "cut", METADATA)
    flags = (relay.started, relay.done, relay.malformed, relay.oversized, relay.complete, relay.empty)
    return out, (*flags, relay.finish, relay.usage, relay.error, relay.output_tokens_estimate, relay.provider_model)


def check_answer(name: str) -> Check:
    """A whole answer: as Deltas, for one caller, and in the place of a stream."""

    def check(data: bytes) -> None:
        bounded(len(msgspec.json.encode(OUTBOUND[name].read_answer(data))), len(data), FACTOR, ALLOWANCE)
        callers = chosen(data, CALLERS)
        codec, asked = CODECS[callers, name], ASKED[callers]
        check_written(data, *codec.answer(data, asked, "m"), asked)
        relay = codec.relay(asked, "m")
        bounded(len(relay.feed_answer(data)), len(data), FACTOR, ALLOWANCE)
        bounded(len(relayed(relay, [])[0]), len(data), FACTOR, ALLOWANCE)

    return check


def check_written(data: bytes, facts: AnswerFacts, body: bytes, asked: Asked) -> None:
    """What would be answered takes our own metadata and is JSON."""
    bounded(len(body), len(data), FACTOR, ALLOWANCE)
    if facts.error is None and not facts.malformed and not facts.empty:
        whole = asked.inbound.attach(body, METADATA)
        assert isinstance(as_json(whole), dict | list)


def check_vectors(name: str) -> Check:
    """An answer with vectors, for a caller who wants numbers and for one who wants base64."""
    asked = [Asked(EMBEDDINGS.parse(body, "m"), EMBEDDINGS, IDENTITY) for body in TINY]

    def check(data: bytes) -> None:
        for one in asked[:2]:
            check_written(data, *OF_EMBEDDINGS[name].answer(data, one, "m"), one)

    return check


TARGETS = (
    *(Target(f"stream.{name}", check_stream(name), recorded(name)) for name in OUTBOUND),
    *(Target(f"answer.{name}", check_answer(name), given(name, "read_answer")) for name in OUTBOUND),
    *(Target(f"answer.{name}", check_vectors(name), VECTORS) for name in OF_EMBEDDINGS),
)
