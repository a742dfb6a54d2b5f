"""Amazon Bedrock's Converse API, for providers: every model there but Claude, who is asked in Anthropic's own format.

Source: Amazon Bedrock API reference, "Converse" and "ConverseStream"; botocore 1.44.5; read 2026-11-23.
"""

from urllib.parse import quote

from gateway.dialects.bedrock.names import DIALECT
from gateway.dialects.bedrock.read_answer import read_answer
from gateway.dialects.bedrock.read_stream import StreamReader
from gateway.dialects.bedrock.write_request import write_request
from gateway.dialects.contract import Outgoing, TargetManner
from gateway.wire.conversation import Conversation
from gateway.wire.delta import Delta


class ConverseOutbound:
    """An Outbound, see `dialects.contract`."""

    name = DIALECT

    def path(self, model: str, stream: bool) -> str:
        """A profile's ARN holds a slash, which is no separator here."""
        return f"/model/{quote(model, safe=':')}/{'converse-stream' if stream else 'converse'}"

    def write_request(self, conversation: Conversation, manner: TargetManner) -> Outgoing:
        return write_request(conversation, manner)

    def stream_reader(self) -> StreamReader:
        return StreamReader()

    def read_answer(self, body: bytes) -> list[Delta]:
        return read_answer(body)
