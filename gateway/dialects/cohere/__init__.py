"""Cohere's own chat API, version 2, for providers: `POST /v2/chat`.

Its OpenAI-compatible address says neither thoughts nor citations; this one does.
Source: cohere 7.3.1, `cohere.v2`, generated from the API's definition, and docs.cohere.com/v2/docs/streaming, read
2026-11-23.
"""

from gateway.dialects.cohere.names import DIALECT
from gateway.dialects.cohere.read_answer import read_answer
from gateway.dialects.cohere.read_stream import StreamReader
from gateway.dialects.cohere.write_request import write_request
from gateway.dialects.contract import Outgoing, TargetManner
from gateway.wire.conversation import Conversation
from gateway.wire.delta import Delta


class CohereOutbound:
    """An Outbound, see `dialects.contract`. Its base URL ends in `/v2`."""

    name = DIALECT

    def path(self, model: str, stream: bool) -> str:
        return "/chat"

    def write_request(self, conversation: Conversation, manner: TargetManner) -> Outgoing:
        return write_request(conversation, manner)

    def stream_reader(self) -> StreamReader:
        return StreamReader()

    def read_answer(self, body: bytes) -> list[Delta]:
        return read_answer(body)
