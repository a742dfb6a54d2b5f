"""No key of ours in a good answer, whole or in pieces: a provider that repeats what it was sent is answered with ***.

A whole answer is searched for the keys as JSON writes them. In a stream a key may come in pieces, a few characters in
each event. One search per block of events, for a text that ends like a key begins, finds most blocks innocent; one
that is not is only remembered, until a text begins as the key goes on. From there all is read, event by event, until
the likeness ends. What looks like a key beyond its first characters is held back until it is one, or is none.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec
from msgspec import Struct

from gateway.providers.redact import STARS

SHORTEST_GUARDED = 12  # characters; shorter "keys" are words such as EMPTY, which local servers are given
MOST_SHOWN = 16  # characters of a key that may go out before it is known for one: "sk-ant-api03-" is no secret
OPENING = 8  # characters of a key by which the quick search knows it
MOST_SUSPECTS = 8  # blocks, after which a piece is not gone on with: as many choices may come by turns
MOST_HELD = 256 * 2**10  # bytes; nobody needs as much to tell a key from something else
LOOKS = tuple(map(re.compile, ("[a-z]", "[A-Z]", "[0-9]", r"^[\w+/=.~-]{16,}$")))  # all of them: a random value
TELLING = re.compile("auth|key|token|secret|cookie|password|credential", re.IGNORECASE)  # names of headers

VALUE_ENDS = rb'"\s*[,}\]]'
# The members in which the callers' formats, and the compatible family with its thoughts, spread a text over events.
VALUE = re.compile(
    rb'"(content|text|delta|arguments|partial_json|input|refusal|thinking|reasoning|reasoning_content|reasoning_text)"'
    rb'\s*:\s*"((?:[^"\\]|\\.)*)"'
)
INDEX = re.compile(rb'index"\s*:\s*(\d+)')
LINE = re.compile(rb"[^\n]*\n?")

Place = tuple[bytes, ...]  # a member's name, and every index in its event: where pieces continue each other
Span = tuple[int, int]  # bytes of the whole stream


class Likeness(NamedTuple):
    """What the texts at one place end with: the beginning of a key, and where it stands."""

    text: bytes
    spans: tuple[Span, ...]
    is_long: bool  # more than may be shown


class Guarded(Struct, eq=False):
    """What no answer of a provider may repeat. is_told: somebody has been alerted that one did."""

    texts: tuple[str, ...]
    is_told: bool = False


class Keys(NamedTuple):
    """Keys to look for, prepared."""

    written: tuple[bytes, ...]  # as they stand in JSON, the longest first
    opening: re.Pattern[bytes]  # how each begins, or less of it at the end of a value

    def goes_on(self, hit: bytes) -> bytes:
        """The characters that a key may go on with if this, at the end of a value, began one; b"" when it is long."""
        start = hit.rpartition(b'"')[0]
        if not start or hit in {key[:OPENING] for key in self.written}:
            return b""
        return bytes(sorted({key[len(start)] for key in self.written if key.startswith(start)}))

    def redact(self, body: bytes) -> bytes:
        """The body with *** in the place of every key; the very same object when there is none."""
        for key in self.written:
            if key in body:
                body = body.replace(key, STARS.encode())
        return body


@lru_cache(maxsize=256)  # one entry per provider, and a few per login whose tokens change
def prepared(keys: tuple[str, ...]) -> Keys | None:
    """None when there is nothing to look for."""
    long = [key for key in keys if len(key) >= SHORTEST_GUARDED]
    written = {form for key in long for form in (quoted(key), quoted(key).replace(b"/", rb"\/"))}
    if not written:
        return None
    ordered = tuple(sorted(written, key=len, reverse=True))
    return Keys(ordered, re.compile(beginnings(ordered, OPENING)))


@lru_cache(maxsize=256)
def value_with(characters: bytes) -> Callable[[bytes], object]:
    """A search for a member's text that begins with one of these. The character comes first: it is the rarest."""
    one = b"[" + re.escape(characters) + b"]"
    return re.compile(one + rb'(?<=[:\s]"' + one + rb")").search


