"""Anthropic Messages, for callers and providers: everything that is one of its own sits in the modules beside."""

from gateway.dialects.anthropic import errors, prompt
from gateway.dialects.anthropic.hosts import ANTHROPIC, Host
from gateway.dialects.anthropic.names import DIALECT
from gateway.dialects.anthropic.read_answer import read_answer
from gateway.dialects.anthropic.read_request import read_request
from gateway.dialects.anthropic.read_stream import StreamReader
from gateway.dialects.anthropic.write_answer import write_answer
from gateway.dialects.anthropic.write_request import write_request
from gateway.dialects.anthropic.write_stream import StreamWriter
from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.edits import attach
from gateway.errors import GatewayError
from gateway.wire.conversation import Answer, Conversation
from gateway.wire.delta import Delta, Usage
from gateway.wire.prompt import Prompt


class MessagesInbound:
    """An Inbound, see `dialects.contract`."""

    name = DIALECT

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
        return errors.error_body(error, decision)


class MessagesOutbound:
    """An Outbound, see `dialects.contract`: Anthropic's own, and its like at other hosts, each by a name of its own."""

    def __init__(self, host: Host = ANTHROPIC, name: str = DIALECT) -> None:
        self.name = name
        self._host = host

    def path(self, model: str, stream: bool) -> str:
        return self._host.address(model, stream)

    def write_request(self, conversation: Conversation, manner: TargetManner) -> Outgoing:
        return write_request(conversation, manner, self._host)

    def stream_reader(self) -> StreamReader:
        return StreamReader()

    def read_answer(self, body: bytes) -> list[Delta]:
        return read_answer(body)
