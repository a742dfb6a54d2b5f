"""Bytes of HTTP/1.1 answers."""

from email.utils import formatdate

Headers = tuple[tuple[str, str], ...]

REASONS: dict[int, str] = {
    200: "OK",
    307: "Temporary Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    529: "Overloaded",
}
JSON = ("content-type", "application/json")
EVENT_STREAM: Headers = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))
LAST_CHUNK = b"0\r\n\r\n"


class Clock:
    """The `Date` header, rendered once per second."""

    def __init__(self) -> None:
        self._second = 0
        self._text = ""

    def date(self, now: float) -> str:
        """RFC 9110's form of `now`, seconds since the epoch."""
        if int(now) != self._second:
            self._second = int(now)
            self._text = formatdate(self._second, usegmt=True)
        return self._text


def head(status: int, headers: Headers) -> bytes:
    """Status line and headers, with the empty line after them."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    return f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}\r\n{lines}\r\n".encode("latin-1")


def chunk(data: bytes) -> bytes:
    """`data`, which is not empty, as one chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)
