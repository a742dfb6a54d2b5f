"""Event streams as the standard describes them, cut anywhere."""

import pytest

from gateway.framing.sse import MAX_STRAY_BYTES, Event, SseParser

STREAM = (
    b"\xef\xbb\xbf: hello\n\nevent: greeting\r\ndata: caf\xc3\xa9\r\ndata:two\r\n\r\nid: 1\rretry: 5\rdata\r\r"
    b"data:  spaced \n\nevent: nothing\n\nfoo: bar\ndata: last\n\n\n"
)
EVENTS = [Event(b"greeting", "café\ntwo".encode()), Event(b"", b""), Event(b"", b" spaced "), Event(b"", b"last")]


def events(*pieces: bytes) -> list[Event]:
    parser = SseParser()
    return [event for piece in pieces for event in parser.feed(piece)]


def test_every_kind_of_line_is_understood() -> None:
    assert events(STREAM) == EVENTS


@pytest.mark.parametrize("cut", range(len(STREAM)))
def test_a_stream_means_the_same_however_it_is_cut(cut: int) -> None:
    assert events(STREAM[:cut], STREAM[cut:]) == EVENTS


def test_a_stream_means_the_same_byte_by_byte() -> None:
    assert events(*(bytes([byte]) for byte in STREAM)) == EVENTS


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
def test_an_event_is_told_as_soon_as_its_empty_line_has_come(line_end: bytes) -> None:
    assert events(b"data: x" + line_end + line_end) == [Event(b"", b"x")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"data: a\n\ndata: half", [Event(b"", b"a")]),
        (b"data: a\r\n\n", [Event(b"", b"a")]),
        (b"data: a\n\r\n", [Event(b"", b"a")]),
        (b"event: x\n\ndata: a\n\n", [Event(b"", b"a")]),
        (b"event: x\nevent: y\ndata: a\n\ndata: b\n\n", [Event(b"y", b"a"), Event(b"", b"b")]),
        (b"data:: a\n\n", [Event(b"", b": a")]),
        (b" data: a\n\n", []),
        (b"DATA: a\n\n", []),
        (b"data: \xff\n\n", [Event(b"", b"\xff")]),
        (b"data: a\xef\xbb\xbf\n\n", [Event(b"", b"a\xef\xbb\xbf")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
        (b"", []),
    ],
)
def test_the_standards_corners(text: bytes, expected: list[Event]) -> None:
    assert events(text) == expected


def test_pending_bytes_grow_with_an_unfinished_event_and_vanish_with_it() -> None:
    parser = SseParser()
    parser.feed(b"data: abc")
    assert parser.pending_bytes == 9
    parser.feed(b"\ndata: de")
    assert parser.pending_bytes == 4 + 8
    parser.feed(b"\n\n")
    assert parser.pending_bytes == 0


def test_comments_leave_nothing_behind() -> None:
    parser = SseParser()
    assert parser.feed(b": ping\n\n" * 1000) == []
    assert (parser.pending_bytes, parser.stray) == (0, b"")


def test_lines_that_are_no_field_are_kept_up_to_a_limit() -> None:
    parser = SseParser()
    parser.feed(b'data: a\n\n{"error":\n  "x"}\n')
    assert parser.stray == b'{"error":\n  "x"}\n'
    for _ in range(100):
        parser.feed(b"x" * 10_000 + b"\n")
    assert len(parser.stray) < 2 * MAX_STRAY_BYTES


def test_the_unfinished_line_can_be_seen() -> None:
    parser = SseParser()
    parser.feed(b"data: a\n\n[1,")
    assert parser.unfinished_line == b"[1,"
