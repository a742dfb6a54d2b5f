"""POST /v1/embeddings, for callers."""

from gateway.dialects.edits import attach
from gateway.dialects.embeddings.read_request import parse
from gateway.dialects.embeddings.schema import DIALECT
from gateway.dialects.openai_chat import error_body
from gateway.errors import GatewayError
from gateway.wire.prompt import Prompt


class EmbeddingsInbound:
    """A CallerFormat, see `dialects.contract`."""

    name = DIALECT

    def parse(self, body: bytes, default_model: str) -> Prompt:
        return parse(body, default_model)

    def attach(self, body: bytes, metadata: bytes) -> bytes:
        return attach(body, metadata)

    def error_body(self, error: GatewayError, decision: str | None) -> bytes:
        return error_body(error, decision)
