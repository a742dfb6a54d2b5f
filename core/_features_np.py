"""Features in plain Python: the definition that the compiled twin is held to."""

import re
from collections.abc import Iterator, Sequence

from core.text import (
    CODE_LINE_ENDS,
    CODE_MARK_EVERY,
    CODE_MARKS,
    CUE_OF_KEY,
    FIRST_BYTES,
    HEAD_CHARACTERS,
    KIND_OF_BYTE,
    LAST_BYTES,
    LONG_WORD_LETTERS,
    MATH_MARKS,
    PARTIAL_BYTES,
    TAIL_BYTES,
    TOKENS_PER,
    WHOLE_BYTES,
    WINDOW_BYTES,
    WINDOWS,
    WORD_KEY_LETTERS,
    Cue,
    Features,
    Kind,
    Term,
)

QUOTE, BACKSLASH = 0x22, 0x5C
UNICODE_ESCAPE = re.compile(rb"\\u([0-9a-fA-F]{4})")
PLAIN_LETTER = re.compile(rb"[A-Za-z]")
DATA_KEY = re.compile(rb'"data"\s?:\s?\Z')
BASE64_WITHIN_BYTES = 100  # ";base64," stands within so many bytes of "data:"
ESCAPED = {ord("n"): 0x0A, ord("t"): 0x20, ord("b"): 0x20, ord("f"): 0x20, ord("r"): 0x80}  # \r is no character
NON_LATIN = (Term.SCRIPT, Term.FAR_SCRIPT, Term.IDEOGRAM, Term.HANGUL, Term.ASTRAL)


def extract(texts: Sequence[bytes], focus: int = -1) -> Features:
    """Features of `texts`, each the raw JSON of one string, list of parts or tool schema.

    focus: index of the text that holds what the caller wants.
    """
    if texts and not -len(texts) <= focus < len(texts):
        raise IndexError(f"the focus is not one of the {len(texts)} texts")
    chosen = range(len(texts))[focus] if texts else 0
    groups = (texts[chosen : chosen + 1], [*texts[:chosen], *texts[chosen + 1 :]])
    if all(sum(map(len, group)) <= WHOLE_BYTES for group in groups):
        asked, others = map(_whole, groups)
    else:
        asked, others = map(_sampled, groups)
    characters = max(asked.characters, 1)
    return Features(
        text_bytes=asked.bytes + others.bytes,
        tokens=float(sum((asked.terms[term] + others.terms[term]) * TOKENS_PER[term] for term in Term)),
        lines=asked.breaks + others.breaks + len(texts),
        words=asked.words() + others.words(),
        context_code_share=(asked.code_characters + others.code_characters)
        / max(asked.characters + others.characters, 1),
        focus_characters=asked.characters,
        focus_words=asked.words(),
        code_share=asked.code_characters / characters,
        digit_share=asked.digits / characters,
        upper_share=asked.capitals / characters,
        non_latin_share=sum(asked.terms[term] for term in NON_LATIN) / characters,
        math_share=(asked.operators + sum(asked.symbols[mark] for mark in MATH_MARKS)) / characters,
        question_marks=asked.symbols[ord("?")],
        code_fences=asked.symbols[ord("`")] // 3,
        cues=tuple(asked.cues),
    )


def _whole(texts: Sequence[bytes]) -> "_Scan":
    """Every byte of the strings of `texts`."""
    scan = _Scan()
    for text in texts:
        quote = text.find(b'"')
        while quote >= 0:
            scan.terms[Term.STRING] += 1
            end = _base64_end(text, quote) if _is_base64(text, quote) else scan.read(text, quote + 1, len(text))
            quote = text.find(b'"', end + 1)
    return scan


def _sampled(texts: Sequence[bytes]) -> "_Scan":
    """The same, but for the middle of long texts, which is estimated from windows."""
    strings = [(text, start, end) for text in texts for start, end in _strings(text)]
    size = sum(end - start for _, start, end in strings if end >= start)
    if size <= WHOLE_BYTES:
        return _whole(texts)
    whole, windows, passed = _Scan(), _Scan(), 0
    for text, start, end in strings:
        whole.terms[Term.STRING] += 1
        for is_window, first, last in _pieces(start, max(start, end), passed, size):
            begin = first if first == start else _behind_partial(text, first, last)
            (windows if is_window else whole).read(text, begin, last)
        passed += max(0, end - start)
    whole.bytes = size
    if windows.bytes:
        whole.add(windows, (size - FIRST_BYTES - LAST_BYTES) / windows.bytes)
    return whole


