"""What holds for every format that only providers speak: how its streams may be cut, what they must consist of."""

from collections.abc import Iterable, Iterator

from gateway.dialects.contract import StreamReader
from gateway.dialects.formats import OUTBOUND
from gateway.wire.delta import Began, Delta, Failure, Finish
from tests.dialects.cases import load_cases


def streams_of(format_: str) -> dict[str, bytes]:
    """The recorded streams of a format, by the names of their cases."""
    return {
        case.name: case.stream for case in load_cases() if case.format == format_ and case.operation == "read_stream"
    }


def read(reader: StreamReader, pieces: Iterable[bytes]) -> tuple[list[Delta], tuple[bool, bool, bool]]:
    """Everything that a reader says of a stream, and in which state it ends."""
    deltas = [delta for piece in pieces for delta in reader.feed(piece)] + reader.end()
    return deltas, (reader.done, reader.malformed, reader.oversized)


def assert_means_the_same_however_it_is_cut(format_: str, stream: bytes) -> None:
    fresh = OUTBOUND[format_].stream_reader
    whole = read(fresh(), [stream])
    for cut in range(1, len(stream)):
        assert read(fresh(), [stream[:cut], stream[cut:]]) == whole, stream[:cut]
    assert read(fresh(), [stream[at : at + 1] for at in range(len(stream))]) == whole


def assert_is_grammatical(deltas: list[Delta]) -> None:
    """One start before all else, one finish at most; nothing behind a failure; every call with an id of its own."""
    kinds = [type(delta) for delta in deltas]
    assert kinds.count(Began) <= 1
    assert kinds.count(Finish) <= 1
    assert Failure not in kinds[:-1]
    if deltas and not isinstance(deltas[0], Failure):
        assert isinstance(deltas[0], Began)
    ids = [delta.id for delta in deltas if getattr(delta, "name", None)]  # type: ignore[union-attr]
    assert all(ids)
    assert len(ids) == len(set(ids))


def spellings(stream: bytes) -> Iterator[bytes]:
    """Legal ways to write the same server-sent events."""
    yield stream.replace(b"\n", b"\r\n")
    yield stream.replace(b"\n", b"\r")
    yield b"\xef\xbb\xbf" + stream
    yield stream.replace(b"data: ", b": a comment\nid: 5\nretry: 10\ndata: ")
    yield stream.replace(b"data: {", b"data: {\ndata: ")
