"""What is looked at in a text: kinds of characters, what each costs in tokens, the words that give a task away."""

from enum import IntEnum
from typing import NamedTuple

HEAD_CHARACTERS = 1500  # cue words are looked for in this much of the start of the focus,
TAIL_BYTES = 500  # and in this much of its end: people put what they want before or after the material
WORD_KEY_LETTERS = 8  # a cue is known by its first letters, lower case: "translat" covers translate, translation
LONG_WORD_LETTERS = 7  # longer runs of letters are usually more than one token

# The focus, and all other texts together, are read whole up to WHOLE_BYTES each. Of what is longer the beginning and
# the end are read, and windows at equal distances between, which stand for what lies between them: that takes the same
# time at any length. Over this repository's own files, 40 KB to 1 MB together, it adds an error of 1 %, at most 5 %, to
# an estimate whose own is 6 %.
WHOLE_BYTES = 20_480
FIRST_BYTES = 2_048
LAST_BYTES = 512
WINDOW_BYTES = 256
WINDOWS = 64
PARTIAL_BYTES = 32  # a window begins behind the word or number that it cuts, if that ends within so many bytes


class Kind(IntEnum):
    """What a character is, as far as tokens are concerned. Neighbours of one kind form a run."""

    NONE = 0  # continuation bytes; not a character
    SPACE = 1
    BREAK = 2  # line feed
    LETTER = 3  # Latin, with or without accents
    DIGIT = 4
    SYMBOL = 5  # the rest of ASCII
    SCRIPT = 6  # two bytes in UTF-8: Greek, Cyrillic, Hebrew, Arabic
    FAR_SCRIPT = 7  # three bytes: Devanagari, Thai and their neighbours
    TYPOGRAPHIC = 8  # dashes, quotes, arrows, mathematical operators
    IDEOGRAM = 9  # CJK and kana
    HANGUL = 10
    ASTRAL = 11  # beyond the basic plane: emoji, mostly


class Term(IntEnum):
    """What the token estimate counts, each with a weight in TOKENS_PER."""

    WORD = 0  # runs of letters
    LONG_LETTER = 1  # letters of a run beyond LONG_WORD_LETTERS
    ACCENT = 2  # letters of more than one byte
    DIGIT_GROUP = 3  # three digits or fewer
    SYMBOL_RUN = 4
    SYMBOL = 5
    GAP = 6  # runs of two or more spaces: indentation
    BREAK_RUN = 7
    SCRIPT_RUN = 8
    SCRIPT = 9
    FAR_SCRIPT = 10
    TYPOGRAPHIC = 11
    IDEOGRAM = 12
    HANGUL = 13
    ASTRAL = 14
    STRING = 15  # JSON strings: the quotes, colons and braces of a schema, the framing of a message


class Cue(IntEnum):
    """Groups of words that hint at a task."""

    CODE = 0
    EDIT = 1
    MATHEMATICS = 2
    REASONING = 3
    WRITING = 4
    SUMMARY = 5
    EXTRACTION = 6
    TRANSLATION = 7
    KNOWLEDGE = 8


class Features(NamedTuple):
    """A prompt in numbers. The focus is the text that the caller asks about last; shares are of its characters, 0-1."""

    text_bytes: int  # of all texts as JSON holds them, without base64 data
    tokens: float  # estimate over all texts; see TOKENS_PER for its error
    lines: int
    words: int
    context_code_share: float  # of all texts: characters on lines that look like code
    focus_characters: int
    focus_words: int
    code_share: float
    digit_share: float
    upper_share: float
    non_latin_share: float
    math_share: float  # operators, LaTeX commands
    question_marks: int
    code_fences: int  # ``` markers
    cues: tuple[int, ...]  # hits per Cue in head and tail of the focus


