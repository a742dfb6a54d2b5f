"""Faults of streams, F50-F78. `*_document` is what a request that does not stream meets instead."""

import json
from collections.abc import Callable

from gateway.simulator.faults.body import BLOCK, MEBIBYTE
from gateway.simulator.http1 import JSON, head
from gateway.simulator.render import DONE, Event, Stream, encode
from gateway.simulator.scene import Scene, good, opened, split, thinking, told
from gateway.simulator.steps import TURN, End, Send, Steps, Wait

ERROR: dict[str, object] = {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}
BOM = b"\xef\xbb\xbf"


Ending = Callable[[Scene, list[Event]], Steps]


def cut_after(ending: Ending) -> Callable[[Scene], Steps]:
    """A good stream up to `after` tokens; `ending` gets the events that were still to come."""

    def act(scene: Scene) -> Steps:
        before, rest = split(scene.events(), scene.count("after"))
        yield from opened(scene)
        yield from told(scene, before)
        yield from ending(scene, rest)

    return act


def error_first(scene: Scene) -> Steps:
    """An error event where the first content should be."""
    yield from opened(scene)
    yield from error_event(scene, [])


def error_event(scene: Scene, rest: list[Event]) -> Steps:
    """An error event, then the proper end of the body; no [DONE] unless v=done."""
    yield Send(scene.framed(Stream(scene.who, scene.extras).error(ERROR).data))
    if scene.variant == "done":
        yield Send(scene.framed(DONE))
    yield from scene.stream_end()


def clean_end(scene: Scene, rest: list[Event]) -> Steps:
    """The body ends properly, the answer does not."""
    yield from scene.stream_end()


def fin(scene: Scene, rest: list[Event]) -> Steps:
    """FIN without the last chunk."""
    yield End.CUT


def rst(scene: Scene, rest: list[Event]) -> Steps:
    """RST."""
    yield End.RESET


