"""Features, compiled. `_features_np` is the definition: the same rules, nothing allocated."""

from libc.string cimport memchr, memcmp, memset
from libc.stdint cimport uint8_t, uint64_t

from core.text import (
    CODE_LINE_ENDS as _CODE_LINE_ENDS,
    CODE_MARK_EVERY as _CODE_MARK_EVERY,
    CODE_MARKS as _CODE_MARKS,
    CUE_OF_KEY,
    FIRST_BYTES as _FIRST_BYTES,
    HEAD_CHARACTERS as _HEAD_CHARACTERS,
    KIND_OF_BYTE,
    LAST_BYTES as _LAST_BYTES,
    LONG_WORD_LETTERS as _LONG_WORD_LETTERS,
    MATH_MARKS as _MATH_MARKS,
    PARTIAL_BYTES as _PARTIAL_BYTES,
    TAIL_BYTES as _TAIL_BYTES,
    TOKENS_PER,
    WHOLE_BYTES as _WHOLE_BYTES,
    WINDOW_BYTES as _WINDOW_BYTES,
    WINDOWS as _WINDOWS,
    WORD_KEY_LETTERS as _WORD_KEY_LETTERS,
    Cue,
    Features,
    Kind,
    Term,
)

cdef enum:  # core.text.Kind, as C constants
    NONE, SPACE, BREAK, LETTER, DIGIT, SYMBOL, SCRIPT, FAR_SCRIPT, TYPOGRAPHIC, IDEOGRAM, HANGUL, ASTRAL
    KINDS

cdef enum:  # core.text.Term
    T_WORD, T_LONG_LETTER, T_ACCENT, T_DIGIT_GROUP, T_SYMBOL_RUN, T_SYMBOL, T_GAP, T_BREAK_RUN, T_SCRIPT_RUN, T_SCRIPT
    T_FAR_SCRIPT, T_TYPOGRAPHIC, T_IDEOGRAM, T_HANGUL, T_ASTRAL, T_STRING
    TERMS

cdef enum:
    CUES = 9
    CUE_SLOTS = 1024        # over twice the number of cue words, so that a probe ends soon
    CODE_MARK = 1           # bits of MARKS
    MATH_MARK = 2
    CODE_LINE_END = 4
    BASE64_WITHIN_BYTES = 100
    LONG_BYTES = 1_048_576  # finding the quotes in this much takes 0.1 ms: worth letting other threads run meanwhile
    QUOTE = 0x22
    BACKSLASH = 0x5C

if len(Kind) != KINDS or len(Term) != TERMS or len(Cue) != CUES:
    raise ImportError("core._features_cy counts other things than core.text lists; change both and the plain twin")

cdef enum:  # what a raw byte starts, where it is not the run of its Kind
    ESCAPE = 12
    CLOSING = 13
    LONGER = 14             # a character of several bytes

cdef struct Scan:
    int runs[KINDS]
    int characters_of[KINDS]
    int longer_runs[KINDS]  # runs of two characters or more
    int symbols[256]        # each symbol's count
    int cues[CUES]
    int strings
    int long_letters
    int accents
    int digit_groups
    int operators           # from U+2200 to U+22FF, and commands of LaTeX
    int capitals
    int code_characters
    int kind                # of the run that is open
    int run                 # its length
    int line_characters
    int line_marks
    int line_end            # first byte of the line's last visible character, 0 when there is none
    Py_ssize_t bytes
    Py_ssize_t characters   # of the runs that are closed

cdef struct Group:          # the focus, or all other texts
    Py_ssize_t size         # bytes of its strings, without base64, when it is not read whole
    Py_ssize_t passed       # of these, so far
    Scan whole              # of what is read byte for byte
    Scan windows            # of what stands for more than itself

