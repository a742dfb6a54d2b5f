"""uvicorn's HTTP protocol with two additions: a call when the caller hangs up, and JSON for unreadable requests."""

from collections.abc import Callable

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

EXTENSION = "steelyard.connection"  # scope["extensions"] key under which a request finds its connection

UNREADABLE = (
    b'{"error":{"message":"This is not a valid HTTP request.","type":"invalid_request_error",'
    b'"param":null,"code":"invalid_http"}}'
)


class SteelyardProtocol(HttpToolsProtocol):
    """Tells the running request at once when its connection is lost, so that nobody has to poll for it."""

    on_gone: Callable[[], object] | None = None

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: self}  # type: ignore[dict-item]

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.on_gone is not None:
            self.on_gone()
            self.on_gone = None

    def send_400_response(self, msg: str) -> None:
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: "
            + str(len(UNREADABLE)).encode()
            + b"\r\n\r\n"
            + UNREADABLE
        )
        self.transport.close()
