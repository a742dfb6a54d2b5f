"""What of a prompt's wording is looked at: pieces of words, words and pairs of words, each known by a bucket.

A prompt is an opening (what the conversation begins with, when it is short enough to state a purpose) and a focus
(what was asked last). Both are brought to one form: escapes decoded, ASCII in lower case, every digit a 0, white space
one space. Of that text come all runs of 3 and of 4 bytes, all words, all pairs of neighbouring words, and once more
the first words of the focus, which say what to do more often than others. Each is hashed; only whether it is there
counts, not how often. The buckets' rows of a table of int8 are added up, one sum for the runs, one for the words.
"""

from typing import NamedTuple

HEAD_BYTES = 1500  # of the focus are read from its start
TAIL_BYTES = 500  # and from its end: people put what they want before or after the material
OPENING_BYTES = 600  # a longer opening is a manual, not a purpose, and is not read
RUNS = (3, 4)  # bytes
FIRST_WORDS = 3
BUCKETS = 1 << 15  # of the runs, and as many again of the words
COLUMNS = 16  # of the table: 12 answers, a mark for "seen in training", 3 unused, so that a row is 16 bytes

HASH_START = 2166136261  # FNV-1a, by Fowler, Noll and Vo: http://www.isthe.com/chongo/tech/comp/fnv/
HASH_STEP = 16777619
MIXER = 0x2C1B3C6D  # odd; spreads what FNV leaves in the upper bits
PAIR_STEP = 31
WORD_SALT, PAIR_SALT, FIRST_SALT, PLACE_SALT = 0x5BD1E995, 0x1B873593, 0x7F4A7C15, 0x9E37


class Sums(NamedTuple):
    """Rows of the table, added up."""

    runs: tuple[int, ...]  # [COLUMNS], over the distinct buckets of runs of bytes
    run_count: int  # of those buckets
    words: tuple[int, ...]  # [COLUMNS], over those of words, pairs and first words
    word_count: int
