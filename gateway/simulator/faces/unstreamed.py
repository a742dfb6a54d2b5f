"""What a Face has for streams where its format has none: nothing. No request to it asks for one."""

from gateway.simulator.complaint import Complaint
from gateway.simulator.http1 import Headers
from gateway.simulator.telling import Event, Telling


class Unstreamed:
    """Half of a Face, see `faces.face`."""

    id_prefix = ""
    manner = "openai"
    stream_headers: Headers = ()
    ping = b""

    def hollow_stream(self, telling: Telling, *, is_null: bool) -> bytes:
        return b""

    def events(self, telling: Telling) -> list[Event]:
        return []

    def ending(self, telling: Telling) -> bytes:
        return b""

    def text_event(self, telling: Telling, token: str) -> bytes:
        return b""

    def error_event(self, complaint: Complaint) -> bytes:
        return b""