# Fitted by non-negative least squares to OpenAI's o200k_base on 2,386 texts: prompts of benchmarks and of users,
# Python, C, JavaScript, HTML and Markdown files, interface texts in 19 languages; STRING later on 152 tool schemas.
# On the half not fitted the median error is 6 % and nine texts in ten are within 18 %; the worst languages are Polish
# (-20 %) and Vietnamese (+20 %). It is an estimate in o200k tokens; `CatalogMatrix.token_ratio` takes it to other
# tokenizers. English and code come out alike in cl100k_base, other scripts need 1.2 to 2.5 times as many tokens there.
TOKENS_PER: dict[Term, float] = {
    Term.WORD: 0.92,
    Term.LONG_LETTER: 0.37,
    Term.ACCENT: 0.41,
    Term.DIGIT_GROUP: 1.79,  # the space before a number is a token of its own
    Term.SYMBOL_RUN: 0.56,
    Term.SYMBOL: 0.21,
    Term.GAP: 0.29,
    Term.BREAK_RUN: 0.64,
    Term.SCRIPT_RUN: 0.50,
    Term.SCRIPT: 0.27,
    Term.FAR_SCRIPT: 0.39,
    Term.TYPOGRAPHIC: 0.92,
    Term.IDEOGRAM: 0.78,
    Term.HANGUL: 0.68,
    Term.ASTRAL: 1.25,
    Term.STRING: 2.0,
}

CODE_MARKS = b"{}[]();=<>_|&"
CODE_LINE_ENDS = b"{};"
CODE_MARK_EVERY = 8  # a line with a code mark for every so many characters, and with two at least, looks like code
MATH_MARKS = b"^=+*/%$<>"


def _kind_of(byte: int) -> Kind:
    """The kind of the character that starts with this byte of UTF-8."""
    bounds = (
        (0xF0, Kind.ASTRAL),
        (0xEE, Kind.TYPOGRAPHIC),
        (0xEA, Kind.HANGUL),
        (0xE3, Kind.IDEOGRAM),
        (0xE2, Kind.TYPOGRAPHIC),
        (0xE0, Kind.FAR_SCRIPT),
        (0xC9, Kind.SCRIPT),
        (0xC3, Kind.LETTER),
        (0xC2, Kind.TYPOGRAPHIC),
        (0x80, Kind.NONE),
    )
    for bound, kind in bounds:
        if byte >= bound:
            return kind
    character = chr(byte)
    if character.isalpha():
        return Kind.LETTER
    if character.isdigit():
        return Kind.DIGIT
    if character == "\n":
        return Kind.BREAK
    return Kind.SPACE if byte <= 0x20 else Kind.SYMBOL


KIND_OF_BYTE = bytes(_kind_of(byte) for byte in range(256))

_CUE_WORDS: dict[Cue, str] = {
    Cue.CODE: """
        code coding function python javascript typescript java rust golang kotlin swift sql html css bash regex script
        program class algorithm api endpoint component implement compile def import return void const println printf
        dataframe dockerfile kubernetes leetcode webpage website cpp numpy pandas react
    """,
    Cue.EDIT: """
        fix bug debug refactor error exception traceback stacktra crash crashes broken optimize optimise rewrite
        modify patch diff lint migrate failing fails
    """,
    Cue.MATHEMATICS: """
        calculate compute solve equation integral derivati theorem proof prove polynomi probabil matrix algebra geometry
        triangle sum total altogether average product prime
        integer integers percent fraction sqrt frac calculus velocity mod divisible
    """,
    Cue.REASONING: """
        why reason reasoning logic logical deduce infer puzzle plan strategy analyze analyse compare evaluate argue
        tradeoffs decide therefore premise hypothes conclusi riddle clues
    """,
    Cue.WRITING: """
        write essay story poem email letter blog article novel draft lyrics song speech tweet slogan haiku screenpl
        dialogue caption headline rephrase paraphra tone fiction newslett advertis outline melody
    """,
    Cue.SUMMARY: """
        summary summarise summarize summariz summaris tldr condense digest abstract gist shorten recap zusammenf resume
        resumen resumir
    """,
    Cue.EXTRACTION: """
        extract classify categori label labels json csv table entities parse sentimen identify tag spam keywords columns
        yaml xml
    """,
    Cue.TRANSLATION: """
        translat traduire traduis traduci traduce uebersetz bersetze bersetz tradurre traduza
    """,
    Cue.KNOWLEDGE: """
        what who when where which whose capital history define definiti explain describe meaning difference
        invented discover country happened
    """,
}


def word_key(word: str) -> str:
    """What a word is looked up by."""
    return word[:WORD_KEY_LETTERS].lower()


CUE_OF_KEY: dict[str, Cue] = {word_key(word): cue for cue, words in _CUE_WORDS.items() for word in words.split()}