def half_event(scene: Scene, rest: list[Event]) -> Steps:
    """Half of the next event in a whole chunk, then FIN."""
    data = rest[0].data if rest else DONE
    yield Send(scene.framed(data[: len(data) // 2]))
    yield End.CUT


def stall(scene: Scene, rest: list[Event]) -> Steps:
    """Silence."""
    yield End.HOLD


def pings(scene: Scene, rest: list[Event]) -> Steps:
    """Comments for ever."""
    pause = Wait(scene.seconds("gap"))
    while True:
        yield Send(scene.framed(b": ping\n\n"))
        yield pause


def malformed_event(scene: Scene, rest: list[Event]) -> Steps:
    """One event that is no JSON; the stream goes on as if nothing had been."""
    yield Send(scene.framed(b'data: {"id":"' + scene.who.id.encode() + b'","choices":[{"index":0,"del\n\n'))
    yield from told(scene, rest)
    yield Send(scene.framed(DONE))
    yield from scene.stream_end()


def json_tail(scene: Scene, rest: list[Event]) -> Steps:
    """An error as bare JSON, without `data:`."""
    tail = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
    yield Send(scene.framed(json.dumps(tail, indent=2).encode() + b"\n"))
    yield from scene.stream_end()


def headers_only(scene: Scene) -> Steps:
    """200 and headers, then silence."""
    yield Send(scene.stream_head())
    yield End.HOLD


def endless_line(scene: Scene, rest: list[Event]) -> Steps:
    """A line that never ends."""
    yield Send(scene.framed(b'data: {"id":"'))
    while True:
        yield Send(scene.framed(b"a" * BLOCK))
        yield TURN


def huge_event(scene: Scene, rest: list[Event]) -> Steps:
    """One event of `mb` MiB; then the stream goes on."""
    start, _, end = _text(scene, "@").partition(b"@")
    yield Send(scene.framed(start))
    for _ in range(scene.count("mb") * MEBIBYTE // BLOCK):
        yield Send(scene.framed(b"a" * BLOCK))
        yield TURN
    yield Send(scene.framed(end))
    yield from told(scene, rest)
    yield Send(scene.framed(DONE))
    yield from scene.stream_end()


def no_done(scene: Scene) -> Steps:
    """Everything but [DONE]."""
    yield from opened(scene)
    yield from told(scene, scene.events())
    yield from scene.stream_end()


def duplicates(scene: Scene) -> Steps:
    """The finish and the usage twice, a token after the finish, an event after [DONE]."""
    made = scene.events()
    finish = next(row for row, event in enumerate(made) if b'"finish_reason":null' not in event.data)
    late = Event(_text(scene, " late"))
    yield from opened(scene)
    yield from told(scene, [*made[: finish + 1], made[finish], late, *made[finish + 1 :], *made[finish + 1 :]])
    yield Send(scene.framed(DONE + DONE + late.data))
    yield from scene.stream_end()


def oddities(scene: Scene) -> Steps:
    """All that SSE allows: a BOM, CRLF and CR, no space, comments, id and retry, data over several lines."""
    made = [Event(odd(event.data, row), event.tokens) for row, event in enumerate(scene.events())]
    yield from opened(scene)
    yield Send(scene.framed(BOM + b": hello\nretry: 3000\n\n"))
    yield from told(scene, made)
    yield Send(scene.framed(b"data:[DONE]\r\n\r\n"))
    yield from scene.stream_end()


def odd(event: bytes, row: int) -> bytes:
    """`event` in one of five spellings of the same meaning."""
    payload = event[len(b"data: ") : -2]
    spellings = (
        b"data: " + payload + b"\r\n\r\n",
        b"data:" + payload + b"\n\n",
        b"id: %d\ndata: " % row + payload + b"\nevent:\n\n",
        b": a comment\rdata: " + payload + b"\r\r",
        b"data: {\ndata: " + payload[1:] + b"\n\n",
    )
    return spellings[row % len(spellings)]


def firehose(scene: Scene) -> Steps:
    """`n` tokens as fast as the socket takes them."""
    made = scene.events()
    before, rest = split(made, 0)
    token = _text(scene, " token")
    batch = scene.framed(token * 64)
    yield from opened(scene)
    yield from told(scene, before)
    for _ in range(scene.count("n") // 64):
        yield Send(batch, 64)
        yield TURN
    left = scene.count("n") % 64
    if left:
        yield Send(scene.framed(token * left), left)
    yield from told(scene, [event for event in rest if not event.tokens])
    yield Send(scene.framed(DONE))
    yield from scene.stream_end()


def slow(scene: Scene) -> Steps:
    """One token per `gap`."""
    yield from opened(scene)
    yield from told(scene, scene.events(), scene.seconds("gap"))
    yield Send(scene.framed(DONE))
    yield from scene.stream_end()


def held_open(scene: Scene) -> Steps:
    """[DONE], but the body does not end."""
    yield from opened(scene)
    yield from told(scene, scene.events())
    yield Send(scene.framed(DONE))
    yield End.HOLD


def _text(scene: Scene, token: str) -> bytes:
    """The event that carries `token`."""
    return Stream(scene.who, scene.extras).texts(0, "content", [token])[0].data


def half_document(ending: End) -> Callable[[Scene], Steps]:
    """Half of the good document in one chunk, then `ending`."""

    def act(scene: Scene) -> Steps:
        body = encode(scene.document())
        yield from thinking(scene)
        yield Send(scene.stream_head((JSON,)) + scene.framed(body[: len(body) // 2]))
        yield ending

    return act


def headers_only_document(scene: Scene) -> Steps:
    """200 and headers, then silence."""
    yield Send(head(200, (*scene.headers, JSON, ("content-length", "500"))))
    yield End.HOLD


def blank_lines_document(scene: Scene) -> Steps:
    """Blank lines for ever, where the document should be."""
    pause = Wait(scene.seconds("gap"))
    yield Send(scene.stream_head((JSON,)))
    while True:
        yield Send(scene.framed(b"\n"))
        yield pause


def slow_document(scene: Scene) -> Steps:
    """The good document, after `gap` for each of its tokens."""
    yield Wait(scene.seconds("gap") * scene.answer.output_tokens)
    yield from good(scene)
