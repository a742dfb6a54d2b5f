"""Sums over a prompt's grams, with numpy: the definition that the compiled twin is held to."""

import itertools
import re

import numpy as np
from numpy.typing import NDArray

from core.grams import (
    BUCKETS,
    COLUMNS,
    FIRST_SALT,
    FIRST_WORDS,
    HASH_START,
    HASH_STEP,
    HEAD_BYTES,
    MIXER,
    OPENING_BYTES,
    PAIR_SALT,
    PAIR_STEP,
    PLACE_SALT,
    RUNS,
    TAIL_BYTES,
    WORD_SALT,
    Sums,
)
from core.matrix import U32

I8 = NDArray[np.int8]
MASK = 0xFFFFFFFF
QUOTE = b'"'
ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB]([0-9a-fA-F]{2})\\u[dD]([c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.)|\Z)", re.S
)
BLANKS = re.compile(rb"[\x00-\x20]+")
WORD = re.compile(rb"[a-z0\x80-\xff]+")
LOWER = bytes(byte + 32 if 65 <= byte <= 90 else 48 if 48 <= byte <= 57 else byte for byte in range(256))
ESCAPED_BLANKS = b"ntrbf"


class Reader:
    """Adds up the rows of one table. table: [2 * BUCKETS, COLUMNS] int8, the runs' rows first."""

    def __init__(self, table: I8) -> None:
        if table.shape != (2 * BUCKETS, COLUMNS) or table.dtype != np.int8:
            raise ValueError(
                f"grams: the table must be int8 [{2 * BUCKETS}, {COLUMNS}], not {table.dtype} {table.shape}"
            )
        self._table = np.ascontiguousarray(table)

    def read(self, opening: bytes, focus: bytes) -> Sums:
        """Sums for a prompt. opening, focus: raw JSON of a string; anything else is read as the text it is."""
        runs, words = buckets(opening, focus)
        return Sums(self._sum(runs), len(runs), self._sum(words), len(words))

    def _sum(self, rows: U32) -> tuple[int, ...]:
        return tuple(self._table[rows].sum(axis=0, dtype=np.int32).tolist())


def buckets(opening: bytes, focus: bytes) -> tuple[U32, U32]:
    """Distinct rows of the table that a prompt's runs of bytes have, and those of its words."""
    before, asked = _opening(opening), _focus(focus)
    text = b" " + b" ".join(part for part in (before, asked) if part) + b" "
    runs = np.concatenate([_runs(text, size) for size in RUNS])
    words = _words(before, asked)
    return np.unique(runs & np.uint32(BUCKETS - 1)), np.unique(words & np.uint32(BUCKETS - 1)) + np.uint32(BUCKETS)


def _opening(raw: bytes) -> bytes:
    content = _content(raw)
    return _plain(content) if len(content) <= OPENING_BYTES else b""


def _focus(raw: bytes) -> bytes:
    content = _content(raw)
    if len(content) <= HEAD_BYTES + TAIL_BYTES:
        return _plain(content)
    return (_plain(content[:HEAD_BYTES]) + b" " + _plain(content[-TAIL_BYTES:])).strip()


def _content(raw: bytes) -> bytes:
    return raw[1:-1] if raw.startswith(QUOTE) else raw


def _plain(content: bytes) -> bytes:
    """Without escapes, capitals, other digits than 0, and blanks but single ones."""
    return BLANKS.sub(b" ", ESCAPE.sub(_unescaped, content).translate(LOWER)).strip()


def _unescaped(match: re.Match[bytes]) -> bytes:
    high, low, code, other = match.groups()
    if high is not None:
        lead = int(match[0][2:6], 16) - 0xD800
        return chr(0x10000 + (lead << 10) + int(low, 16) - 0xC00).encode()
    if code is not None:
        codepoint = int(code, 16)
        return b" " if 0xD800 <= codepoint < 0xE000 else chr(codepoint).encode()
    if other is None:
        return b""
    return b" " if other in ESCAPED_BLANKS else other


def _runs(text: bytes, size: int) -> U32:
    """The hash of every run of `size` bytes."""
    letters = np.frombuffer(text, np.uint8).astype(np.uint32)
    count = max(len(letters) - size + 1, 0)
    hashes = np.full(count, HASH_START + size, np.uint32)
    for offset in range(size):
        hashes = (hashes ^ letters[offset : offset + count]) * np.uint32(HASH_STEP)
    return _mixed(hashes)


def _words(before: bytes, asked: bytes) -> U32:
    """The hashes of words, pairs of words, and first words of what is asked."""
    first = [_hash(word) for word in WORD.findall(asked)]
    words = [_hash(word) for word in WORD.findall(before)] + first
    singles = [word ^ WORD_SALT for word in words]
    pairs = [(left * PAIR_STEP + right) & MASK ^ PAIR_SALT for left, right in itertools.pairwise(words)]
    places = [word ^ FIRST_SALT ^ place * PLACE_SALT for place, word in enumerate(first[:FIRST_WORDS])]
    return _mixed(np.array(singles + pairs + places, np.uint32))


def _hash(word: bytes) -> int:
    found = HASH_START
    for byte in word:
        found = (found ^ byte) * HASH_STEP & MASK
    return found


def _mixed(hashes: U32) -> U32:
    hashes = (hashes ^ hashes >> np.uint32(15)) * np.uint32(MIXER)
    return hashes ^ hashes >> np.uint32(12)
