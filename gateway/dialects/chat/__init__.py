"""OpenAI Chat Completions in full: for callers, for OpenAI, and for the whole family that took the format over."""

from gateway.dialects.chat.read_answer import read_answer
from gateway.dialects.chat.read_request import read_request
from gateway.dialects.chat.read_stream import StreamReader
from gateway.dialects.chat.words import DIALECT
from gateway.dialects.chat.write_answer import write_answer
from gateway.dialects.chat.write_request import write_request
from gateway.dialects.chat.write_stream import StreamWriter
from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.edits import attach
from gateway.dialects.openai_chat import error_body, parse
from gateway.errors import GatewayError
from gateway.wire.conversation import Answer, Conversation
from gateway.wire.delta import Delta, Usage
from gateway.wire.prompt import Prompt


class Chat:
    """Inbound and Outbound, see `dialects.contract`."""

    name = DIALECT

    def parse(self, body: bytes, default_model: str) -> Prompt:
        return parse(body, default_model)

    def read_request(self, body: bytes) -> Conversation:
        return read_request(body)

    def stream_writer(self, conversation: Conversation, wants_usage: bool) -> StreamWriter:
        return StreamWriter(conversation, wants_usage)

    def write_answer(self, answer: Answer, usage: Usage | None, conversation: Conversation) -> bytes:
        return write_answer(answer, usage, conversation)

    def attach(self, body: bytes, metadata: bytes) -> bytes:
        return attach(body, metadata)

    def error_body(self, error: GatewayError, decision: str | None) -> bytes:
        return error_body(error, decision)

    def path(self, model: str, stream: bool) -> str:
        return "/chat/completions"

    def write_request(self, conversation: Conversation, manner: TargetManner) -> Outgoing:
        return write_request(conversation, manner)

    def stream_reader(self) -> StreamReader:
        return StreamReader()

    def read_answer(self, body: bytes) -> list[Delta]:
        return read_answer(body)
