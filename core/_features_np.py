"""Features in plain Python: the definition that the compiled twin is held to."""

import re
from collections.abc import Sequence

from core.text import (
    CODE_LINE_ENDS,
    CODE_MARK_EVERY,
    CODE_MARKS,
    CUE_OF_KEY,
    HEAD_CHARACTERS,
    KIND_OF_BYTE,
    LONG_WORD_LETTERS,
    MATH_MARKS,
    TAIL_BYTES,
    TOKENS_PER,
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


def extract(texts: Sequence[bytes], focus: int = -1) -> Features:
    """Features of `texts`, each the raw JSON of one string, list of parts or tool schema.

    focus: index of the text that holds what the caller wants.
    """
    scans = [_Scan(text) for text in texts]
    asked = scans[focus] if scans else _Scan(b"")
    characters = max(asked.characters, 1)
    return Features(
        text_bytes=sum(scan.bytes for scan in scans),
        tokens=float(sum(sum(scan.terms[term] for scan in scans) * TOKENS_PER[term] for term in Term)),
        lines=sum(scan.breaks + 1 for scan in scans),
        words=sum(scan.words() for scan in scans),
        context_code_share=sum(scan.code_characters for scan in scans) / max(sum(scan.characters for scan in scans), 1),
        focus_characters=asked.characters,
        focus_words=asked.words(),
        code_share=asked.code_characters / characters,
        digit_share=asked.digits / characters,
        upper_share=asked.capitals / characters,
        non_latin_share=asked.non_latin / characters,
        math_share=asked.math_marks / characters,
        question_marks=asked.question_marks,
        code_fences=asked.backticks // 3,
        cues=tuple(asked.cues),
    )


class _Scan:
    """One pass over one text."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.terms = [0] * len(Term)
        self.cues = [0] * len(Cue)
        self.bytes = self.characters = self.breaks = self.digits = self.capitals = self.non_latin = 0
        self.math_marks = self.question_marks = self.backticks = self.code_characters = 0
        self._kind = Kind.NONE
        self._run = 0
        self._line_characters = self._line_marks = self._line_end = 0
        at = 0
        while (at := text.find(b'"', at)) >= 0:
            at = self._read_string(at)

    def words(self) -> int:
        terms = self.terms
        return terms[Term.WORD] + terms[Term.SCRIPT_RUN] + terms[Term.IDEOGRAM] + terms[Term.HANGUL]

    def _read_string(self, quote: int) -> int:
        """Read the JSON string that opens at `quote`; the offset behind its closing quote."""
        text, at = self.text, quote + 1
        self.terms[Term.STRING] += 1
        if self._is_base64(quote):
            end = text.find(b'"', at)
            return len(text) if end < 0 else end + 1
        while at < len(text) and text[at] != QUOTE:
            start, byte = at, text[at]
            if byte == BACKSLASH:
                at = self._read_escape(at)
            elif PLAIN_LETTER.match(text, at):
                at = self._read_letters(at)
            else:
                self._take(byte, text[at + 1] if at + 1 < len(text) else 0)
                at += 1
            self.bytes += min(at, len(text)) - start
        self._close_run()
        self._close_line()
        return at + 1

    def _is_base64(self, quote: int) -> bool:
        text = self.text
        if text.startswith(b'"'):  # a plain string is text, whatever it looks like
            return False
        if text.startswith(b"data:", quote + 1):
            return b";base64," in text[quote : quote + BASE64_WITHIN_BYTES]
        return DATA_KEY.search(text, max(0, quote - 9), quote) is not None

    def _read_escape(self, at: int) -> int:
        text = self.text
        unicode = UNICODE_ESCAPE.match(text, at)
        if unicode:
            lead, second = _utf8_start(int(unicode[1], 16))
            self._take(lead, second)
            return at + 6
        escaped = text[at + 1] if at + 1 < len(text) else BACKSLASH
        if escaped == BACKSLASH and PLAIN_LETTER.match(text, at + 2):
            self.math_marks += 1  # a LaTeX command, or something as seldom in prose
        self._take(ESCAPED.get(escaped, escaped if escaped < 0x80 else BACKSLASH), 0)
        return at + 2

    def _read_letters(self, at: int) -> int:
        end = at
        while PLAIN_LETTER.match(self.text, end):
            self._take(self.text[end], 0)
            end += 1
        if self.characters < HEAD_CHARACTERS or at >= len(self.text) - TAIL_BYTES:
            cue = CUE_OF_KEY.get(self.text[at:end][:WORD_KEY_LETTERS].lower().decode())
            if cue is not None:
                self.cues[cue] += 1
        return end

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
            self.math_marks += lead == 0xE2 and 0x88 <= second <= 0x8B  # U+2200 to U+22FF
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
        self._line_marks += byte in CODE_MARKS
        self.math_marks += byte in MATH_MARKS
        self.question_marks += byte == ord("?")
        self.backticks += byte == ord("`")

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
        if self._kind >= Kind.SCRIPT and self._kind is not Kind.TYPOGRAPHIC:
            self.non_latin += run
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
