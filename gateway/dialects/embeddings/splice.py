"""The same-dialect codec of embeddings: both sides speak OpenAI's, so nothing is re-encoded.

But for one thing: many servers of the family write numbers whatever they are asked for. Callers get what they ask for.
"""

from gateway.dialects.answer import is_something, is_utf8
from gateway.dialects.codec import AnswerFacts, Asked, Relay
from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.embeddings.answer import MALFORMED, Vectors, document, facts_of, wants_base64
from gateway.dialects.embeddings.schema import ANSWER, EmbeddingAnswer
from gateway.dialects.embeddings.vectors import is_base64
from gateway.dialects.splice import upstream_body


class EmbeddingSplice:
    """A Codec, see `dialects.codec`."""

    def request(self, asked: Asked, manner: TargetManner) -> Outgoing:
        """The caller's own body, edited."""
        return upstream_body(asked.prompt, manner)

    def relay(self, asked: Asked, model: str) -> Relay:
        """Embeddings are never streamed."""
        raise NotImplementedError

    def answer(self, body: bytes, asked: Asked, model: str) -> tuple[AnswerFacts, bytes]:
        """The provider's own body, if its vectors are written as the caller wants them."""
        if not is_utf8(body):
            return MALFORMED, b""
        try:
            read = vectors_of(ANSWER.decode(body))
            facts = facts_of(read, asked)
            is_packed = wants_base64(asked)
            if facts.finish and any(is_base64(vector) is not is_packed for vector in read.vectors):
                return facts, document(read, asked, model)
        except (ValueError, RecursionError):  # the errors of msgspec and of UTF-8 are ValueErrors
            return MALFORMED, b""
        return facts, body


def vectors_of(answer: EmbeddingAnswer) -> Vectors:
    if is_something(answer.error):
        return Vectors(error=bytes(answer.error))
    usage = answer.usage
    tokens = None if usage is None else usage.prompt_tokens if usage.prompt_tokens is not None else usage.total_tokens
    rows = answer.data or []
    if all(row.index is not None for row in rows):
        rows = sorted(rows, key=lambda row: row.index or 0)
    return Vectors([row.embedding for row in rows], tokens, answer.model or "")
