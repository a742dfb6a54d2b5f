"""Editing JSON objects without decoding them: members are replaced, removed and added, every other byte stays."""

from core.scan import Malformed, top_level_spans

Span = tuple[int, int, int, int, int]  # index of the key, member start, value start, value end, member end
Cut = tuple[int, int, bytes]  # replace [start, end) by the bytes

METADATA = b"steelyard"
METADATA_KEYS = (METADATA,)


def apply(body: bytes, cuts: list[Cut]) -> bytes:
    """The body with every cut made. Cuts may come in any order and never overlap."""
    pieces: list[bytes] = []
    place = 0
    for start, end, new in sorted(cuts):
        pieces += (body[place:start], new)
        place = end
    pieces.append(body[place:])
    return b"".join(pieces)


def removals(body: bytes, spans: list[Span]) -> list[Cut]:
    """The cuts that take members out, each run of neighbours with the one comma that is too many then."""
    cuts: list[Cut] = []
    place = 0
    while place < len(spans):
        last = place
        while last + 1 < len(spans) and spans[last + 1][1] == spans[last][4] + 1:
            last += 1
        start, end = spans[place][1], spans[last][4]
        if body[end : end + 1] == b",":
            end += 1
        elif body[start - 1 : start] == b",":
            start -= 1
        cuts.append((start, end, b""))
        place = last + 1
    return cuts


def first_member(body: bytes, member: bytes) -> Cut:
    """The cut that adds `"name":value` at the beginning of an object."""
    place = body.index(b"{") + 1
    is_empty = body[place:].lstrip()[:1] == b"}"
    return place, place, member if is_empty else member + b","


def with_value(body: bytes, key: bytes, value: bytes) -> bytes:
    """The object with the value of every member `key` replaced, or with the member added."""
    spans = top_level_spans(body, (key,))
    if not spans:
        return apply(body, [first_member(body, b'"' + key + b'":' + value)])
    return apply(body, [(start, end, value) for _, _, start, end, _ in spans])


def without(body: bytes, keys: tuple[bytes, ...]) -> bytes:
    """The object without the members named in `keys`."""
    spans = top_level_spans(body, keys)
    return apply(body, removals(body, spans)) if spans else body


def attach(body: bytes, metadata: bytes) -> bytes:
    """The object with `"steelyard": metadata` as its last member, instead of one that another Steelyard left there."""
    if METADATA in body:
        body = without(body, METADATA_KEYS)
    end = body.rstrip().rfind(b"}")
    if end < 0:
        raise Malformed("only an object has room for metadata")
    comma = b"" if body[:end].rstrip().endswith(b"{") else b","
    return b"".join((body[:end], comma, b'"steelyard":', metadata, body[end:]))
