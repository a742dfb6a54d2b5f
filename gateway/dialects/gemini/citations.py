"""Sources of a text: Google's grounding and citation metadata, and ours.

Google counts bytes of UTF-8, we count characters.
"""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Raw

from gateway.dialects.gemini.media import DIALECT
from gateway.dialects.gemini.names import encoded
from gateway.dialects.gemini.schema import NOTHING, Wire
from gateway.wire.conversation import Citation


class Source(Wire, frozen=True):
    uri: str | None = None
    title: str | None = None


class GroundingChunk(Wire, frozen=True):
    """A web page, a place on a map or a document of the caller's."""

    web: Source | None = None
    maps: Source | None = None
    retrieved_context: Source | None = None


class Segment(Wire, frozen=True):
    start_index: int | None = None
    end_index: int | None = None
    text: str | None = None


class GroundingSupport(Wire, frozen=True):
    segment: Segment | None = None
    grounding_chunk_indices: list[int] | None = None


class GroundingMetadata(Wire, frozen=True):
    grounding_chunks: list[GroundingChunk] | None = None
    grounding_supports: list[GroundingSupport] | None = None


class CitationSource(Wire, frozen=True):
    start_index: int | None = None
    end_index: int | None = None
    uri: str | None = None
    title: str | None = None


class CitationMetadata(Wire, frozen=True):
    citation_sources: list[CitationSource] | None = None
    citations: list[CitationSource] | None = None  # what Vertex calls them


GROUNDING = msgspec.json.Decoder(GroundingMetadata)
CITATIONS = msgspec.json.Decoder(CitationMetadata)


def read_grounding(raw: Raw, text: str) -> Iterator[Citation]:
    """One for each source of each supported passage, and one for each source that supports none. text: said so far."""
    if bytes(raw) in NOTHING:
        return
    try:
        told = GROUNDING.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    chunks = told.grounding_chunks or []
    used: set[int] = set()
    for support in told.grounding_supports or ():
        segment = support.segment or Segment()
        start, end = characters(text, segment.start_index, segment.end_index)
        for index in support.grounding_chunk_indices or ():
            if 0 <= index < len(chunks):
                used.add(index)
                yield citation(chunks[index], segment.text or "", start, end)
    for index, chunk in enumerate(chunks):
        if index not in used:
            yield citation(chunk, "", None, None)


def read_citations(raw: Raw, text: str) -> Iterator[Citation]:
    """What was recited."""
    if bytes(raw) in NOTHING:
        return
    try:
        told = CITATIONS.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    for source in told.citation_sources or told.citations or ():
        start, end = characters(text, source.start_index, source.end_index)
        yield Citation(DIALECT, encoded(source), source.uri or "", source.title or "", start=start, end=end)


def citation(chunk: GroundingChunk, quote: str, start: int | None, end: int | None) -> Citation:
    source = chunk.web or chunk.maps or chunk.retrieved_context or Source()
    return Citation(DIALECT, encoded(chunk), source.uri or "", source.title or "", quote, start, end)


def characters(text: str, start: int | None, end: int | None) -> tuple[int | None, int | None]:
    """Places in bytes to places in characters. Google leaves a start of 0 out."""
    if end is None:
        return None, None
    start = start or 0
    if not text.isascii():
        spelled = text.encode()
        start, end = (len(spelled[:place].decode(errors="ignore")) for place in (start, end))
    return start, end


def write_grounding(citations: Iterable[Citation], text: str) -> GroundingMetadata | None:
    """Each source once, each passage with its sources. text: the whole answer."""
    chunks: dict[tuple[str, str], int] = {}
    supports: dict[tuple[str, int | None, int | None], list[int]] = {}
    for told in citations:
        index = chunks.setdefault((told.url, told.title), len(chunks))
        if told.quote or told.end is not None:
            supports.setdefault((told.quote, told.start, told.end), []).append(index)
    if not chunks:
        return None
    return GroundingMetadata(
        [GroundingChunk(web=Source(url or None, title or None)) for url, title in chunks],
        [GroundingSupport(segment(text, *place), indices) for place, indices in supports.items()] or None,
    )


def segment(text: str, quote: str, start: int | None, end: int | None) -> Segment:
    places = [None if place is None else len(text[:place].encode()) for place in (start, end)]
    return Segment(places[0], places[1], quote or None)
