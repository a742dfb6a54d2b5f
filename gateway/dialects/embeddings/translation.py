"""The codec of embeddings for providers who speak another format than OpenAI's."""

from collections.abc import Iterator

import msgspec

from gateway.dialects.answer import is_utf8
from gateway.dialects.codec import AnswerFacts, Asked, Relay
from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.embeddings.answer import MALFORMED, document, facts_of
from gateway.dialects.embeddings.outbound import EmbeddingFormat
from gateway.dialects.embeddings.read_request import inputs_of, read, unknown_of
from gateway.dialects.embeddings.schema import EmbeddingRequest
from gateway.errors import InvalidRequest
from gateway.wire.conversation import Loss

OURS = frozenset({"models", "steelyard"})


class EmbeddingTranslation:
    """A Codec, see `dialects.codec`."""

    def __init__(self, providers: EmbeddingFormat) -> None:
        self._format = providers

    def request(self, asked: Asked, manner: TargetManner) -> Outgoing:
        """The caller's request in the provider's format. Raises InvalidRequest for what it has no words for at all."""
        body = asked.prompt.body
        request = read(body)
        texts = inputs_of(request.input).texts
        if not texts:
            raise InvalidRequest(
                f"{asked.prompt.model} is asked in {self._format.title} format, which takes texts only; "
                "send the texts themselves instead of tokens.",
                param="input",
                code="invalid_type",
            )
        most = self._format.most_inputs
        if most and len(texts) > most:
            raise InvalidRequest(
                f"{asked.prompt.model} is asked in {self._format.title} format, which takes {most} texts at once; "
                f"send the {len(texts)} in several requests.",
                param="input",
                code="array_above_max_length",
            )
        told = self._format.document(texts, request, manner.model)
        return Outgoing(msgspec.json.encode(told), tuple(self._losses(request, body)))

    def relay(self, asked: Asked, model: str) -> Relay:
        """Embeddings are never streamed."""
        raise NotImplementedError

    def answer(self, body: bytes, asked: Asked, model: str) -> tuple[AnswerFacts, bytes]:
        """What the answer says, and the same in the caller's format."""
        if not is_utf8(body):
            return MALFORMED, b""
        try:
            read_answer = self._format.read(body)
            facts = facts_of(read_answer, asked)
            return facts, document(read_answer, asked, model) if facts.finish else b""
        except (ValueError, RecursionError):  # the errors of msgspec and of UTF-8 are ValueErrors
            return MALFORMED, b""

    def _losses(self, request: EmbeddingRequest, body: bytes) -> Iterator[Loss]:
        if request.user:
            yield Loss("user", f"{self._format.title} format has no place for it")
        if request.input_type and request.input_type not in self._format.input_types:
            yield Loss("input_type", f"{self._format.title} format has no word for {request.input_type[:40]!r}")
        for field in unknown_of(body):
            yield Loss(field, "the gateway does not know this field")
