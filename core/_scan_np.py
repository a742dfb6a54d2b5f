"""Reading JSON just deep enough, in plain Python: the definition of `_scan_cy`.

Both twins are the same strict recursive descent over UTF-8 bytes. A reader takes the offset where something begins and
returns the offset behind it; `Malformed` ends the scan.
"""

import re

MAX_DEPTH = 64  # levels of nesting; what people send has less than 20
MORE, READ, ODD, HUGE = range(4)  # why `scan_frames` stopped

# `[{"index":0,"function":{"arguments":""}}]`, rounded up: what a fragment of a tool call carries around its text.
ENVELOPE_BYTES = 44

NOT_AN_OBJECT = "not a well-formed JSON object in UTF-8"
TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"

SPACE = re.compile(rb"[ \t\n\r]*")
STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
SCALAR = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")
ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
ESCAPED = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Malformed(ValueError):
    """The bytes are not the JSON that was expected."""


class Toll:
    """How many values a walk may pass."""

    __slots__ = ("most_values", "values_left")

    def __init__(self, most_values: int) -> None:
        self.most_values = self.values_left = most_values

    def pay(self, text: bytes, at: int) -> None:
        """For the value at `at`. What is wrong before it goes first."""
        self.values_left -= 1
        if self.values_left < 0:
            check_utf8(text[:at])
            raise Malformed(too_many(self.most_values))


def too_many(most_values: int) -> str:
    return f"more than {most_values:,} values in all"


def check_object(body: bytes, most_values: int) -> None:
    """Raise Malformed unless the body is one well-formed object in UTF-8, at most `MAX_DEPTH` levels deep.

    most_values: of members and elements on all levels together, what decoding the body has to be paid for.
    """
    at = skip_space(body, 0)
    if body[at : at + 1] != b"{":
        raise Malformed(NOT_AN_OBJECT)
    at = skip_container(body, at, 1, Toll(most_values))
    if skip_space(body, at) != len(body):
        raise Malformed(NOT_AN_OBJECT)
    check_utf8(body)


def top_level_spans(body: bytes, keys: tuple[bytes, ...]) -> list[tuple[int, int, int, int, int]]:
    """Where the members of a JSON object named in `keys` stand, in order, duplicates included.

    Each is (index of the key, member start, value start, value end, member end). Members tile the object: one starts
    right behind the `{` or `,` before it and ends at the `,` or `}` behind it. Escapes in names are understood, so none
    can hide. Raises Malformed unless the whole body is one object, well-formed, in UTF-8, at most 64 levels deep.
    """
    check_utf8(body)
    found: list[tuple[int, int, int, int, int]] = []
    at, closed = open_container(body, skip_space(body, 0), b"{")
    while not closed:
        start = at
        name_start, name_end, value = read_key(body, at)
        value_end = skip_value(body, value, 1)
        at, closed = next_item(body, value_end, b"}")
        name = body[name_start:name_end]
        name = unescape(name) if b"\\" in name else name
        if name in keys:
            found.append((keys.index(name), start, value, value_end, at - 1))
    if skip_space(body, at) != len(body):
        raise Malformed(NOT_AN_OBJECT)
    return found


def scan_frames(buffer: bytes, start: int, limit: int) -> tuple[int, int, int, int, int]:
    r"""Walk over the ordinary frames of a chat completion stream that begin at `start`.

    Returns (end, after, verdict, content frames, content bytes): `buffer[start:end]` may go out as it is. The verdict
    says what stands at `end`: MORE, the beginning of a frame or nothing; READ, a frame up to `after` that somebody must
    read; ODD, not of the shape `data: …\n\n`; HUGE, a frame longer than `limit` bytes.

    A frame is ordinary when it is well-formed and has at least one choice, but no finish, no usage and no error.
    """
    content_frames = content_bytes = 0
    while True:
        after, verdict = frame_end(buffer, start, limit)
        if verdict != READ:
            return start, start, verdict, content_frames, content_bytes
        size = ordinary_content(buffer[start + 6 : after - 2])
        if size < 0:
            return start, after, READ, content_frames, content_bytes
        content_frames += size > 0
        content_bytes += size
        start = after


def frame_end(buffer: bytes, start: int, limit: int) -> tuple[int, int]:
    """(offset behind the frame at `start`, READ), or (start, the reason why there is none)."""
    head = buffer[start : start + 6]
    if not b"data: ".startswith(head) or (len(head) < 6 and start + len(head) < len(buffer)):
        return start, ODD
    newline = buffer.find(b"\n", start)
    line_end = newline if newline >= 0 else len(buffer)
    if buffer.find(b"\r", start, line_end) >= 0:
        return start, ODD
    if newline < 0 or newline + 1 == len(buffer):
        return start, HUGE if len(buffer) - start > limit else MORE
    if buffer[newline + 1 : newline + 2] != b"\n":
        return start, ODD
    return (start, HUGE) if newline + 2 - start > limit else (newline + 2, READ)


def ordinary_content(frame: bytes) -> int:
    """Bytes of content in an ordinary frame, roughly; -1 when the frame is not ordinary."""
    try:
        check_utf8(frame)
        return read_frame(frame)
    except Malformed:
        return -1