cdef uint8_t KIND[256]
cdef uint8_t START[256]     # the same for bytes of text as they stand, with ESCAPE, CLOSING and LONGER
cdef uint8_t MARKS[256]
cdef double WEIGHT[TERMS]
cdef uint64_t CUE_KEYS[CUE_SLOTS]
cdef uint8_t CUE_VALUES[CUE_SLOTS]
cdef long long HEAD_CHARACTERS = _HEAD_CHARACTERS
cdef long long TAIL_BYTES = _TAIL_BYTES
cdef int LONG_WORD_LETTERS = _LONG_WORD_LETTERS
cdef int CODE_MARK_EVERY = _CODE_MARK_EVERY
cdef long long WORD_KEY_LETTERS = _WORD_KEY_LETTERS
cdef Py_ssize_t WHOLE_BYTES = _WHOLE_BYTES
cdef Py_ssize_t FIRST_BYTES = _FIRST_BYTES
cdef Py_ssize_t LAST_BYTES = _LAST_BYTES
cdef Py_ssize_t WINDOW_BYTES = _WINDOW_BYTES
cdef Py_ssize_t WINDOWS = _WINDOWS
cdef Py_ssize_t PARTIAL_BYTES = _PARTIAL_BYTES


cdef inline Py_ssize_t cue_slot(uint64_t key) noexcept nogil:
    """The slot that holds `key`, or the free one where it belongs."""
    cdef Py_ssize_t slot = (key * <uint64_t> 0x9E3779B97F4A7C15) >> 54  # the golden ratio spreads; 10 bits are left
    while CUE_KEYS[slot] != 0 and CUE_KEYS[slot] != key:
        slot = (slot + 1) & (CUE_SLOTS - 1)
    return slot


cdef inline uint64_t word_key(const uint8_t* word, Py_ssize_t length) noexcept nogil:
    """The first letters of a word, lower case, one byte each."""
    cdef uint64_t key = 0
    cdef Py_ssize_t i
    for i in range(min(length, WORD_KEY_LETTERS)):
        key |= <uint64_t> (word[i] | 0x20) << (8 * i)
    return key


cdef _fill_tables():
    cdef Py_ssize_t slot
    for byte in range(256):
        KIND[byte] = KIND_OF_BYTE[byte]
        START[byte] = KIND[byte] if byte < 0x80 else LONGER
        MARKS[byte] = (
            CODE_MARK * (byte in _CODE_MARKS) | MATH_MARK * (byte in _MATH_MARKS) | CODE_LINE_END * (byte in _CODE_LINE_ENDS)
        )
    START[BACKSLASH] = ESCAPE
    START[QUOTE] = CLOSING
    for term, weight in TOKENS_PER.items():
        WEIGHT[<int> term] = weight
    if 2 * len(CUE_OF_KEY) > CUE_SLOTS or _WORD_KEY_LETTERS > 8:
        raise ImportError("core._features_cy: too many cue words for CUE_SLOTS, or keys of more than 8 letters")
    for word, cue in CUE_OF_KEY.items():
        letters = word.encode()
        slot = cue_slot(word_key(letters, len(letters)))
        CUE_KEYS[slot] = word_key(letters, len(letters))
        CUE_VALUES[slot] = cue


_fill_tables()


def extract(texts, Py_ssize_t focus=-1):
    """Features of `texts`, each the raw JSON of one string, list of parts or tool schema.

    focus: index of the text that holds what the caller wants.
    """
    cdef Group groups[2]
    cdef Group* asked = &groups[0]
    cdef Group* others = &groups[1]
    cdef Py_ssize_t i, count = len(texts)
    if focus < 0:
        focus += count
    if count and not 0 <= focus < count:
        raise IndexError(f"the focus is not one of the {count} texts")
    memset(groups, 0, sizeof(groups))
    for i in range(count):
        (asked if i == focus else others).size += len(<bytes> texts[i])
    if asked.size > WHOLE_BYTES or others.size > WHOLE_BYTES:
        asked.size = others.size = 0
        for i in range(count):
            measure(asked if i == focus else others, texts[i])
    for i in range(count):
        read(asked if i == focus else others, texts[i])
    complete(asked)
    complete(others)
    return tuple.__new__(Features, (
        asked.whole.bytes + others.whole.bytes,
        tokens(&asked.whole) + tokens(&others.whole),
        asked.whole.characters_of[BREAK] + others.whole.characters_of[BREAK] + count,
        words(&asked.whole) + words(&others.whole),
        (asked.whole.code_characters + others.whole.code_characters)
        / <double> max(asked.whole.characters + others.whole.characters, 1),
    ) + figures_of_focus(&asked.whole))


