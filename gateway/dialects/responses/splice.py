"""Callers and providers who both speak it: nothing is re-encoded, bytes of both sides are spliced."""

from functools import lru_cache

import msgspec

from core.scan import Malformed, top_level_spans
from gateway.dialects.answer import ended_without_content, tokens_of_bytes
from gateway.dialects.codec import AnswerFacts, Asked
from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.dropped import losses_of
from gateway.dialects.edits import Cut, Span, apply, first_member, removals, with_value
from gateway.dialects.responses.events import HEAD, RESPONSE
from gateway.dialects.responses.names import FAMILY, finish_of
from gateway.dialects.responses.read_answer import failure_of, is_answer
from gateway.dialects.responses.reading import RAWS, is_array
from gateway.dialects.responses.relay import CALLS, StreamRelay, error_in
from gateway.dialects.responses.schema import REASONING_ITEM
from gateway.dialects.responses.sizes import content_bytes
from gateway.dialects.responses.thoughts import read_seal
from gateway.dialects.responses.usage import read_usage
from gateway.dialects.responses.write_items import FOREIGN_THOUGHT
from gateway.dialects.seals import PREFIX
from gateway.wire.conversation import Loss
from gateway.wire.prompt import Prompt

MODEL, INPUT = range(2)
OURS = (b"model", b"input", b"models", b"steelyard", b"provider", b"session_id")
SEAL = PREFIX.encode()


class ResponsesSplice:
    """A Codec, see `dialects.codec`."""

    def request(self, asked: Asked, manner: TargetManner) -> Outgoing:
        """The caller's own body, edited."""
        return upstream_body(asked.prompt, manner)

    def relay(self, asked: Asked, model: str) -> StreamRelay:
        """For a stream."""
        return StreamRelay()

    def answer(self, body: bytes, asked: Asked, model: str) -> tuple[AnswerFacts, bytes]:
        """The provider's own body."""
        return read_facts(body), body


def upstream_body(prompt: Prompt, manner: TargetManner) -> Outgoing:
    """The caller's body with another `model`, without what the provider must not see.

    Of a duplicate member every occurrence is edited, because readers differ in which one they believe.
    """
    body = prompt.body
    model = msgspec.json.encode(manner.model)
    keys = edited_keys(manner.drop_fields)
    spans = top_level_spans(body, keys)
    cuts: list[Cut] = []
    removed: list[Span] = []
    lost: list[Loss] = []
    for span in spans:
        key, _, start, end, _ = span
        if key == MODEL:
            cuts.append((start, end, model))
        elif key != INPUT:
            removed.append(span)
        elif SEAL in body:
            items, losses = without_foreign_thoughts(body[start:end], manner.family or FAMILY)
            cuts.append((start, end, items))
            lost += losses
    if not any(span[0] == MODEL for span in spans):
        cuts.append(first_member(body, b'"model":' + model))
    lost += losses_of(body, ((keys[span[0]].decode(), span) for span in removed if span[0] >= len(OURS)))
    return Outgoing(apply(body, cuts + removals(body, removed)), tuple(lost))


@lru_cache(maxsize=64)  # one entry per provider row that drops something
def edited_keys(drop_fields: tuple[str, ...]) -> tuple[bytes, ...]:
    return OURS + tuple(field.encode() for field in drop_fields)


def without_foreign_thoughts(raw: bytes, family: str) -> tuple[bytes, list[Loss]]:
    """`input` without what other makers have sealed, and with the seals of this family taken off."""
    if not is_array(msgspec.Raw(raw)):
        return raw, []
    kept: list[bytes] = []
    lost: list[Loss] = []
    for number, item in enumerate(RAWS.decode(raw)):
        if SEAL not in bytes(item) or HEAD.decode(item).type != "reasoning":
            kept.append(bytes(item))
            continue
        encrypted = REASONING_ITEM.decode(item).encrypted_content or ""
        _, hidden, maker = read_seal(encrypted)
        if not encrypted.startswith(PREFIX):
            kept.append(bytes(item))
        elif hidden and maker == family:
            kept.append(with_value(bytes(item), b"encrypted_content", msgspec.json.encode(hidden)))
        else:
            lost.append(Loss(f"input[{number}]", FOREIGN_THOUGHT))
    return b"[" + b",".join(kept) + b"]", lost


def read_facts(body: bytes) -> AnswerFacts:
    """What a whole answer says about itself; its texts are not decoded."""
    try:
        top_level_spans(body, ())  # stricter than the decoder about what it skips: depth, UTF-8
        response = RESPONSE.decode(body)
        kinds = [HEAD.decode(raw).type for raw in response.output or ()]
        size = sum(map(content_bytes, response.output or ()))
    except (Malformed, msgspec.DecodeError, UnicodeDecodeError):
        return facts_of_stray(body)
    if failure_of(response) is not None or not is_answer(response):
        return facts_of_stray(body)
    details = response.incomplete_details
    status, reason = response.status or "completed", (details.reason or "") if details else ""
    finish = finish_of(status, reason, any(kind in CALLS for kind in kinds))
    return AnswerFacts(
        usage=read_usage(response.usage),
        finish=finish,
        empty=size == 0 and ended_without_content(finish, read_usage(response.usage)),
        model=response.model or "",
        output_tokens_estimate=tokens_of_bytes(size),
    )


def facts_of_stray(body: bytes) -> AnswerFacts:
    error = error_in(body)
    return AnswerFacts(malformed=True) if error is None else AnswerFacts(error=error)
