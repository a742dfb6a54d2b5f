"""POST /v1/completions, what OpenAI had before Chat Completions; callers speak it, providers are not asked in it."""

from gateway.dialects.completions.read_request import parse, read_request
from gateway.dialects.completions.schema import DIALECT
from gateway.dialects.completions.write_answer import StreamWriter, write_answer
from gateway.dialects.edits import attach
from gateway.dialects.openai_chat import error_body
from gateway.errors import GatewayError
from gateway.wire.conversation import Answer, Conversation
from gateway.wire.delta import Usage
from gateway.wire.prompt import Prompt


class Completions:
    """Inbound, see `dialects.contract`."""

    name = DIALECT

    def parse(self, body: bytes, default_model: str) -> Prompt:
        return parse(body, default_model)

    def read_request(self, body: bytes) -> Conversation:
        return read_request(body)

    def stream_writer(self, conversation: Conversation, wants_usage: bool) -> StreamWriter:
        return StreamWriter(wants_usage)

    def write_answer(self, answer: Answer, usage: Usage | None, conversation: Conversation) -> bytes:
        return write_answer(answer, usage)

    def attach(self, body: bytes, metadata: bytes) -> bytes:
        return attach(body, metadata)

    def error_body(self, error: GatewayError, decision: str | None) -> bytes:
        return error_body(error, decision)
