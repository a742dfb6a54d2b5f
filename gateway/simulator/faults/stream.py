"""Faults of streams, F50-F78. `*_document` is what a request that does not stream meets instead."""

import json
from collections.abc import Callable

from gateway.simulator.complaint import Complaint
from gateway.simulator.faults.body import BLOCK, MEBIBYTE
from gateway.simulator.http1 import EVENT_STREAM, JSON, head
from gateway.simulator.scene import Scene, good, opened, split, thinking, told
from gateway.simulator.steps import TURN, End, Send, Steps, Wait
from gateway.simulator.telling import Event

ERROR = Complaint("The server had an error.", "server_error")
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
    """An error event, then the proper end of the body; no ending unless v=done."""
    yield Send(scene.framed(scene.face.error_event(ERROR)))
    if scene.variant == "done":
        yield Send(scene.ending())
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
    data = rest[0].data if rest else scene.face.ending(scene.telling)
    yield Send(scene.framed(data[: len(data) // 2]))
    yield End.CUT


def stall(scene: Scene, rest: list[Event]) -> Steps:
    """Silence."""
    yield End.HOLD


def pings(scene: Scene, rest: list[Event]) -> Steps:
    """Signs of life for ever, and nothing else."""
    pause = Wait(scene.seconds("gap"))
    while True:
        yield Send(scene.framed(scene.face.ping))
        yield pause


def malformed_event(scene: Scene, rest: list[Event]) -> Steps:
    """One event that is no JSON; the stream goes on as if nothing had been."""
    text = _text(scene, "hello").rstrip(b"\n")
    yield Send(scene.framed(text[: len(text) * 2 // 3] + b"\n\n"))
    yield from told(scene, rest)
    yield Send(scene.ending())
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
    yield Send(scene.framed(_text(scene, "@").partition(b"@")[0]))
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
    yield Send(scene.ending())
    yield from scene.stream_end()


def no_done(scene: Scene) -> Steps:
    """Everything but the ending."""
    yield from opened(scene)
    yield from told(scene, scene.events())
    yield from scene.stream_end()


def duplicates(scene: Scene) -> Steps:
    """The finish and the usage twice, a token after the finish, an event after the ending."""
    made = scene.events()
    finish = next((row for row, event in enumerate(made) if event.is_finish), len(made))
    late, ending = Event(_text(scene, " late")), scene.face.ending(scene.telling)
    rest = made[finish + 1 :]
    yield from opened(scene)
    yield from told(scene, [*made[: finish + 1], *made[finish : finish + 1], late, *rest, *rest])
    yield Send(scene.framed(ending + ending + late.data))
    yield from scene.stream_end()


def oddities(scene: Scene) -> Steps:
    """All that SSE allows: a BOM, CRLF and CR, no space, comments, id and retry, data over several lines."""
    made = [Event(odd(event.data, row), event.tokens) for row, event in enumerate(scene.events())]
    ending = scene.face.ending(scene.telling)
    yield from opened(scene)
    if scene.face.stream_headers == EVENT_STREAM:
        yield Send(scene.framed(BOM + b": hello\nretry: 3000\n\n"))
    yield from told(scene, made)
    yield Send(scene.framed(odd(ending, 1).replace(b"\n", b"\r\n") if ending else b""))
    yield from scene.stream_end()


def odd(event: bytes, row: int) -> bytes:
    """`event` in one of five spellings of the same meaning; a bare line with another end, or an empty one after it."""
    name, parted, payload = event.rstrip(b"\n").rpartition(b"data: ")
    if not parted:
        return (event[:-1] + b"\r\n", event + b"\n")[row % 2]
    spellings = (
        name.replace(b"\n", b"\r\n") + b"data: " + payload + b"\r\n\r\n",
        name.replace(b": ", b":") + b"data:" + payload + b"\n\n",
        b"id: %d\n" % row + name + b"data: " + payload + (b"\n\n" if name else b"\nevent:\n\n"),
        b": a comment\r" + name.replace(b"\n", b"\r") + b"data: " + payload + b"\r\r",
        name + b"data: {\ndata: " + payload[1:] + b"\n\n",
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
    yield Send(scene.ending())
    yield from scene.stream_end()


def slow(scene: Scene) -> Steps:
    """One token per `gap`."""
    yield from opened(scene)
    yield from told(scene, scene.events(), scene.seconds("gap"))
    yield Send(scene.ending())
    yield from scene.stream_end()


def held_open(scene: Scene) -> Steps:
    """The ending, but the body does not end."""
    yield from opened(scene)
    yield from told(scene, scene.events())
    yield Send(scene.ending())
    yield End.HOLD


def _text(scene: Scene, token: str) -> bytes:
    """The event that carries `token`."""
    return scene.face.text_event(scene.telling, token)


def half_document(ending: End) -> Callable[[Scene], Steps]:
    """Half of the good document in one chunk, then `ending`."""

    def act(scene: Scene) -> Steps:
        body = scene.document()
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
