"""What comes too large, too slowly or from a form is refused at once, and the caller gets to read why."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
import uvloop

from gateway.errors import GatewayError
from gateway.server.limits import CallerGone, Receive, Scope, Send, read_body
from gateway.server.protocol import EXTENSION, SteelyardProtocol
from gateway.server.replies import send_error, send_json, start_stream
from tests.running import Gateway

MAX_BODY_BYTES = 100_000
POURED = 1_000  # pieces of 64 KiB
GET = b"GET / HTTP/1.1\r\nhost: localhost\r\n"
POST = b"POST / HTTP/1.1\r\nhost: localhost\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"


class Hasty(SteelyardProtocol):
    """The real protocol with a tenth of a second's patience."""

    head_seconds = 0.1
    body_seconds = 0.1
    body_bytes_per_second = 1_000_000
    unread_seconds = 0.1


class Patient(SteelyardProtocol):
    """The real protocol; no test waits as long as it would."""


class Pouring:
    """Says more than any buffer holds; `left` is set when somebody leaves before its end."""

    def __init__(self) -> None:
        self.left = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await start_stream(send, [])
        for number in range(POURED):
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": number < POURED - 1})
        if scope["extensions"][EXTENSION].is_gone:
            self.left.set()


class Echo:
    """Answers with the number of bytes it read; below /held, not before somebody asks for /release."""

    def __init__(self) -> None:
        self.released = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await read_body(scope, receive, MAX_BODY_BYTES)
        except GatewayError as error:
            await send_error(send, error, None, [])
            return
        except CallerGone:
            return
        if scope["path"] == "/held":
            await self.released.wait()
        elif scope["path"] == "/release":
            self.released.set()
        names = [name.decode() for name, _ in scope["headers"]]
        await send_json(send, 200, json.dumps({"bytes": len(body), "headers": names}).encode())


class Server(uvicorn.Server):
    """uvicorn as the gateway runs it, in a thread of the test."""

    def __init__(self, protocol: type[SteelyardProtocol], app: Echo | Pouring) -> None:
        super().__init__(
            uvicorn.Config(app, http=protocol, ws="none", lifespan="off", log_config=None, access_log=False, port=0)
        )
        self.is_up = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        assert self.is_up.wait(30)
        self.port: int = self.servers[0].sockets[0].getsockname()[1]

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self.serve())

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    def stop(self) -> None:
        self.should_exit = True
        self.thread.join(30)


@pytest.fixture(scope="module")
def hasty() -> Iterator[int]:
    server = Server(Hasty, Echo())
    yield server.port
    server.stop()


