"""Faults of the connection and of headers, F06-F10, F47, F48."""

from gateway.simulator.http1 import JSON, head
from gateway.simulator.scene import Scene, good, whole
from gateway.simulator.steps import TURN, End, Send, Steps, Wait


def reset(scene: Scene) -> Steps:
    """RST instead of an answer."""
    yield End.RESET


def close(scene: Scene) -> Steps:
    """FIN instead of an answer."""
    yield End.CUT


def silence(scene: Scene) -> Steps:
    """No answer, and no end."""
    yield End.HOLD


def late(scene: Scene) -> Steps:
    """The good answer, `delay` late."""
    yield Wait(scene.seconds("delay"))
    yield from good(scene)


def dripped_head(scene: Scene) -> Steps:
    """The good document, its headers byte by byte."""
    body = scene.document()
    pause = Wait(scene.seconds("gap"))
    for byte in head(200, (*scene.headers, JSON, ("content-length", str(len(body))))):
        yield Send(bytes([byte]))
        yield pause
    yield Send(body, scene.answer.output_tokens)


def informed(scene: Scene) -> Steps:
    """100 Continue and 103 Early Hints, then the good answer."""
    yield Send(b"HTTP/1.1 100 Continue\r\n\r\n")
    yield TURN
    yield Send(b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n")
    yield TURN
    yield from good(scene)


def stale(scene: Scene) -> Steps:
    """The good answer; then the kept-alive connection ends, at once or (v=next) when the next request is on its way."""
    yield from good(scene)
    yield End.DOOM if scene.variant == "next" else End.CLOSE


def hostile_headers(scene: Scene) -> Steps:
    """A good document under headers that nobody should pass on."""
    forged = (
        ("set-cookie", "session=stolen; Domain=example.com"),
        ("access-control-allow-origin", "*"),
        ("strict-transport-security", "max-age=31536000"),
        ("proxy-authenticate", "Basic"),
        ("keep-alive", "timeout=99999"),
        ("x-steelyard-decision", "forged"),
        ("x-steelyard-cost-usd", "-1"),
        ("location", "http://169.254.169.254/"),
    )
    big = (("x-padding", "p" * 65536),) if scene.variant == "big" else ()
    yield whole(scene, 200, scene.document(), (JSON, *forged, *big), scene.answer.output_tokens)


def malformed(scene: Scene) -> Steps:
    """An answer that is not HTTP, in the manner of `v`."""
    body = scene.document()
    match scene.variant:
        case "cl_te":
            framing = f"content-length: {len(body)}\r\ntransfer-encoding: chunked\r\n"
        case "cl2":
            framing = f"content-length: {len(body)}\r\ncontent-length: {len(body) + 7}\r\n"
        case "badchunk":
            framing, body = "transfer-encoding: chunked\r\n", b"zz\r\n" + body + b"\r\n0\r\n\r\n"
        case _:
            yield Send(b"HTTP/one.one perhaps fine\r\n\r\n" + body)
            yield End.CUT
            return
    yield Send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + framing.encode() + b"\r\n" + body)
    yield End.CUT
