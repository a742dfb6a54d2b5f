"""Google's generateContent: callers who speak it, and Google itself."""

from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.edits import attach
from gateway.dialects.gemini.errors import error_body
from gateway.dialects.gemini.prompt import parse
from gateway.dialects.gemini.read_answer import read_answer
from gateway.dialects.gemini.read_request import read_request
from gateway.dialects.gemini.read_stream import GeminiStreamReader
from gateway.dialects.gemini.write_answer import write_answer
from gateway.dialects.gemini.write_request import path, write_request
from gateway.dialects.gemini.write_stream import GeminiStreamWriter
from gateway.errors import GatewayError
from gateway.wire.conversation import Answer, Conversation
from gateway.wire.delta import Delta, Usage
from gateway.wire.prompt import Prompt


class Gemini:
    """Inbound and Outbound, see `dialects.contract`. The model and whether to stream stand in the URL.

    sse: the caller asked for `alt=sse`; without it a stream is a JSON array.
    """

    name = "gemini"

    def __init__(self, sse: bool = True) -> None:
        self._sse = sse

    def parse(self, body: bytes, default_model: str, stream: bool = False) -> Prompt:
        """default_model and stream: what the URL says."""
        return parse(body, default_model, stream)

    def read_request(self, body: bytes, stream: bool = False) -> Conversation:
        return read_request(body, stream)

    def stream_writer(self, conversation: Conversation, wants_usage: bool) -> GeminiStreamWriter:
        """Usage is told whether wanted or not: this API has no way to ask for it."""
        return GeminiStreamWriter(self._sse)

    def write_answer(self, answer: Answer, usage: Usage | None, conversation: Conversation) -> bytes:
        return write_answer(answer, usage)

    def attach(self, body: bytes, metadata: bytes) -> bytes:
        """As a member of the answer: Google's SDKs drop what they do not know."""
        return attach(body, metadata)

    def error_body(self, error: GatewayError, decision: str | None) -> bytes:
        return error_body(error, decision)

    def path(self, model: str, stream: bool) -> str:
        return path(model, stream)

    def write_request(self, conversation: Conversation, manner: TargetManner) -> Outgoing:
        return write_request(conversation, manner)

    def stream_reader(self) -> GeminiStreamReader:
        return GeminiStreamReader()

    def read_answer(self, body: bytes) -> list[Delta]:
        return read_answer(body)


GEMINI = Gemini()
GEMINI_ARRAY = Gemini(sse=False)
