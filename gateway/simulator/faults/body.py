"""Faults in the body of a 200 (and one redirect), F34-F44 and F49. A request to stream gets the same bytes."""

import gzip
import zlib
from collections.abc import Iterator

from msgspec.json import encode
from msgspec.structs import replace

from gateway.simulator.complaint import Complaint
from gateway.simulator.faults.content import with_choices
from gateway.simulator.faults.status import HTML, HTML_PAGE
from gateway.simulator.http1 import JSON, Headers, head
from gateway.simulator.scene import Scene, good, good_stream, opened, thinking, told, whole
from gateway.simulator.steps import TURN, End, Send, Steps, Wait
from gateway.simulator.telling import Event

MEBIBYTE = 1 << 20
BLOCK = 1 << 16
GZIP = ("content-encoding", "gzip")


def error_as_200(scene: Scene) -> Steps:
    """An error document under the status of success."""
    yield whole(scene, 200, scene.error(503, Complaint("The upstream is overloaded.", "server_error", "overloaded")))


def html(scene: Scene) -> Steps:
    """A page for people."""
    yield whole(scene, 200, HTML_PAGE, (HTML,))


def empty(scene: Scene) -> Steps:
    """Nothing at all."""
    yield whole(scene, 200, b"")


def short_of_length(scene: Scene) -> Steps:
    """Half of the bytes that content-length announced, then FIN."""
    body = scene.document()
    yield Send(head(200, (*scene.headers, JSON, ("content-length", str(len(body))))) + body[: len(body) // 2])
    yield End.CUT


def invalid_json(scene: Scene) -> Steps:
    """The stated length, but the last third is no JSON."""
    body = scene.document()
    kept = len(body) * 2 // 3
    yield whole(scene, 200, body[:kept] + b"?" * (len(body) - kept))


def hollow(scene: Scene) -> Steps:
    """Valid JSON without an answer: v=nochoices, v=null; v=nousage lacks only the bill."""
    if scene.variant == "nousage":
        yield from without_usage(scene)
    elif scene.chat.request.stream:
        shell = scene.face.hollow_stream(scene.telling, is_null=scene.variant == "null")
        yield from opened(scene)
        yield Send(scene.framed(shell + scene.face.ending(with_choices(scene, ()).telling)))
        yield from scene.stream_end()
    else:
        yield whole(scene, 200, encode(scene.face.hollow(scene.telling, is_null=scene.variant == "null")))


def without_usage(scene: Scene) -> Steps:
    """The good answer, but nobody says what it used."""
    silent = replace(scene.telling.extras, tells_usage=False)
    yield from good(replace(scene, telling=replace(scene.telling, extras=silent)))


def gzipped(scene: Scene) -> Steps:
    """The good document in gzip: v=ok, v=corrupt (damaged halfway), v=lie (not gzip at all)."""
    body = scene.document()
    packed = gzip.compress(body, mtime=0)
    match scene.variant:
        case "corrupt":
            middle = len(packed) // 2
            yield whole(scene, 200, packed[:middle] + b"\xff" * 8 + packed[middle + 8 :], (JSON, GZIP))
        case "lie":
            yield whole(scene, 200, body, (JSON, GZIP))
        case _:
            yield whole(scene, 200, packed, (JSON, GZIP), scene.answer.output_tokens)


def bomb(scene: Scene) -> Steps:
    """`mb` MiB of zeros, a thousand times smaller on the wire."""
    yield Send(scene.stream_head((JSON, GZIP)))
    for block in gzipped_zeros(scene.count("mb")):
        yield Send(scene.framed(block))
        yield TURN
    yield from scene.stream_end()


def gzipped_zeros(mebibytes: int) -> Iterator[bytes]:
    """A gzip file of so many MiB of zeros: a full flush makes one compressed MiB that can be repeated."""
    zeros = bytes(MEBIBYTE)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    yield b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    for _ in range(mebibytes):
        checksum = zlib.crc32(zeros, checksum)
        yield block
    size = (mebibytes * MEBIBYTE) & 0xFFFFFFFF
    yield b"\x03\x00" + checksum.to_bytes(4, "little") + size.to_bytes(4, "little")


def endless(scene: Scene) -> Steps:
    """A document whose one string goes on for `mb` MiB, of no stated length."""
    yield Send(scene.stream_head((JSON,)))
    yield Send(scene.framed(b'{"id":"' + scene.telling.who.id.encode() + b'","choices":[{"message":{"content":"'))
    for _ in range(scene.count("mb") * MEBIBYTE // BLOCK):
        yield Send(scene.framed(b"a" * BLOCK))
        yield TURN
    yield Send(scene.framed(b'"}}]}'))
    yield from scene.stream_end()


def deep(scene: Scene) -> Steps:
    """Lists in lists, `n` thousand of them."""
    depth = scene.count("n") * 1000
    yield whole(scene, 200, b'{"choices":' + b"[" * depth + b"]" * depth + b"}")


def redirect(scene: Scene) -> Steps:
    """307 to another host; v=meta: to a cloud's metadata service."""
    target = "http://169.254.169.254/latest/meta-data/" if scene.variant == "meta" else "http://elsewhere.invalid/v1"
    yield whole(scene, 307, b"", (JSON, ("location", target)))


def dripped_body(scene: Scene) -> Steps:
    """The good document, chunked, one byte per `gap`."""
    yield from thinking(scene)
    yield Send(scene.stream_head((JSON,)))
    pause = Wait(scene.seconds("gap"))
    for byte in scene.document():
        yield Send(scene.framed(bytes([byte])))
        yield pause
    yield Send(b"", scene.answer.output_tokens)
    yield from scene.stream_end()


def as_text(scene: Scene) -> Steps:
    """Good bytes under content-type text/plain."""
    plain: Headers = (("content-type", "text/plain; charset=utf-8"),)
    if scene.chat.request.stream:
        yield from opened(scene, plain)
        yield from told(scene, scene.events())
        yield Send(scene.ending())
        yield from scene.stream_end()
    else:
        yield whole(scene, 200, scene.document(), plain, scene.answer.output_tokens)


def not_streamed(scene: Scene) -> Steps:
    """One JSON document, although a stream was asked for."""
    yield whole(scene, 200, scene.document(), tokens=scene.answer.output_tokens)


def packed_stream(scene: Scene) -> Steps:
    """A stream in gzip, flushed after every event; a document in gzip when none was asked for."""
    if not scene.chat.request.stream:
        packed_document = gzip.compress(scene.document(), mtime=0)
        yield whole(scene, 200, packed_document, (JSON, GZIP), scene.answer.output_tokens)
        return
    packer = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    packed = [
        Event(packer.compress(event.data) + packer.flush(zlib.Z_SYNC_FLUSH), event.tokens) for event in scene.events()
    ]
    yield from opened(scene, (*scene.face.stream_headers, GZIP))
    yield from told(scene, packed)
    yield Send(scene.framed(packer.compress(scene.face.ending(scene.telling)) + packer.flush()))
    yield from scene.stream_end()


def byte_by_byte(scene: Scene) -> Steps:
    """The good reply, one byte per write, so that every multi-byte character and every line is split."""
    for step in good_stream(scene) if scene.chat.request.stream else _document(scene):
        if not isinstance(step, Send):
            yield step
            continue
        for byte in step.data[:-1]:
            yield Send(bytes([byte]))
            yield TURN
        yield Send(step.data[-1:], step.tokens)


def _document(scene: Scene) -> Steps:
    yield from thinking(scene)
    yield whole(scene, 200, scene.document(), tokens=scene.answer.output_tokens)
