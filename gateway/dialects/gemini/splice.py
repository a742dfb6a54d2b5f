"""The codec for callers and providers who both speak Gemini: bytes of both sides go through as they are."""

from core.scan import top_level_spans
from gateway.dialects.codec import AnswerFacts, Asked
from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.edits import apply, removals
from gateway.dialects.gemini.model import model_of
from gateway.dialects.gemini.relay import StreamRelay, read_facts
from gateway.dialects.gemini.signatures import HOME, PLACEHOLDERS, WRAPPED
from gateway.dialects.gemini.write_request import write_request
from gateway.wire.conversation import Conversation, Loss, ToolCall

OURS = (b"model", b"models", b"steelyard", b"provider")  # the URL names the model; the others are for us
CALLS = (b'"functionCall"', b'"function_call"')


class GeminiSplice:
    """A Codec, see `dialects.codec`. sse: as in `Gemini`."""

    def __init__(self, sse: bool = True) -> None:
        self._sse = sse

    def request(self, asked: Asked, manner: TargetManner) -> Outgoing:
        """The caller's own body, without what the provider must not see."""
        if must_be_rewritten(asked, manner):
            return write_request(asked.conversation, manner)
        return upstream_body(asked.prompt.body, manner.drop_fields)

    def relay(self, asked: Asked, model: str) -> StreamRelay:
        """For a stream."""
        return StreamRelay(choices=asked.prompt.choices, sse=self._sse)

    def answer(self, body: bytes, asked: Asked, model: str) -> tuple[AnswerFacts, bytes]:
        """The provider's own body."""
        return read_facts(body), body


def must_be_rewritten(asked: Asked, manner: TargetManner) -> bool:
    """Whether others than Gemini answered before: then there are signatures that Google refuses, or misses."""
    body = asked.prompt.body
    if WRAPPED.encode() in body:
        return True
    if not any(name in body for name in CALLS):
        return False
    if model_of(manner.model).wants_signatures:
        return has_unsigned_calls(asked.conversation)
    return any(placeholder.encode() in body for placeholder in PLACEHOLDERS)


def has_unsigned_calls(conversation: Conversation) -> bool:
    """Of parallel calls only the first one is signed."""
    firsts = (next((part for part in turn.parts if isinstance(part, ToolCall)), None) for turn in conversation.turns)
    return any(call is not None and call.origin != HOME for call in firsts)


def upstream_body(body: bytes, drop_fields: tuple[str, ...] = ()) -> Outgoing:
    """Of a duplicate member every occurrence goes."""
    keys = OURS + tuple(field.encode() for field in drop_fields)
    spans = top_level_spans(body, keys)
    lost = {keys[span[0]].decode() for span in spans if span[0] >= len(OURS)}
    losses = tuple(Loss(field, "the provider refuses it") for field in sorted(lost))
    return Outgoing(apply(body, removals(body, spans)) if spans else body, losses)