def secret_headers(headers: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The values of those that are named or look like a secret, without the word in front: `Bearer …`.

    Not all of them: an answer may well speak of a team or a site that the operator's headers name.
    """
    words = ((name, value.rpartition(" ")[2]) for name, value in headers)
    return tuple(word for name, word in words if TELLING.search(name) or all(look.search(word) for look in LOOKS))


def quoted(key: str) -> bytes:
    """As JSON writes it inside its quotes."""
    return msgspec.json.encode(key)[1:-1]


def beginnings(keys: Iterable[bytes], depth: int) -> bytes:
    """A pattern: the first `depth` characters of a key, or fewer at the end of a value."""
    rests: dict[bytes, list[bytes]] = {}
    for key in keys:
        rests.setdefault(key[:1], []).append(key[1:])
    if depth == 1:
        return b"|".join(map(re.escape, rests))
    return b"|".join(
        re.escape(first) + b"(?:" + VALUE_ENDS + b"|" + beginnings(rest, depth - 1) + b")"
        for first, rest in rests.items()
    )


class KeyGuard:
    """One stream's: `pass_on` all that goes to the caller, `flush` at its end. has_found: a key was in it."""

    def __init__(self, keys: Keys) -> None:
        self.has_found = False
        self._keys = keys
        self._hits: Callable[[bytes], list[bytes]] = keys.opening.findall
        self._goes_on = lru_cache(maxsize=64)(keys.goes_on)
        self._suspects: deque[tuple[int, bytes]] = deque(maxlen=MOST_SUSPECTS)  # blocks, by their place in the stream
        self._patience = 0  # blocks until the suspects are let go
        self._marks = b""  # the characters that a value may begin with to go on from one of them
        self._continues: Callable[[bytes], object] = keys.opening.search
        self._like: dict[Place, Likeness] = {}
        self._held = b""
        self._sent = 0  # bytes of the stream that have gone out, as they came
        self._cuts: list[tuple[int, int, bytes]] = []  # of what is held

    def pass_on(self, block: bytes) -> bytes:
        """What of it may go out now, behind what was held. block: whole events in the caller's format."""
        if self._like:
            return self._examined(block)
        if self._marks:
            if self._continues(block):
                return self._examined(block)
            self._patience -= 1
            if self._patience == 0:
                self._acquit()
        for hit in self._hits(block):
            marks = self._goes_on(hit)
            if not marks or value_with(marks)(block):
                return self._examined(block)
            self._patience = MOST_SUSPECTS
            if marks not in self._marks:
                self._marks += marks
                self._continues = value_with(self._marks)
            if not self._suspects or self._suspects[-1][0] != self._sent:
                self._suspects.append((self._sent, block))
        self._sent += len(block)
        return block

    def flush(self) -> bytes:
        """What is held. The beginning of a key is none the better for its lacking end."""
        for likeness in self._like.values():
            if likeness.is_long:
                self._cut(likeness.spans)
        self._like.clear()
        return self._released(self._sent + len(self._held))

    def _examined(self, block: bytes) -> bytes:
        for begins_at, suspect in self._suspects:
            self._read(suspect, begins_at)
        self._acquit()
        start = self._sent + len(self._held)
        self._held += block
        self._read(block, start)
        if len(self._held) > MOST_HELD:
            return self.flush()
        until = start + len(block)
        held = (span[0] for one in self._like.values() if one.is_long for span in one.spans if span[0] >= self._sent)
        return self._released(min(held, default=until))

    def _acquit(self) -> None:
        self._suspects.clear()
        self._marks = b""

    def _read(self, block: bytes, start: int) -> None:
        for found in LINE.finditer(block):
            if self._like or self._hits(found[0]):
                self._read_line(found[0], start + found.start())

    def _read_line(self, line: bytes, start: int) -> None:
        for value in VALUE.finditer(line):
            place = (value[1], *INDEX.findall(line))
            before = self._like.pop(place, None)
            spans: tuple[Span, ...] = ((start + value.start(2), start + value.end(2)),)
            text = value[2]
            if before is not None:
                text, spans = before.text + text, before.spans + spans
            self._search(place, text, spans)

    def _search(self, place: Place, text: bytes, spans: tuple[Span, ...]) -> None:
        """Cut every whole key out of a text, and remember the place when it ends like one begins."""
        done = 0
        while (found := first_of(self._keys.written, text, done)) is not None:
            self._cut(within(spans, *found))
            done = found[1]
        at, key = ending_like(self._keys.written, text, done)
        if key:
            shown = min(MOST_SHOWN, len(key) // 4)
            self._like[place] = Likeness(text[at:], within(spans, at, len(text)), len(text) - at > shown)

    def _cut(self, spans: Sequence[Span]) -> None:
        """*** for the first of them that has not gone out, nothing for the others."""
        self.has_found = True
        stars = STARS.encode()
        for start, end in spans:
            if end > self._sent:
                self._cuts.append((start, end, stars))
                stars = b""

    def _released(self, until: int) -> bytes:
        """The held bytes up to there, with what was cut out of them."""
        pieces: list[bytes] = []
        place = self._sent
        due = sorted(cut for cut in self._cuts if cut[0] < until)
        for start, end, stars in due:
            pieces += (self._held[place - self._sent : start - self._sent], stars)
            place = end
        pieces.append(self._held[place - self._sent : until - self._sent])
        self._cuts = [cut for cut in self._cuts if cut[0] >= until]
        self._held = self._held[until - self._sent :]
        self._sent = until
        out = b"".join(pieces)
        clean = self._keys.redact(out)  # what is no member's value: a name, an item of a list
        self.has_found = self.has_found or clean is not out
        return clean


def first_of(keys: Iterable[bytes], text: bytes, start: int) -> Span | None:
    """Where the first whole key in the text stands."""
    found = [(place, -len(key)) for key in keys if (place := text.find(key, start)) >= 0]
    return (min(found)[0], min(found)[0] - min(found)[1]) if found else None


def ending_like(keys: Iterable[bytes], text: bytes, start: int) -> tuple[int, bytes]:
    """Where the longest end of the text begins that is a key's beginning, and that key; b"" when there is none."""
    best, its_key = len(text), b""
    for key in keys:
        place = text.find(key[:1], max(start, len(text) - len(key) + 1))
        while 0 <= place < best:
            if key.startswith(text[place:]):
                best, its_key = place, key
            place = text.find(key[:1], place + 1)
    return best, its_key


def within(spans: Iterable[Span], start: int, end: int) -> tuple[Span, ...]:
    """The parts of the spans that hold the characters from `start` to `end` of their texts put together."""
    parts: list[Span] = []
    passed = 0
    for first, last in spans:
        size = last - first
        low, high = max(start - passed, 0), min(end - passed, size)
        if low < high:
            parts.append((first + low, first + high))
        passed += size
    return tuple(parts)
