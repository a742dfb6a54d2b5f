"""What a format has to offer so that a simulated provider can speak it."""

from typing import Protocol

from msgspec import Struct

from gateway.simulator.chat import Chat
from gateway.simulator.complaint import Complaint
from gateway.simulator.http1 import Headers
from gateway.simulator.telling import Event, Telling


class Where(Struct, frozen=True):
    """What the address says of a request, in formats that say it there."""

    model: str = ""
    stream: bool = False


class Face(Protocol):
    """One format, as its vendor's reference describes it."""

    @property
    def id_prefix(self) -> str:
        """Ids of answers begin with it."""
        ...

    @property
    def manner(self) -> str:
        """Whose words it has for a prompt that is too long: "openai", "anthropic", "gemini"."""
        ...

    @property
    def stream_headers(self) -> Headers: ...

    @property
    def ping(self) -> bytes:
        """Something to send that means nothing."""
        ...

    def read(self, body: bytes, headers: list[tuple[bytes, bytes]], where: Where) -> Chat:
        """The request, or a Refusal."""
        ...

    def document(self, telling: Telling) -> dict[str, object]:
        """The body of an answer that is not streamed, before encoding."""
        ...

    def hollow(self, telling: Telling, *, is_null: bool) -> dict[str, object]:
        """Such a body without an answer: no choices, or (`is_null`) one that is null."""
        ...

    def hollow_stream(self, telling: Telling, *, is_null: bool) -> bytes:
        """The same as the events of a stream, without the ending."""
        ...

    def events(self, telling: Telling) -> list[Event]:
        """The whole stream but for its ending."""
        ...

    def ending(self, telling: Telling) -> bytes:
        """What says that a stream is complete; b"" where only the end of the body does."""
        ...

    def text_event(self, telling: Telling, token: str) -> bytes:
        """The event that carries `token`."""
        ...

    def error(self, status: int, complaint: Complaint) -> bytes:
        """The body of an error reply."""
        ...

    def error_event(self, complaint: Complaint) -> bytes:
        """What a stream says when it breaks off."""
        ...