cdef inline void measure(Group* group, bytes text):
    cdef const uint8_t* start = text
    cdef Py_ssize_t size = len(text)
    if size < LONG_BYTES:
        group.size += string_bytes(start, size)
    else:
        with nogil:
            group.size += string_bytes(start, size)


cdef inline void read(Group* group, bytes text):
    cdef const uint8_t* start = text
    cdef Py_ssize_t size = len(text)
    if group.size <= WHOLE_BYTES:
        scan_text(&group.whole, start, size)
    elif size < LONG_BYTES:
        sample_text(group, start, size)
    else:
        with nogil:
            sample_text(group, start, size)


cdef tuple figures_of_focus(const Scan* scan):
    """The fields of Features from `focus_characters` on."""
    cdef double characters = max(scan.characters, 1)
    cdef int math_marks = scan.operators, symbol
    cdef const int* of = scan.characters_of
    for symbol in range(128):
        if MARKS[symbol] & MATH_MARK:
            math_marks += scan.symbols[symbol]
    return (
        scan.characters,
        words(scan),
        scan.code_characters / characters,
        of[DIGIT] / characters,
        scan.capitals / characters,
        (of[SCRIPT] + of[FAR_SCRIPT] + of[IDEOGRAM] + of[HANGUL] + of[ASTRAL]) / characters,
        math_marks / characters,
        scan.symbols[0x3F],        # ?
        scan.symbols[0x60] // 3,   # `
        (scan.cues[0], scan.cues[1], scan.cues[2], scan.cues[3], scan.cues[4],
         scan.cues[5], scan.cues[6], scan.cues[7], scan.cues[8]),
    )


cdef inline double tokens(const Scan* scan) noexcept nogil:
    cdef const int* of = scan.characters_of
    return (
        scan.runs[LETTER] * WEIGHT[T_WORD]
        + scan.long_letters * WEIGHT[T_LONG_LETTER]
        + scan.accents * WEIGHT[T_ACCENT]
        + scan.digit_groups * WEIGHT[T_DIGIT_GROUP]
        + scan.runs[SYMBOL] * WEIGHT[T_SYMBOL_RUN]
        + of[SYMBOL] * WEIGHT[T_SYMBOL]
        + scan.longer_runs[SPACE] * WEIGHT[T_GAP]
        + scan.runs[BREAK] * WEIGHT[T_BREAK_RUN]
        + scan.runs[SCRIPT] * WEIGHT[T_SCRIPT_RUN]
        + of[SCRIPT] * WEIGHT[T_SCRIPT]
        + of[FAR_SCRIPT] * WEIGHT[T_FAR_SCRIPT]
        + of[TYPOGRAPHIC] * WEIGHT[T_TYPOGRAPHIC]
        + of[IDEOGRAM] * WEIGHT[T_IDEOGRAM]
        + of[HANGUL] * WEIGHT[T_HANGUL]
        + of[ASTRAL] * WEIGHT[T_ASTRAL]
        + scan.strings * WEIGHT[T_STRING]
    )


cdef inline long long words(const Scan* scan) noexcept nogil:
    return scan.runs[LETTER] + scan.runs[SCRIPT] + scan.characters_of[IDEOGRAM] + scan.characters_of[HANGUL]


cdef void scan_text(
    Scan* scan,            # OUT, zeroed by the caller
    const uint8_t* text,   # IN [size] raw JSON
    Py_ssize_t size,
) noexcept nogil:
    """Read every string of `text`; what stands between them is punctuation, counted per string."""
    cdef Py_ssize_t at = 0
    cdef const uint8_t* quote
    while at < size:
        quote = <const uint8_t*> memchr(text + at, QUOTE, size - at)
        if quote == NULL:
            return
        at = read_string(scan, text, quote - text, size)


cdef Py_ssize_t read_string(Scan* scan, const uint8_t* text, Py_ssize_t quote, Py_ssize_t size) noexcept nogil:
    """Read the string that opens at `quote`; the offset behind its closing quote."""
    cdef const uint8_t* closing
    scan.strings += 1
    if is_base64(text, quote, size):
        closing = <const uint8_t*> memchr(text + quote + 1, QUOTE, size - quote - 1)
        return size if closing == NULL else closing - text + 1
    return read_piece(scan, text, quote + 1, size, size) + 1


