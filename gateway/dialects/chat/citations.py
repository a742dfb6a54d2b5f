"""Sources of a text: `annotations` of a message, and the bare lists that Perplexity and xAI put beside the choices."""

from collections.abc import Iterable

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.chat.words import DIALECT
from gateway.wire.conversation import Citation


class UrlCitation(Struct, frozen=True, gc=False):
    url: str = ""
    title: str | None = None
    start_index: int | None = None
    end_index: int | None = None
    content: str | None = None  # OpenRouter's: the cited words


class Annotation(Struct, frozen=True, gc=False):
    type: str = ""
    url_citation: UrlCitation | None = None


class SearchResult(Struct, frozen=True, gc=False):
    """Perplexity's."""

    url: str = ""
    title: str | None = None


ANNOTATION = msgspec.json.Decoder(Annotation)
LINKS = msgspec.json.Decoder(list[str])
SEARCH_RESULTS = msgspec.json.Decoder(list[SearchResult])


def read_annotations(annotations: Iterable[Raw]) -> list[Citation]:
    """Those of a kind that says where a text comes from; file paths and the like are none."""
    found = []
    for raw in annotations:
        try:
            annotation = ANNOTATION.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        source = annotation.url_citation
        if source is not None:
            title, quote = source.title or "", source.content or ""
            found.append(Citation(DIALECT, raw, source.url, title, quote, source.start_index, source.end_index))
    return found


def read_links(citations: Raw | bytes, search_results: Raw | bytes) -> list[Citation]:
    """The sources of a whole answer; nobody says which words they belong to."""
    try:
        results = SEARCH_RESULTS.decode(search_results) if search_results else []
        links = [] if results or not citations else [SearchResult(url) for url in LINKS.decode(citations)]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    sources = [UrlCitation(source.url, source.title or "", 0, 0) for source in results or links if source.url]
    return [Citation(DIALECT, annotation_raw(source), source.url, source.title or "") for source in sources]


def written(citation: Citation, place: int) -> Raw | None:
    """The annotation of a text; None for a source without an address. place: characters of the text before it."""
    if citation.origin == DIALECT:
        return citation.raw
    if not citation.url:
        return None
    start = place if citation.start is None else citation.start
    end = place if citation.end is None else citation.end
    return annotation_raw(UrlCitation(citation.url, citation.title, start, end, citation.quote or None))


def annotation_raw(source: UrlCitation) -> Raw:
    members = {
        "start_index": source.start_index,
        "end_index": source.end_index,
        "title": source.title,
        "url": source.url,
    }
    if source.content is not None:
        members["content"] = source.content
    return Raw(msgspec.json.encode({"type": "url_citation", "url_citation": members}))
