"""Sums over a prompt's grams, compiled. `_grams_np` is the definition: the same rows, one pass, nothing allocated."""

from libc.stdint cimport int8_t, int32_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

import numpy

from core.grams import (
    BUCKETS as _BUCKETS,
    COLUMNS as _COLUMNS,
    FIRST_SALT as _FIRST_SALT,
    FIRST_WORDS as _FIRST_WORDS,
    HASH_START as _HASH_START,
    HASH_STEP as _HASH_STEP,
    HEAD_BYTES as _HEAD_BYTES,
    MIXER as _MIXER,
    OPENING_BYTES as _OPENING_BYTES,
    PAIR_SALT as _PAIR_SALT,
    PAIR_STEP as _PAIR_STEP,
    PLACE_SALT as _PLACE_SALT,
    RUNS as _RUNS,
    TAIL_BYTES as _TAIL_BYTES,
    WORD_SALT as _WORD_SALT,
    Sums,
)

cdef enum:
    BUCKETS = 32768
    SEEN_WORDS = 512        # of 64 bits: one bit a bucket
    COLUMNS = 16
    ROOM = 2816             # bytes: opening, head and tail, with the blanks around them
    HEAD_BYTES = 1500
    TAIL_BYTES = 500
    OPENING_BYTES = 600
    FIRST_WORDS = 3
    BACKSLASH = 0x5C
    BLANK = 0x20

if (_BUCKETS, _COLUMNS, _HEAD_BYTES, _TAIL_BYTES, _OPENING_BYTES, _FIRST_WORDS, _RUNS) != (
    BUCKETS, COLUMNS, HEAD_BYTES, TAIL_BYTES, OPENING_BYTES, FIRST_WORDS, (3, 4)
):
    raise ImportError("core._grams_cy reads other sizes than core.grams states; change both and the plain twin")

cdef uint32_t HASH_START = _HASH_START
cdef uint32_t HASH_STEP = _HASH_STEP
cdef uint32_t MIXER = _MIXER
cdef uint32_t PAIR_STEP = _PAIR_STEP
cdef uint32_t WORD_SALT = _WORD_SALT
cdef uint32_t PAIR_SALT = _PAIR_SALT
cdef uint32_t FIRST_SALT = _FIRST_SALT
cdef uint32_t PLACE_SALT = _PLACE_SALT

cdef struct Text:
    uint8_t letters[ROOM]
    Py_ssize_t size

cdef struct Tally:
    uint64_t seen[SEEN_WORDS]  # a bit for each row that was added
    int32_t sums[COLUMNS]
    int32_t count


cdef class Reader:
    """Adds up the rows of one table. table: [2 * BUCKETS, COLUMNS] int8, the runs' rows first."""

    cdef const int8_t[:, ::1] table

    def __init__(self, table):
        if table.shape != (2 * BUCKETS, COLUMNS) or table.dtype != numpy.int8:
            raise ValueError(
                f"grams: the table must be int8 [{2 * BUCKETS}, {COLUMNS}], not {table.dtype} {table.shape}"
            )
        self.table = numpy.ascontiguousarray(table)

    def read(self, bytes opening not None, bytes focus not None):
        """Sums for a prompt. opening, focus: raw JSON of a string; anything else is read as the text it is."""
        cdef Text text
        cdef Tally runs, words
        cdef Py_ssize_t asked
        text.size = 0
        put(&text, BLANK)
        write_opening(&text, opening, len(opening))
        put_blank(&text)
        asked = text.size
        write_focus(&text, focus, len(focus))
        put_blank(&text)
        memset(&runs, 0, sizeof(Tally))
        memset(&words, 0, sizeof(Tally))
        add_runs(&runs, &text, self.table)
        add_words(&words, &text, asked, self.table)
        return tuple.__new__(Sums, (listed(&runs), runs.count, listed(&words), words.count))


cdef tuple listed(const Tally* tally):
    cdef const int32_t* s = tally.sums
    return (s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10], s[11], s[12], s[13], s[14], s[15])


cdef inline void put(Text* text, uint8_t letter) noexcept nogil:
    text.letters[text.size] = letter
    text.size += 1


cdef inline void put_blank(Text* text) noexcept nogil:
    """A blank, unless there is one."""
    if text.letters[text.size - 1] != BLANK:
        put(text, BLANK)


cdef inline void put_plain(Text* text, uint8_t byte) noexcept nogil:
    """One byte in lower case, digits as 0, blanks once."""
    if byte <= BLANK:
        put_blank(text)
    elif 0x41 <= byte <= 0x5A:
        put(text, byte + 32)
    elif 0x30 <= byte <= 0x39:
        put(text, 0x30)
    else:
        put(text, byte)


cdef inline void put_codepoint(Text* text, uint32_t code) noexcept nogil:
    if code < 0x80:
        put_plain(text, <uint8_t> code)
    elif code < 0x800:
        put(text, <uint8_t> (0xC0 | code >> 6))
        put(text, <uint8_t> (0x80 | (code & 0x3F)))
    elif code < 0x10000:
        put(text, <uint8_t> (0xE0 | code >> 12))
        put(text, <uint8_t> (0x80 | (code >> 6 & 0x3F)))
        put(text, <uint8_t> (0x80 | (code & 0x3F)))
    else:
        put(text, <uint8_t> (0xF0 | code >> 18))
        put(text, <uint8_t> (0x80 | (code >> 12 & 0x3F)))
        put(text, <uint8_t> (0x80 | (code >> 6 & 0x3F)))
        put(text, <uint8_t> (0x80 | (code & 0x3F)))