cdef Py_ssize_t read_piece(
    Scan* scan, const uint8_t* text, Py_ssize_t at, Py_ssize_t end, Py_ssize_t size
) noexcept nogil:
    """Read a string from `at` on; where it closes, or `end`."""
    cdef Py_ssize_t first = at, start
    cdef uint8_t kind
    while at < end:
        kind = START[text[at]]
        start = at
        if kind <= SYMBOL:
            while at < end and START[text[at]] == kind:
                at += 1
            take_run(scan, kind, text, start, at, size)
        elif kind == LONGER:
            take(scan, text[at], text[at + 1] if at + 1 < size else 0)
            at += 1
        elif kind == ESCAPE:
            at = read_escape(scan, text, at, size)
        else:
            break
    scan.bytes += min(at, end) - first
    close_run(scan)
    close_line(scan)
    return at


cdef Py_ssize_t string_bytes(const uint8_t* text, Py_ssize_t size) noexcept nogil:
    """Bytes of the strings in `text`, without base64."""
    cdef Py_ssize_t quote = next_quote(text, 0, size), end, total = 0
    while quote < size:
        end = end_of_string(text, quote, size)
        if not is_base64(text, quote, size):
            total += end - quote - 1
        quote = next_quote(text, end + 1, size)
    return total


cdef void sample_text(Group* group, const uint8_t* text, Py_ssize_t size) noexcept nogil:
    """Read of every string of `text` what its place in the group says."""
    cdef Py_ssize_t quote = next_quote(text, 0, size), end
    while quote < size:
        end = end_of_string(text, quote, size)
        group.whole.strings += 1
        if not is_base64(text, quote, size):
            sample_string(group, text, quote + 1, end, size)
        quote = next_quote(text, end + 1, size)


