"""Inputs without end: real bytes, damaged where a parser looks, and some that were never real.

The same seeds and the same number give the same inputs on every machine.
"""

import random
import re
from collections.abc import Iterator, Sequence

MOST_BYTES = 16_384
MOST_WORDS = 4_000  # of the seeds' own
TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|\{\}|\[\]|[\n:,{}\[\]]')
# What parsers have tripped over before: limits of numbers and of UTF-8, ends of lines, deep nests, words of formats.
WORDS = (
    *(b"null", b"true", b"false", b"{}", b"[]", b'""', b"0", b"-0", b"-1", b"1e999", b"-1e999", b"NaN", b"0.1"),
    *(b"2147483648", b"9223372036854775808", b"18446744073709551616", b"9" * 40, b"9" * 400, b"1" + b"0" * 5_000),
    *(b'"\\ud800"', b'"\\udfff\\ud800"', b'"\\u0000"', b'"\xff"', b'"\xc3"', b"\xed\xa0\x80", b"\x00"),
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b" ", b"\t", b"\x85", b"\xef\xbb\xbf", "\u2028é".encode()),
    *(b"data: ", b"data:", b"event: ", b"event: error\n", b": ", b"id: 1\n", b"retry: 0\n", b"data: [DONE]\n\n"),
    *(b"[" * 200, b"{" * 200, b'{"a":' * 200, b"]" * 50, b"}" * 50, b'[{"":' * 150),
    *(b'{"error":null}', b'{"error":{"message":"x"}}', b'{"type":"error"}', b'"' + b"a" * 300 + b'"', b"nan"),
    *(b"Infinity", b"-1s", b"1h2m", b"Mon, 23 Nov 2026 08:00:00 GMT", b"9999-12-31T23:59:59Z", b"&a ", b"*a", b"<<: "),
)  # fmt: skip


class Mutator:
    """Draws inputs. number: any; another one gives other inputs."""

    def __init__(self, seeds: Sequence[bytes], number: int) -> None:
        self._draw = random.Random(number)
        self._seeds = [seed[:MOST_BYTES] for seed in seeds]
        self._tokens = [[match.span() for match in TOKEN.finditer(seed)] for seed in self._seeds]
        own = {seed[start:end] for seed, spans in zip(self._seeds, self._tokens, strict=True) for start, end in spans}
        self._words = [*WORDS, *sorted(own)[:MOST_WORDS]]

    def inputs(self, count: int) -> Iterator[bytes]:
        """The seeds first, as they are, then as many others as make `count`."""
        yield from self._seeds[:count]
        for _ in range(count - len(self._seeds)):
            yield self._input()[:MOST_BYTES]

    def _input(self) -> bytes:
        dice = self._draw.random()
        if dice < 0.04:
            return self._made_up()
        place = self._draw.randrange(len(self._seeds))
        if dice < 0.65:
            return self._with_other_words(self._seeds[place], self._tokens[place])
        data = self._seeds[place]
        for _ in range(self._draw.choice((1, 1, 2, 3, 6))):
            data = self._damaged(data)
        return data

    def _with_other_words(self, seed: bytes, tokens: list[tuple[int, int]]) -> bytes:
        """Other values and names where values and names stand: what is still JSON, and wrong."""
        if not tokens:
            return self._damaged(seed)
        spans = sorted({self._draw.choice(tokens) for _ in range(self._draw.choice((1, 1, 1, 2, 3, 8)))})
        pieces, place = [], 0
        for start, end in spans:
            pieces += [seed[place:start], self._word(seed[start:end])]
            place = end
        return b"".join([*pieces, seed[place:]])

    def _word(self, old: bytes) -> bytes:
        """A word in the place of another, half of the time one that is text too where text was."""
        word: bytes = self._draw.choice(self._words)
        is_text = old.startswith(b'"') and not word.startswith(b'"')
        return b'"' + word + b'"' if is_text and self._draw.random() < 0.3 else word

    def _damaged(self, data: bytes) -> bytes:
        draw = self._draw
        start = draw.randrange(len(data) + 1)
        end = min(len(data), start + draw.choice((0, 1, 2, 8, 64, 1_000)))
        match draw.randrange(7):
            case 0:
                return data[:start] + bytes((draw.randrange(256),)) + data[start + 1 :]
            case 1:
                return data[:start] + data[end:]
            case 2:
                return data[:start] + draw.choice(self._words) + data[end:]
            case 3:
                return data[:end] + data[start:end] * draw.choice((1, 2, 20, 200)) + data[end:]
            case 4:
                return data[:start]
            case 5:
                other = draw.choice(self._seeds)
                return data[:start] + other[draw.randrange(len(other) + 1) :]
            case _:
                return data[end:] + data[:start]

    def _made_up(self) -> bytes:
        draw = self._draw
        if draw.random() < 0.3:
            return draw.randbytes(draw.randrange(300))
        if draw.random() < 0.3:
            return b"".join(draw.choice(self._words) for _ in range(draw.randrange(40)))
        return self._value(0)

    def _value(self, depth: int) -> bytes:
        """JSON, mostly."""
        draw = self._draw
        inner = range(draw.randrange(5))
        match draw.randrange(4) if depth < 6 else 0:
            case 1:
                return b"[" + b",".join(self._value(depth + 1) for _ in inner) + b"]"
            case 2 | 3:
                return b"{" + b",".join(self._name() + b":" + self._value(depth + 1) for _ in inner) + b"}"
            case _:
                word: bytes = draw.choice(self._words)
                return word

    def _name(self) -> bytes:
        word: bytes = self._draw.choice(self._words)
        return word if word.startswith(b'"') else b'"x"'