@pytest.fixture(scope="module")
def patient() -> Iterator[int]:
    server = Server(Patient, Echo())
    yield server.port
    server.stop()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def receive_all(connection: socket.socket) -> bytes:
    """Until the server closes; a reset would raise."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def exchange(port: int, *pieces: bytes) -> bytes:
    """Send all pieces, then read until the server closes the connection."""
    with connect(port) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return receive_all(connection)


def refusal(received: bytes) -> tuple[int, str]:
    """Status and code of the only answer in `received`; it announces that the connection ends."""
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"\r\nconnection: close" in head
    assert b"\r\ncontent-type: application/json" in head
    error = json.loads(body)["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", None)
    assert len(error["message"]) < 300
    return int(head.split()[1]), error["code"]


def bodies(received: bytes) -> list[dict[str, Any]]:
    """The JSON documents of answers that came one behind the other."""
    found, decoder = [], json.JSONDecoder()
    while received:
        text = received.partition(b"\r\n\r\n")[2].decode("latin-1")
        document, end = decoder.raw_decode(text)
        found.append(document)
        received = text[end:].encode("latin-1")
    return found


@pytest.mark.parametrize(
    ("pieces", "status", "code"),
    [
        ([GET + b"x: " + b"a" * 66_000 + b"\r\n\r\n"], 431, "headers_too_large"),
        ([GET + b"x: ", b"a" * 66_000], 431, "headers_too_large"),
        ([GET + b"a" * 66_000], 431, "headers_too_large"),
        ([GET + b"x: " + b"a" * 33_000, b"a" * 33_000], 431, "headers_too_large"),
        ([GET + b"x: a\r\n" * 201 + b"\r\n"], 431, "headers_too_large"),
        ([GET + b"x: a\r\n" * 201], 431, "headers_too_large"),
        ([b"GET /" + b"a" * 66_000], 414, "uri_too_long"),
        ([b"GET /" + b"a" * 66_000 + b" HTTP/1.1\r\n\r\n"], 414, "uri_too_long"),
        ([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"], 400, "invalid_http"),
        ([GET + b"x: a\r\n b\r\n\r\n"], 400, "invalid_http"),
        ([GET + b"x: a\0b\r\n\r\n"], 400, "invalid_http"),
        ([POST + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n"], 400, "invalid_http"),
        ([POST + b"content-length: 1\r\ncontent-length: 2\r\n\r\n"], 400, "invalid_http"),
        ([CHUNKED + b"zz\r\n"], 400, "invalid_http"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_head_that_no_client_sends_is_refused(patient: int, pieces: list[bytes], status: int, code: str) -> None:
    assert refusal(exchange(patient, *pieces)) == (status, code)


def test_a_head_is_refused_as_soon_as_it_is_too_large_however_small_its_pieces(patient: int) -> None:
    with connect(patient) as connection:
        connection.sendall(GET + b"x: ")
        sent = 0
        connection.setblocking(False)
        while sent < 10_000_000:
            try:
                sent += connection.send(b"a" * 1_000)
                if connection.recv(1, socket.MSG_PEEK):
                    break
            except BlockingIOError:
                continue
        connection.settimeout(10)
        assert refusal(receive_all(connection)) == (431, "headers_too_large")


def test_a_head_just_below_the_limits_is_served(patient: int) -> None:
    large = GET + b"x: " + b"a" * 65_000 + b"\r\nconnection: close\r\n\r\n"
    many = GET + b"x: a\r\n" * 198 + b"connection: close\r\n\r\n"
    assert [exchange(patient, head).split()[1] for head in (large, many)] == [b"200", b"200"]


@pytest.mark.parametrize(
    "rest",
    [b"0\r\n" + b"x: " + b"a" * 400_000, b"0\r\n" + b"x: a\r\n" * 202, b"1;" + b"a" * 400_000, b"0" * 400_000],
    ids=["one trailer", "many trailers", "extension", "zeros"],
)
def test_what_surrounds_a_body_is_held_to_the_limits_of_a_head(patient: int, rest: bytes) -> None:
    received = exchange(patient, CHUNKED + b"2\r\n{}\r\n", rest)
    assert refusal(received) in [(431, "headers_too_large"), (400, "invalid_http")]


def test_a_trailer_is_no_header(patient: int) -> None:
    head = POST + b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    [answer] = bodies(exchange(patient, head, b"2\r\n{}\r\n", b"0\r\nx-late: 1\r\n", b"\r\n"))
    assert answer == {"bytes": 2, "headers": ["host", "connection", "transfer-encoding"]}


def test_pipelined_requests_are_answered_in_order(patient: int) -> None:
    body = b"x" * 70_000
    first = POST + b"content-length: 70000\r\n\r\n" + body
    second = POST + b"content-length: 3\r\n\r\nabc"
    last = GET + b"connection: close\r\n\r\n"
    stream = first + second + first + last
    for cut in (1, 60, 70_000, len(first) + 5, len(first) + 70, len(stream) - 3):
        answers = bodies(exchange(patient, stream[:cut], stream[cut:]))
        assert [answer["bytes"] for answer in answers] == [70_000, 3, 70_000, 0]


UPGRADE = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "size"),
    [
        (POST + UPGRADE + b"content-length: 5\r\n\r\nhello", 5),
        (POST + UPGRADE + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n", 8),
        (POST + UPGRADE + b"content-length: 0\r\n\r\n", 0),
        (GET + UPGRADE + b"\r\n", 0),
        (GET + b"connection: upgrade\r\nupgrade: websocket\r\n\r\n", 0),
        # A body that looks like a request is a body; what follows the body is not read.
        (POST + UPGRADE + b"content-length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n" + GET + b"\r\n", 18),
    ],
    ids=["length", "chunked", "empty", "none", "websocket", "smuggled"],
)
def test_an_upgrade_is_ignored_and_the_body_read(patient: int, request_bytes: bytes, size: int) -> None:
    for cut in (len(request_bytes), len(request_bytes) - 3, request_bytes.index(b"\r\n\r\n") + 4):
        received = exchange(patient, request_bytes[:cut], request_bytes[cut:])
        assert received.startswith(b"HTTP/1.1 200 ")
        [answer] = bodies(received)
        assert answer["bytes"] == size


def test_rubbish_behind_a_request_waits_for_its_answer_and_gets_none(patient: int) -> None:
    with connect(patient) as connection:
        connection.sendall(b"GET /held HTTP/1.1\r\nhost: localhost\r\n\r\nRUBBISH\r\n\r\n")
        assert bodies(exchange(patient, b"GET /release HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"))
        [answer] = bodies(receive_all(connection))
    assert answer["bytes"] == 0


@pytest.mark.parametrize("begun", [b"G", GET, GET + b"x: a\r\n"], ids=["letter", "head", "headers"])
def test_a_head_that_takes_too_long_is_told_so(hasty: int, begun: bytes) -> None:
    assert refusal(exchange(hasty, begun)) == (408, "request_timeout")


@pytest.mark.parametrize(
    "begun",
    [POST + b"content-length: 9\r\n\r\n", POST + b"content-length: 9\r\n\r\n{", CHUNKED, CHUNKED + b"1\r\n{\r\n"],
    ids=["nothing", "a byte", "no chunk", "a chunk"],
)
def test_a_body_that_takes_too_long_is_told_so(hasty: int, begun: bytes) -> None:
    assert refusal(exchange(hasty, begun)) == (408, "request_timeout")


def test_a_caller_that_drips_gains_no_time(hasty: int) -> None:
    with connect(hasty) as connection:
        connection.sendall(GET)
        connection.settimeout(0.01)
        deadline = time.monotonic() + 10
        received = b""
        while not received and time.monotonic() < deadline:
            connection.sendall(b"x: a\r\n")
            try:
                received = connection.recv(65536)
            except TimeoutError:
                continue
        connection.settimeout(10)
        assert refusal(received + receive_all(connection)) == (408, "request_timeout")


def test_a_request_in_two_pieces_leaves_the_connection_usable(hasty: int) -> None:
    pieces = [POST + b"content-le", b"ngth: 4\r\n\r\n{", b"}  ", POST + b"content-length: 2\r\n\r\n{}"]
    last = GET + b"connection: close\r\n\r\n"
    with connect(hasty) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received = b""
        for piece in pieces[:3]:
            connection.sendall(piece)
        while b"}" not in received:
            received += connection.recv(65536)
        assert b"connection: close" not in received
        connection.sendall(pieces[3] + last)
        received += receive_all(connection)
    assert [answer["bytes"] for answer in bodies(received)] == [4, 2, 0]


def test_an_announced_body_over_the_limit_is_refused_before_it_is_sent(patient: int) -> None:
    head = POST + b"content-length: 100001\r\nexpect: 100-continue\r\n\r\n"
    assert refusal(exchange(patient, head)) == (413, "payload_too_large")


def test_a_caller_that_expects_leave_to_send_gets_it(patient: int) -> None:
    with connect(patient) as connection:
        connection.sendall(POST + b"content-length: 2\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n")
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert bodies(receive_all(connection))[0]["bytes"] == 2


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
def test_a_caller_that_sends_far_too_much_at_once_still_reads_why_not(patient: int, announced: bool) -> None:
    """Nothing of it is read by the application; a close without reading on would reset the connection."""
    size = 20_000_000
    head = POST + b"content-length: %d\r\n\r\n" % size if announced else CHUNKED + b"%x\r\n" % size
    assert refusal(exchange(patient, head, b"x" * size)) == (413, "payload_too_large")


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
def test_what_a_form_can_send_is_not_taken_for_json(keyless: Gateway, content_type: str) -> None:
    body = b'{"model":"auto","messages":[{"role":"user","content":"hi"}]}'
    for path in ("/v1/chat/completions", "/v1/route"):
        answer = keyless.http.post(path, content=body, headers={"content-type": content_type})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (415, "unsupported_media_type")
        assert content_type.partition(";")[0] in error["message"]
        assert "-H 'content-type: application/json'" in error["message"]


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "APPLICATION/JSON", "application/json;charset=UTF-8", "application/vnd.api+json; v=1", ""],
)
def test_json_may_be_spelled_as_it_likes(keyless: Gateway, content_type: str) -> None:
    body = b'{"model":"auto","messages":[{"role":"user","content":"hi"}]}'
    answer = keyless.http.post("/v1/chat/completions", content=body, headers={"content-type": content_type})
    assert answer.status_code == 200


def test_a_body_of_no_stated_type_is_taken_for_json(keyless: Gateway) -> None:
    body = b'{"model":"auto","messages":[{"role":"user","content":"hi"}]}'
    assert keyless.http.post("/v1/chat/completions", content=body).status_code == 200


@pytest.fixture
def pouring() -> Iterator[Server]:
    server = Server(Hasty, Pouring())
    yield server
    server.stop()


def test_a_caller_who_reads_nothing_is_let_go(pouring: Server) -> None:
    app = pouring.config.app
    assert isinstance(app, Pouring)
    with connect(pouring.port) as connection:
        connection.sendall(GET + b"\r\n")
        assert app.left.wait(10)


def test_a_caller_who_reads_gets_it_all(pouring: Server) -> None:
    assert exchange(pouring.port, GET + b"connection: close\r\n\r\n").count(b"x" * 65_536) == POURED