cdef void write_opening(Text* text, const uint8_t* raw, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t start = content_start(raw, size), end = content_end(raw, size)
    if end - start <= OPENING_BYTES:
        write_plain(text, raw, start, end)


cdef void write_focus(Text* text, const uint8_t* raw, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t start = content_start(raw, size), end = content_end(raw, size)
    if end - start <= HEAD_BYTES + TAIL_BYTES:
        write_plain(text, raw, start, end)
    else:
        write_plain(text, raw, start, start + HEAD_BYTES)
        put_blank(text)
        write_plain(text, raw, end - TAIL_BYTES, end)


cdef inline Py_ssize_t content_start(const uint8_t* raw, Py_ssize_t size) noexcept nogil:
    return 1 if size > 0 and raw[0] == 0x22 else 0


cdef inline Py_ssize_t content_end(const uint8_t* raw, Py_ssize_t size) noexcept nogil:
    return max(size - 1, 1) if size > 0 and raw[0] == 0x22 else size


cdef void write_plain(Text* text, const uint8_t* raw, Py_ssize_t at, Py_ssize_t end) noexcept nogil:
    """`raw[at:end]`, with its escapes decoded; never longer than it was."""
    while at < end:
        if raw[at] == BACKSLASH:
            at = write_escape(text, raw, at, end)
        else:
            put_plain(text, raw[at])
            at += 1


cdef Py_ssize_t write_escape(Text* text, const uint8_t* raw, Py_ssize_t at, Py_ssize_t end) noexcept nogil:
    """What the escape at `at` stands for; the offset behind it."""
    cdef uint8_t escaped
    cdef int code, low
    if at + 1 >= end:
        return end
    escaped = raw[at + 1]
    if escaped == 0x75:  # u
        code = hexadecimal(raw, at + 2, end)
        if 0xD800 <= code < 0xDC00 and at + 7 < end and raw[at + 6] == BACKSLASH and raw[at + 7] == 0x75:
            low = hexadecimal(raw, at + 8, end)
            if 0xDC00 <= low < 0xE000:
                put_codepoint(text, 0x10000 + (<uint32_t> (code - 0xD800) << 10) + (low - 0xDC00))
                return at + 12
        if code >= 0:
            put_codepoint(text, BLANK if 0xD800 <= code < 0xE000 else code)
            return at + 6
    if escaped == 0x6E or escaped == 0x74 or escaped == 0x72 or escaped == 0x62 or escaped == 0x66:  # n, t, r, b, f
        put_blank(text)
    else:
        put_plain(text, escaped)
    return at + 2


cdef inline int hexadecimal(const uint8_t* raw, Py_ssize_t at, Py_ssize_t end) noexcept nogil:
    """The value of the four hexadecimal digits at `at`; -1 when there are none."""
    cdef int value = 0, digit
    cdef Py_ssize_t i
    if at + 4 > end:
        return -1
    for i in range(at, at + 4):
        if 0x30 <= raw[i] <= 0x39:
            digit = raw[i] - 0x30
        elif 0x61 <= (raw[i] | 0x20) <= 0x66:
            digit = (raw[i] | 0x20) - 0x57
        else:
            return -1
        value = value * 16 + digit
    return value


cdef inline void add(Tally* tally, uint32_t hashed, const int8_t[:, ::1] table, Py_ssize_t first_row) noexcept nogil:
    """The row of a gram, unless it is in already."""
    cdef uint32_t bucket
    cdef uint64_t bit
    cdef const int8_t* row
    cdef Py_ssize_t column
    hashed = (hashed ^ hashed >> 15) * MIXER
    bucket = (hashed ^ hashed >> 12) & (BUCKETS - 1)
    bit = <uint64_t> 1 << (bucket & 63)
    if tally.seen[bucket >> 6] & bit:
        return
    tally.seen[bucket >> 6] |= bit
    tally.count += 1
    row = &table[first_row + bucket, 0]
    for column in range(COLUMNS):
        tally.sums[column] += row[column]


cdef void add_runs(Tally* tally, const Text* text, const int8_t[:, ::1] table) noexcept nogil:
    cdef const uint8_t* letters = text.letters
    cdef uint32_t three, four
    cdef Py_ssize_t at
    for at in range(text.size - 2):
        three = (((HASH_START + 3 ^ letters[at]) * HASH_STEP ^ letters[at + 1]) * HASH_STEP ^ letters[at + 2]) * HASH_STEP
        add(tally, three, table, 0)
        if at + 3 < text.size:
            four = ((HASH_START + 4 ^ letters[at]) * HASH_STEP ^ letters[at + 1]) * HASH_STEP
            four = ((four ^ letters[at + 2]) * HASH_STEP ^ letters[at + 3]) * HASH_STEP
            add(tally, four, table, 0)


cdef void add_words(Tally* tally, const Text* text, Py_ssize_t asked, const int8_t[:, ::1] table) noexcept nogil:
    """Words, pairs, and the first words from `asked` on."""
    cdef uint32_t word = HASH_START, last = 0
    cdef bint inside = False, follows = False
    cdef uint32_t place = 0
    cdef Py_ssize_t at
    cdef uint8_t letter
    for at in range(text.size):
        letter = text.letters[at]
        if letter >= 0x80 or 0x61 <= letter <= 0x7A or letter == 0x30:
            word = (word ^ letter) * HASH_STEP
            inside = True
            continue
        if not inside:
            continue
        add(tally, word ^ WORD_SALT, table, BUCKETS)
        if follows:
            add(tally, last * PAIR_STEP + word ^ PAIR_SALT, table, BUCKETS)
        if at > asked and place < FIRST_WORDS:
            add(tally, word ^ FIRST_SALT ^ place * PLACE_SALT, table, BUCKETS)
            place += 1
        last = word
        follows = True
        word = HASH_START
        inside = False
