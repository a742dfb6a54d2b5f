"""How every reader opens a feed: the frame first, then each entry by itself, so that one bad entry costs one entry."""

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from gateway.catalog.card import Figure
from gateway.catalog.records import Broken, FeedError, Reading

T = TypeVar("T")


def frame(body: bytes, kind: type[T], source: str) -> T:
    """The feed's outermost shape, or a FeedError that names the source and the path."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FeedError(f"{source}: {error}") from error


def entries(
    raw: dict[str, msgspec.Raw], decoder: msgspec.json.Decoder[T], reading: Reading, provider: str = ""
) -> Iterator[tuple[str, T]]:
    """Each entry that can be read; the others are noted in `reading.broken` with their path."""
    for name, text in raw.items():
        try:
            yield name, decoder.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            where = f"{provider}.{name}" if provider else name
            reading.broken.append(Broken(provider, name, f"{reading.source.name}: {where}: {error}"))


def figure(value: float | None, source: str, factor: float = 1.0, date: str = "") -> Figure | None:
    """A figure of this source; None stays None. Rounded to 9 digits, so that 1.25e-06 x 10^6 is 1.25."""
    return None if value is None else Figure(float(f"{value * factor:.9g}"), source, date)
