"""Random streams in random pieces: the incremental parser agrees with the standard's algorithm over the whole text."""

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.framing.sse import Event, SseParser

pieces = st.sampled_from(
    [
        b"data",
        b"event",
        b"id",
        b"retry",
        b":",
        b" ",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"x",
        b"{",
        b"\xc3",
        b"\xa9",
        b"\xef\xbb\xbf",
    ]
)
streams = st.lists(pieces, max_size=40).map(b"".join)
cuts = st.lists(st.integers(0, 60), max_size=6)


def standard(text: bytes) -> list[Event]:
    """The algorithm of the standard, line by line over the whole stream."""
    *lines, _unfinished = re.split(rb"\r\n|\n|\r", text.removeprefix(b"\xef\xbb\xbf"))
    events: list[Event] = []
    data, name = b"", b""
    for line in lines:
        field, _, value = line.partition(b":")
        value = value[1:] if value[:1] == b" " else value
        if line == b"":
            if data:
                events.append(Event(name, data[:-1]))
            data, name = b"", b""
        elif field == b"data":
            data += value + b"\n"
        elif field == b"event":
            name = value
    return events


@given(streams, cuts)
def test_pieces_mean_what_the_whole_means(text: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    parser = SseParser()
    found: list[Event] = []
    for start, end in pairwise(places):
        found += parser.feed(text[start:end])
    assert found == standard(text)


@given(st.binary(max_size=200))
def test_random_bytes_never_break_it(text: bytes) -> None:
    assert SseParser().feed(text) == standard(text)
