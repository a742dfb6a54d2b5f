"""OpenAI Responses, for callers and providers: everything that is one of its own sits in the modules beside."""

from gateway.dialects import openai_chat
from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.edits import attach
from gateway.dialects.responses import prompt
from gateway.dialects.responses.names import DIALECT, FAMILY
from gateway.dialects.responses.read_answer import read_answer
from gateway.dialects.responses.read_request import read_request
from gateway.dialects.responses.read_stream import StreamReader
from gateway.dialects.responses.write_answer import write_answer
from gateway.dialects.responses.write_request import write_request
from gateway.dialects.responses.write_stream import StreamWriter
from gateway.errors import GatewayError
from gateway.wire.conversation import Answer, Conversation
from gateway.wire.delta import Delta, Usage
from gateway.wire.prompt import Prompt


class Responses:
    """An Inbound and an Outbound, see `dialects.contract`. family: whose models answer, and hide their thoughts."""

    name = DIALECT

    def __init__(self, family: str = FAMILY) -> None:
        self._family = family

    def parse(self, body: bytes, default_model: str) -> Prompt:
        return prompt.parse(body, default_model)

    def read_request(self, body: bytes) -> Conversation:
        return read_request(body)

    def stream_writer(self, conversation: Conversation, wants_usage: bool) -> StreamWriter:
        """Its streams always tell the usage."""
        return StreamWriter(conversation)

    def write_answer(self, answer: Answer, usage: Usage | None, conversation: Conversation) -> bytes:
        return write_answer(answer, usage, conversation)

    def attach(self, body: bytes, metadata: bytes) -> bytes:
        return attach(body, metadata)

    def error_body(self, error: GatewayError, decision: str | None) -> bytes:
        return openai_chat.error_body(error, decision)

    def path(self, model: str, stream: bool) -> str:
        return "/responses"

    def write_request(self, conversation: Conversation, manner: TargetManner) -> Outgoing:
        return write_request(conversation, manner)

    def stream_reader(self) -> StreamReader:
        return StreamReader(self._family)

    def read_answer(self, body: bytes) -> list[Delta]:
        return read_answer(body, self._family)
