"""A caller on a bare socket: it sees every byte and how the connection ended."""

import contextlib
import json
import socket
from collections.abc import Callable, Mapping

import httptools

SILENCE_SECONDS = 0.3  # long enough for loopback; what is called silent has sent nothing for as long


class Seen:
    """What came back. `ending`: whole (a complete HTTP answer), fin, rst, silent."""

    def __init__(self) -> None:
        self.raw = b""
        self.head = b""
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.body = b""
        self.ending = ""
        self.complete = False
        self.parser = httptools.HttpResponseParser(self)

    # callbacks of the parser
    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode().lower(), value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete = self.parser.get_status_code() >= 200

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def events(self) -> list[bytes]:
        """The payload of every `data:` event, as a stream of plain spelling has them."""
        return [line.removeprefix(b"data: ") for line in self.body.split(b"\n\n") if line.startswith(b"data: ")]

    @property
    def chunks(self) -> list[dict[str, object]]:
        return [json.loads(event) for event in self.events if event != b"[DONE]"]

    @property
    def text(self) -> str:
        """Content of the first choice, streamed or not."""
        if self.header("content-type").startswith("application/json"):
            return str(json.loads(self.body)["choices"][0]["message"]["content"])
        return "".join(delta_of(chunk).get("content") or "" for chunk in self.chunks)


def delta_of(chunk: dict[str, object]) -> dict[str, str]:
    choices = chunk.get("choices")
    if not isinstance(choices, list) or not choices or choices[0].get("index") != 0:
        return {}
    delta: dict[str, str] = choices[0]["delta"]
    return delta


def chat_body(model: str = "sim/swift-mini", text: str = "hello", **fields: object) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": text}], **fields}).encode()


def post(path: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {len(body)}\r\n{lines}\r\n".encode() + body


def connect(port: int) -> socket.socket:
    caller = socket.create_connection(("127.0.0.1", port), timeout=10)
    caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return caller


def read_reply(caller: socket.socket, seen: Seen, limit: int = 1 << 26) -> Seen:
    """Read until the answer is whole, the connection ends, nothing comes any more or `limit` bytes came."""
    caller.settimeout(SILENCE_SECONDS)
    while len(seen.raw) < limit and not seen.complete:
        try:
            data = caller.recv(1 << 18)
        except TimeoutError:
            seen.ending = "silent"
            break
        except ConnectionResetError:
            seen.ending = "rst"
            break
        if not data:
            seen.ending = "fin"
            break
        seen.raw += data
        with contextlib.suppress(httptools.HttpParserError):
            seen.parser.feed_data(data)
    seen.head = seen.raw.partition(b"\r\n\r\n")[0]
    if seen.complete:
        seen.ending = "whole"
        seen.status = seen.parser.get_status_code()
        return seen
    with contextlib.suppress(ValueError, IndexError):
        seen.status = int(seen.head.split(b" ")[1])
    return seen


def ask(port: int, fault: str = "", *, limit: int = 1 << 26, key: str = "", **fields: object) -> Seen:
    """One chat request on a connection of its own."""
    headers = {"x-steelyard-simulate": fault} if fault else {}
    if key:
        headers["authorization"] = f"Bearer {key}"
    with connect(port) as caller:
        caller.sendall(post("/v1/chat/completions", chat_body(**fields), headers))  # type: ignore[arg-type]
        return read_reply(caller, Seen(), limit)


def control(port: int, path: str, rule: object = None) -> object:
    """A request to /_sim; anything but 200 is an error."""
    body = b"" if rule is None else json.dumps(rule).encode()
    method = "GET" if path.startswith("log") else "POST"
    with connect(port) as caller:
        caller.sendall(post(f"/_sim/{path}", body, {}, method))
        seen = read_reply(caller, Seen())
    assert seen.status == 200, seen.body
    return json.loads(seen.body)


def until(true: Callable[[], bool]) -> None:
    """Look again and again; each look is a round trip to the simulator, so this ends after a second or two."""
    for _ in range(5000):
        if true():
            return
    raise AssertionError("it never came to pass")


def log_of(port: int) -> list[dict[str, object]]:
    entries = control(port, "log")
    assert isinstance(entries, list)
    return entries