def read_frame(frame: bytes) -> int:
    size = 0
    has_choices = False
    at, closed = open_container(frame, skip_space(frame, 0), b"{")
    while not closed:
        key, value = plain_key(frame, at)
        if key == b"choices":
            has_choices = True
            more, at = read_choices(frame, value)
            size += more
        else:
            at = skip_value(frame, value, 1)
            if key in (b"error", b"usage") and frame[value:at] != b"null":
                raise Malformed(key.decode())
        at, closed = next_item(frame, at, b"}")
    if skip_space(frame, at) != len(frame) or not has_choices:
        raise Malformed(NOT_AN_OBJECT)
    return size


def read_choices(frame: bytes, at: int) -> tuple[int, int]:
    size = 0
    at, closed = open_container(frame, at, b"[")
    if closed:
        raise Malformed("no choices")
    while not closed:
        more, at = read_choice(frame, skip_space(frame, at))
        size += more
        at, closed = next_item(frame, at, b"]")
    return size, at


def read_choice(frame: bytes, at: int) -> tuple[int, int]:
    size = 0
    at, closed = open_container(frame, at, b"{")
    while not closed:
        key, value = plain_key(frame, at)
        if key == b"delta" and frame[value : value + 1] == b"{":
            more, at = read_delta(frame, value)
            size += more
        else:
            at = skip_value(frame, value, 3)
            if key == b"delta" and frame[value:at] != b"null":
                raise Malformed("delta")
            if key == b"finish_reason" and frame[value:at] not in (b"null", b'""'):
                raise Malformed("finish")
            if key == b"error" and frame[value:at] != b"null":
                raise Malformed("error")
        at, closed = next_item(frame, at, b"}")
    return size, at


def read_delta(frame: bytes, at: int) -> tuple[int, int]:
    """The largest member counts: some providers say the same text under two names."""
    size = 0
    at, closed = open_container(frame, at, b"{")
    while not closed:
        key, value = plain_key(frame, at)
        at = skip_value(frame, value, 4)
        if key != b"role":
            size = max(size, content_size(frame, value, at))
        at, closed = next_item(frame, at, b"}")
    return size, at


def content_size(frame: bytes, start: int, end: int) -> int:
    """Bytes of text in a value; 0 for an empty one, a number or a literal."""
    first = frame[start : start + 1]
    if first == b'"':
        return end - start - 2
    if first not in (b"[", b"{") or frame[skip_space(frame, start + 1) : end] in (b"]", b"}"):
        return 0
    return max(end - start - ENVELOPE_BYTES, 1)


def plain_key(text: bytes, at: int) -> tuple[bytes, int]:
    """The name of the member at `at` and where its value begins. A name with an escape in it is somebody else's job."""
    name_start, name_end, value = read_key(text, at)
    key = text[name_start:name_end]
    if b"\\" in key:
        raise Malformed("escaped name")
    return key, value


def read_key(text: bytes, at: int) -> tuple[int, int, int]:
    """Start and end of the name, without quotes, and start of the value."""
    start = skip_space(text, at)
    end = skip_string(text, start)
    colon = skip_space(text, end)
    if text[colon : colon + 1] != b":":
        raise Malformed(NOT_AN_OBJECT)
    return start + 1, end - 1, skip_space(text, colon + 1)


def skip_value(text: bytes, at: int, depth: int, toll: Toll | None = None) -> int:
    """The offset behind the value at `at`, which lies in `depth` containers."""
    first = text[at : at + 1]
    if first == b'"':
        return skip_string(text, at)
    if first in (b"{", b"["):
        return skip_container(text, at, depth + 1, toll)
    match = SCALAR.match(text, at)
    if match is None:
        raise Malformed(NOT_AN_OBJECT)
    return match.end()


def skip_container(text: bytes, at: int, depth: int, toll: Toll | None) -> int:
    if depth > MAX_DEPTH:
        raise Malformed(TOO_DEEP)
    opener = text[at : at + 1]
    at, closed = open_container(text, at, opener)
    while not closed:
        if toll is not None:
            toll.pay(text, at)
        value = read_key(text, at)[2] if opener == b"{" else skip_space(text, at)
        at, closed = next_item(text, skip_value(text, value, depth, toll), b"}" if opener == b"{" else b"]")
    return at


def open_container(text: bytes, at: int, opener: bytes) -> tuple[int, bool]:
    """Enter the container at `at`: (offset of its first item, False), or (offset behind it, True) when it is empty."""
    if text[at : at + 1] != opener:
        raise Malformed(NOT_AN_OBJECT)
    first = skip_space(text, at + 1)
    is_empty = text[first : first + 1] == (b"}" if opener == b"{" else b"]")
    return (first + 1, True) if is_empty else (at + 1, False)


def next_item(text: bytes, at: int, closer: bytes) -> tuple[int, bool]:
    """Step over the comma behind an item, (offset, False), or the closer, (offset, True)."""
    at = skip_space(text, at)
    mark = text[at : at + 1]
    if mark not in (b",", closer):
        raise Malformed(NOT_AN_OBJECT)
    return at + 1, mark == closer


def skip_string(text: bytes, at: int) -> int:
    match = STRING.match(text, at)
    if match is None:
        raise Malformed(NOT_AN_OBJECT)
    return match.end()


def skip_space(text: bytes, at: int) -> int:
    match = SPACE.match(text, at)
    return match.end() if match else at


def check_utf8(text: bytes) -> None:
    if text.isascii():
        return
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise Malformed(NOT_AN_OBJECT) from error


def unescape(name: bytes) -> bytes:
    """The name that the escapes of `name` spell. Half a surrogate pair spells a name that nobody asks for."""
    plain = ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else ESCAPED[match[2]], name.decode())
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
