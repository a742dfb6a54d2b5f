"""Ollama's own chat API, for providers: `POST /api/chat`, streams in lines of JSON.

Its OpenAI-compatible address takes no length of the context and no `think`; this one does.
Source: ollama/ollama, docs/openapi.yaml, and ollama-python 0.6.3, read 2026-11-23.
"""

from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.ollama.names import DIALECT
from gateway.dialects.ollama.read_answer import read_answer
from gateway.dialects.ollama.read_stream import StreamReader
from gateway.dialects.ollama.write_request import write_request
from gateway.wire.conversation import Conversation
from gateway.wire.delta import Delta


class OllamaOutbound:
    """An Outbound, see `dialects.contract`. Its base URL is the server's: `http://127.0.0.1:11434`."""

    name = DIALECT

    def path(self, model: str, stream: bool) -> str:
        return "/api/chat"

    def write_request(self, conversation: Conversation, manner: TargetManner) -> Outgoing:
        return write_request(conversation, manner)

    def stream_reader(self) -> StreamReader:
        return StreamReader()

    def read_answer(self, body: bytes) -> list[Delta]:
        return read_answer(body)