cdef void sample_string(
    Group* group, const uint8_t* text, Py_ssize_t start, Py_ssize_t end, Py_ssize_t size
) noexcept nogil:
    """Read of the string `text[start:end]` what its place in the group says."""
    cdef Py_ssize_t between = group.size - FIRST_BYTES - LAST_BYTES
    cdef Py_ssize_t stride = max(between // WINDOWS, WINDOW_BYTES)
    cdef Py_ssize_t at = start, place, within, stop
    cdef Scan* scan
    while at < end:
        place = group.passed + at - start - FIRST_BYTES
        within = place % stride if place >= 0 else 0
        scan = &group.windows
        if place < 0:
            scan, stop = &group.whole, at - place
        elif place >= between:
            scan, stop = &group.whole, end
        elif within < WINDOW_BYTES:
            stop = at + min(WINDOW_BYTES - within, between - place)
        else:
            at += min(stride - within, between - place)
            continue
        stop = min(stop, end)
        read_piece(scan, text, at if at == start else behind_partial(text, at, stop), stop, size)
        at = stop
    group.passed += end - start


cdef inline Py_ssize_t behind_partial(const uint8_t* text, Py_ssize_t at, Py_ssize_t end) noexcept nogil:
    """Where the next whole word, number, character or escape begins."""
    cdef Py_ssize_t last = min(end, at + PARTIAL_BYTES)
    cdef uint8_t kind
    if text[at - 1] == BACKSLASH:
        at += 1
    while at < last:
        kind = KIND[text[at]]
        if kind != LETTER and kind != DIGIT and kind != NONE:
            break
        at += 1
    return at


cdef void complete(Group* group) noexcept nogil:
    """Add to what was read whole what the windows stand for."""
    cdef Scan* whole = &group.whole
    cdef const Scan* seen = &group.windows
    cdef double times
    cdef int i
    if group.size <= WHOLE_BYTES:
        return
    whole.bytes = group.size
    if seen.bytes == 0:
        return
    times = (group.size - FIRST_BYTES - LAST_BYTES) / <double> seen.bytes
    for i in range(KINDS):
        whole.runs[i] += <int> (seen.runs[i] * times)
        whole.characters_of[i] += <int> (seen.characters_of[i] * times)
        whole.longer_runs[i] += <int> (seen.longer_runs[i] * times)
    for i in range(128):
        whole.symbols[i] += <int> (seen.symbols[i] * times)
    whole.long_letters += <int> (seen.long_letters * times)
    whole.accents += <int> (seen.accents * times)
    whole.digit_groups += <int> (seen.digit_groups * times)
    whole.operators += <int> (seen.operators * times)
    whole.capitals += <int> (seen.capitals * times)
    whole.code_characters += <int> (seen.code_characters * times)
    whole.characters += <Py_ssize_t> (seen.characters * times)


cdef inline Py_ssize_t next_quote(const uint8_t* text, Py_ssize_t at, Py_ssize_t size) noexcept nogil:
    """The next quote from `at` on; `size` when there is none."""
    cdef const uint8_t* quote
    if at >= size:
        return size
    quote = <const uint8_t*> memchr(text + at, QUOTE, size - at)
    return size if quote == NULL else quote - text


cdef inline Py_ssize_t end_of_string(const uint8_t* text, Py_ssize_t quote, Py_ssize_t size) noexcept nogil:
    """Where the string that opens at `quote` closes; `size` when it does not."""
    cdef Py_ssize_t at, before
    if quote == 0 and text[size - 1] == QUOTE and size > 1:
        return size - 1  # the text is one string
    at = next_quote(text, quote + 1, size)
    while at < size:
        before = at
        while text[before - 1] == BACKSLASH:
            before -= 1
        if (at - before) % 2 == 0:
            return at
        at = next_quote(text, at + 1, size)
    return size


cdef inline bint is_plain_letter(uint8_t byte) noexcept nogil:
    return <uint8_t> ((byte | 0x20) - 0x61) < 26


cdef inline bint is_base64(const uint8_t* text, Py_ssize_t quote, Py_ssize_t size) noexcept nogil:
    """Is the string that opens at `quote` a data URL, or the value of the key "data", within a list of parts?"""
    cdef Py_ssize_t at, last
    if quote == 0 or text[0] == QUOTE:
        return False
    if size - quote > 5 and memcmp(text + quote + 1, b"data:", 5) == 0:
        last = min(quote + BASE64_WITHIN_BYTES, size) - 8
        for at in range(quote, last + 1):
            if text[at] == 0x3B and memcmp(text + at, b";base64,", 8) == 0:
                return True
        return False
    at = skip_space_before(text, quote)
    if at == 0 or text[at - 1] != 0x3A:
        return False
    at = skip_space_before(text, at - 1)
    return at >= 6 and memcmp(text + at - 6, b'"data"', 6) == 0


cdef inline Py_ssize_t skip_space_before(const uint8_t* text, Py_ssize_t at) noexcept nogil:
    """Step back over one character of white space, if there is one."""
    if at > 0 and (text[at - 1] == 0x20 or 0x09 <= text[at - 1] <= 0x0D):
        return at - 1
    return at


cdef Py_ssize_t read_escape(Scan* scan, const uint8_t* text, Py_ssize_t at, Py_ssize_t size) noexcept nogil:
    """Read the escape at `at`; the offset behind it."""
    cdef uint8_t escaped = text[at + 1] if at + 1 < size else BACKSLASH
    cdef int codepoint
    if escaped == 0x75:  # u
        codepoint = hexadecimal(text, at + 2, size)
        if codepoint >= 0:
            take_codepoint(scan, codepoint)
            return at + 6
    if escaped == 0x6E:  # n
        take(scan, 0x0A, 0)
    elif escaped == 0x74 or escaped == 0x62 or escaped == 0x66:  # t, b, f
        take(scan, 0x20, 0)
    elif escaped != 0x72:  # r is no character
        if escaped == BACKSLASH and at + 2 < size and is_plain_letter(text[at + 2]):
            scan.operators += 1  # a LaTeX command, or something as seldom in prose
        take(scan, escaped if escaped < 0x80 else BACKSLASH, 0)
    return at + 2


cdef inline int hexadecimal(const uint8_t* text, Py_ssize_t at, Py_ssize_t size) noexcept nogil:
    """The value of the four hexadecimal digits at `at`; -1 when there are none."""
    cdef int value = 0, digit
    cdef Py_ssize_t i
    if at + 4 > size:
        return -1
    for i in range(at, at + 4):
        if 0x30 <= text[i] <= 0x39:
            digit = text[i] - 0x30
        elif 0x61 <= (text[i] | 0x20) <= 0x66:
            digit = (text[i] | 0x20) - 0x57
        else:
            return -1
        value = value * 16 + digit
    return value


cdef inline void take_codepoint(Scan* scan, int codepoint) noexcept nogil:
    """One character below U+10000; half a surrogate pair counts as one astral character."""
    if codepoint < 0x80:
        take(scan, codepoint, 0)
    elif codepoint < 0x800:
        take(scan, 0xC0 | codepoint >> 6, 0x80 | (codepoint & 0x3F))
    elif not 0xD800 <= codepoint < 0xE000:
        take(scan, 0xE0 | codepoint >> 12, 0x80 | (codepoint >> 6 & 0x3F))
    elif codepoint < 0xDC00:
        take(scan, 0xF0, 0)


cdef inline void take_run(
    Scan* scan, uint8_t kind, const uint8_t* text, Py_ssize_t start, Py_ssize_t end, Py_ssize_t size
) noexcept nogil:
    """The bytes `text[start:end]`, all ASCII and of one kind."""
    cdef Py_ssize_t i, slot
    open_run(scan, kind)
    scan.run += <int> (end - start)
    if kind == LETTER:
        for i in range(start, end):
            scan.capitals += text[i] < 0x5B
        if scan.characters < HEAD_CHARACTERS or start >= size - TAIL_BYTES:
            slot = cue_slot(word_key(text + start, end - start))
            if CUE_KEYS[slot] != 0:
                scan.cues[CUE_VALUES[slot]] += 1
    elif kind == SYMBOL:
        for i in range(start, end):
            scan.symbols[text[i]] += 1
            scan.line_marks += MARKS[text[i]] & CODE_MARK
    elif kind == BREAK:
        close_line(scan)
    if kind > BREAK:
        scan.line_end = text[end - 1]


cdef inline void take(Scan* scan, uint8_t lead, uint8_t second) noexcept nogil:
    """One character, by the first two bytes of its UTF-8."""
    cdef uint8_t kind = KIND[lead]
    if kind == NONE:
        return
    if lead < 0x80 and kind == LETTER:
        scan.capitals += lead < 0x5B
    open_run(scan, kind)
    scan.run += 1
    if kind == BREAK:
        close_line(scan)
    elif kind == SYMBOL:
        scan.symbols[lead] += 1
        scan.line_marks += MARKS[lead] & CODE_MARK
    elif kind == LETTER:
        scan.accents += lead >= 0x80
    elif kind == TYPOGRAPHIC:
        scan.operators += lead == 0xE2 and 0x88 <= second <= 0x8B  # U+2200 to U+22FF
    if kind > BREAK:
        scan.line_end = lead


cdef inline void open_run(Scan* scan, uint8_t kind) noexcept nogil:
    """Go on with a run of `kind`, after closing one of another kind."""
    if kind != scan.kind:
        close_run(scan)
        scan.kind = kind


cdef inline void close_run(Scan* scan) noexcept nogil:
    cdef int run = scan.run, kind = scan.kind
    scan.runs[kind] += 1
    scan.characters_of[kind] += run
    scan.longer_runs[kind] += run > 1
    scan.characters += run
    scan.line_characters += run if kind != BREAK else 0
    if kind == LETTER:
        scan.long_letters += run - LONG_WORD_LETTERS if run > LONG_WORD_LETTERS else 0
    elif kind == DIGIT:
        scan.digit_groups += (run + 2) // 3
    scan.kind = NONE
    scan.run = 0


cdef inline void close_line(Scan* scan) noexcept nogil:
    cdef int marks = scan.line_marks, length = scan.line_characters
    if scan.line_end != 0 and (
        MARKS[scan.line_end] & CODE_LINE_END or (marks >= 2 and marks * CODE_MARK_EVERY >= length)
    ):
        scan.code_characters += length
    scan.line_characters = 0
    scan.line_marks = 0
    scan.line_end = 0
