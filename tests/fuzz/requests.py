"""Targets that read what callers ask, and write it for a provider."""

from collections.abc import Callable, Sequence

from gateway.dialects.anthropic.prompt import parse_count
from gateway.dialects.codec import Asked, Identity
from gateway.dialects.codecs import BETWEEN_CONVERSATIONS, CODECS
from gateway.dialects.contract import CallerFormat, Inbound, Outgoing, TargetManner
from gateway.dialects.embeddings import EMBEDDINGS
from gateway.dialects.embeddings import wordless as wordless_for_embeddings
from gateway.dialects.formats import GEMINI, GEMINI_ARRAY, INBOUND, MESSAGES, wordless
from gateway.dialects.gemini.count import counted_body
from gateway.errors import InvalidRequest
from gateway.wire.prompt import Prompt
from tests.fuzz.seeds import given
from tests.fuzz.target import Check, Target, as_json, bounded, chosen

# What a request may grow to: 16 times as many bytes, and what every request of a format has anyhow. A text of "€" in
# an argument of a call is twice in JSON for some formats: "\\u20ac", 7 bytes for 3.
FACTOR, ALLOWANCE = 16, 65_536
LONGEST_MESSAGE = 2_000  # characters of what a caller is told
IDENTITY = Identity("dec_1", 1_764_000_000)
MANNERS = (
    TargetManner("m-1"),
    TargetManner("claude-sonnet-4-5", "anthropic", "anthropic", 8_192, is_reasoning=True, beta="a-1, b-2"),
    TargetManner("gemini-3-pro", "google", "google", drop_fields=("seed", "user"), is_reasoning=True),
    TargetManner("o3", "openai", "openai", 100, drop_fields=("stop",), max_tokens_field="max_completion_tokens"),
)
OTHERS = {callers: tuple(name for inbound, name in CODECS if inbound is callers) for callers, _ in CODECS}
TINY = (
    b'{"model":"text-embedding-3-small","input":"a balance"}',
    b'{"model":"m","input":["a","b"],"encoding_format":"base64","dimensions":256,"user":"u","input_type":"query"}',
    b'{"model":"m","input":[1,2,3]}',
    b'{"models":["a","b"],"input":[[1,2],[3]],"provider":{"order":["x"]},"session_id":"s"}',
)


def check_request(callers: CallerFormat) -> Check:
    """Read as far as routing needs, then in full, then written for one provider's format: in order, or refused."""

    def check(data: bytes) -> None:
        try:
            prompt = callers.parse(data, "auto")
            asked = Asked(prompt, callers, IDENTITY)
            (wordless_for_embeddings if callers is EMBEDDINGS else wordless)(prompt)
            assert len(asked.makers) <= prompt.message_count + 4
            check_outgoing(data, CODECS[callers, chosen(data, OTHERS[callers])].request(asked, chosen(data, MANNERS)))
        except InvalidRequest as error:
            check_refusal(error, callers)

    return check


def check_outgoing(data: bytes, outgoing: Outgoing) -> None:
    bounded(len(outgoing.body), len(data), FACTOR, ALLOWANCE)
    assert isinstance(as_json(outgoing.body), dict)
    assert all(loss.reason for loss in outgoing.losses)
    for name, value in outgoing.headers:
        assert name.isascii()
        assert not {"\r", "\n", "\0"} & {*name, *value}


def check_refusal(error: InvalidRequest, callers: CallerFormat) -> None:
    """A refusal is short, says something, and can be told in the caller's format."""
    assert error.status == 400 or error.code
    assert 0 < len(error.message) <= LONGEST_MESSAGE
    assert isinstance(as_json(callers.error_body(error, None)), dict)


def check_read_request(inbound: Inbound) -> Check:
    """Read in full without a look before, as nobody does: even so nothing but a refusal."""

    def check(data: bytes) -> None:
        try:
            inbound.read_request(data)
        except InvalidRequest as error:
            check_refusal(error, inbound)

    return check


def check_count(read: Callable[[bytes], Prompt], callers: CallerFormat) -> Check:
    """Requests of which only the tokens are counted."""

    def check(data: bytes) -> None:
        try:
            assert read(data).message_count >= 0
        except InvalidRequest as error:
            check_refusal(error, callers)

    return check


def read_gemini_count(body: bytes) -> Prompt:
    return GEMINI.parse(counted_body(body), "auto")


def seeds_of(name: str) -> Sequence[bytes]:
    return given(name, "read_request")


assert len(BETWEEN_CONVERSATIONS) > 50, "every pair is reached"

TARGETS = (
    *(Target(f"request.{name}", check_request(inbound), tuple(seeds_of(name))) for name, inbound in INBOUND.items()),
    Target("request.gemini_array", check_request(GEMINI_ARRAY), tuple(seeds_of("gemini"))),
    Target("request.embeddings", check_request(EMBEDDINGS), TINY),
    *(Target(f"whole.{name}", check_read_request(inbound), tuple(seeds_of(name))) for name, inbound in INBOUND.items()),
    Target("count.anthropic_messages", check_count(parse_count, MESSAGES), tuple(seeds_of("anthropic_messages"))),
    Target("count.gemini", check_count(read_gemini_count, GEMINI), tuple(seeds_of("gemini"))),
)