def _strings(text: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each string; the end is before the start where it is base64, which is not read."""
    quote = text.find(b'"')
    while quote >= 0:
        end = _end_of_string(text, quote)
        yield quote + 1, -1 if _is_base64(text, quote) else end
        quote = text.find(b'"', end + 1)


def _pieces(start: int, end: int, passed: int, size: int) -> Iterator[tuple[bool, int, int]]:
    """What is read of the string from `start` to `end`, with `passed` of the group's `size` bytes before it."""
    between = size - FIRST_BYTES - LAST_BYTES
    stride = max(between // WINDOWS, WINDOW_BYTES)
    at = start
    while at < end:
        place = passed + at - start - FIRST_BYTES
        if place < 0:
            stop, is_read = at - place, True
        elif place >= between:
            stop, is_read = end, True
        else:
            within = place % stride
            is_read = within < WINDOW_BYTES
            stop = at + min((WINDOW_BYTES if is_read else stride) - within, between - place)
        stop = min(stop, end)
        if is_read:
            yield 0 <= place < between, at, stop
        at = stop


def _behind_partial(text: bytes, at: int, end: int) -> int:
    """Where the next whole word, number, character or escape begins."""
    last = min(end, at + PARTIAL_BYTES)
    if text[at - 1] == BACKSLASH:
        at += 1
    while at < last and KIND_OF_BYTE[text[at]] in (Kind.LETTER, Kind.DIGIT, Kind.NONE):
        at += 1
    return at


def _end_of_string(text: bytes, quote: int) -> int:
    """Where the string that opens at `quote` closes; the end of the text when it does not."""
    if quote == 0 and len(text) > 1 and text.endswith(b'"'):
        return len(text) - 1  # the text is one string
    at = text.find(b'"', quote + 1)
    while at >= 0:
        before = text[quote + 1 : at]
        if (len(before) - len(before.rstrip(b"\\"))) % 2 == 0:
            return at
        at = text.find(b'"', at + 1)
    return len(text)


def _base64_end(text: bytes, quote: int) -> int:
    end = text.find(b'"', quote + 1)
    return len(text) if end < 0 else end


def _is_base64(text: bytes, quote: int) -> bool:
    if text.startswith(b'"'):  # a plain string is text, whatever it looks like
        return False
    if text.startswith(b"data:", quote + 1):
        return b";base64," in text[quote : quote + BASE64_WITHIN_BYTES]
    return DATA_KEY.search(text, max(0, quote - 9), quote) is not None


class _Scan:
    """What was found in the strings that were read."""

    def __init__(self) -> None:
        self.terms = [0] * len(Term)
        self.symbols = [0] * 128
        self.cues = [0] * len(Cue)
        self.bytes = self.characters = self.breaks = self.digits = self.capitals = 0
        self.operators = self.code_characters = 0
        self._kind = Kind.NONE
        self._run = 0
        self._line_characters = self._line_marks = self._line_end = 0

    def words(self) -> int:
        terms = self.terms
        return terms[Term.WORD] + terms[Term.SCRIPT_RUN] + terms[Term.IDEOGRAM] + terms[Term.HANGUL]

    def add(self, seen: "_Scan", times: float) -> None:
        """Add `seen` so many times."""
        self.terms = [own + int(count * times) for own, count in zip(self.terms, seen.terms, strict=True)]
        self.symbols = [own + int(count * times) for own, count in zip(self.symbols, seen.symbols, strict=True)]
        self.characters += int(seen.characters * times)
        self.breaks += int(seen.breaks * times)
        self.digits += int(seen.digits * times)
        self.capitals += int(seen.capitals * times)
        self.operators += int(seen.operators * times)
        self.code_characters += int(seen.code_characters * times)

    def read(self, text: bytes, at: int, end: int) -> int:
        """Read a string from `at` on; where it closes, or `end`."""
        first = at
        while at < end and text[at] != QUOTE:
            byte = text[at]
            if byte == BACKSLASH:
                at = self._read_escape(text, at)
            elif PLAIN_LETTER.match(text, at):
                at = self._read_letters(text, at, end)
            else:
                self._take(byte, text[at + 1] if at + 1 < len(text) else 0)
                at += 1
        self.bytes += min(at, end) - first
        self._close_run()
        self._close_line()
        return at

    def _read_escape(self, text: bytes, at: int) -> int:
        unicode = UNICODE_ESCAPE.match(text, at)
        if unicode:
            lead, second = _utf8_start(int(unicode[1], 16))
            self._take(lead, second)
            return at + 6
        escaped = text[at + 1] if at + 1 < len(text) else BACKSLASH
        if escaped == BACKSLASH and PLAIN_LETTER.match(text, at + 2):
            self.operators += 1  # a LaTeX command, or something as seldom in prose
        self._take(ESCAPED.get(escaped, escaped if escaped < 0x80 else BACKSLASH), 0)
        return at + 2

    def _read_letters(self, text: bytes, at: int, end: int) -> int:
        start = at
        while at < end and PLAIN_LETTER.match(text, at):
            self._take(text[at], 0)
            at += 1
        if self.characters < HEAD_CHARACTERS or start >= len(text) - TAIL_BYTES:
            cue = CUE_OF_KEY.get(text[start:at][:WORD_KEY_LETTERS].lower().decode())
            if cue is not None:
                self.cues[cue] += 1
        return at

    def _take(self, lead: int, second: int) -> None:
        """One character, by the first two bytes of its UTF-8."""
        kind = Kind(KIND_OF_BYTE[lead])
        if kind is Kind.NONE:
            return
        if kind is not self._kind:
            self._close_run()
            self._kind = kind
        self._run += 1
        if kind is Kind.LETTER:
            self._take_letter(lead)
        elif kind is Kind.SYMBOL:
            self._take_symbol(lead)
        elif kind is Kind.TYPOGRAPHIC:
            self.operators += lead == 0xE2 and 0x88 <= second <= 0x8B  # U+2200 to U+22FF
        elif kind is Kind.BREAK:
            self.breaks += 1
            self._close_line()
        elif kind is Kind.DIGIT:
            self.digits += 1
        if kind not in (Kind.SPACE, Kind.BREAK):
            self._line_end = lead

    def _take_letter(self, lead: int) -> None:
        self.capitals += 0x41 <= lead <= 0x5A
        self.terms[Term.ACCENT] += lead >= 0x80

    def _take_symbol(self, byte: int) -> None:
        self.symbols[byte] += 1
        self._line_marks += byte in CODE_MARKS

    def _close_run(self) -> None:
        terms, run = self.terms, self._run
        self.characters += run
        if self._kind is not Kind.BREAK:
            self._line_characters += run
        match self._kind:
            case Kind.LETTER:
                terms[Term.WORD] += 1
                terms[Term.LONG_LETTER] += max(0, run - LONG_WORD_LETTERS)
            case Kind.DIGIT:
                terms[Term.DIGIT_GROUP] += (run + 2) // 3
            case Kind.SYMBOL:
                terms[Term.SYMBOL_RUN] += 1
                terms[Term.SYMBOL] += run
            case Kind.SPACE:
                terms[Term.GAP] += run > 1
            case Kind.BREAK:
                terms[Term.BREAK_RUN] += 1
            case Kind.SCRIPT:
                terms[Term.SCRIPT_RUN] += 1
                terms[Term.SCRIPT] += run
            case Kind.FAR_SCRIPT | Kind.TYPOGRAPHIC | Kind.IDEOGRAM | Kind.HANGUL | Kind.ASTRAL as kind:
                terms[Term[kind.name]] += run
        self._kind = Kind.NONE
        self._run = 0

    def _close_line(self) -> None:
        marks, length = self._line_marks, self._line_characters
        looks_like_code = self._line_end in CODE_LINE_ENDS or (marks >= 2 and marks * CODE_MARK_EVERY >= length)
        if looks_like_code and self._line_end:
            self.code_characters += length
        self._line_characters = self._line_marks = self._line_end = 0


def _utf8_start(codepoint: int) -> tuple[int, int]:
    """The first two bytes of a code point below U+10000; half a surrogate pair counts as one astral character."""
    if 0xD800 <= codepoint < 0xDC00:
        return 0xF0, 0
    if 0xDC00 <= codepoint < 0xE000:
        return 0x80, 0
    encoded = chr(codepoint).encode()
    return encoded[0], encoded[1] if len(encoded) > 1 else 0
