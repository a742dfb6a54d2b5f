"""Reading JSON just deep enough, compiled. `_scan_np` is its definition: the same strict descent, function for function.

A reader takes a pointer to where something begins and returns a pointer behind it, NULL when the JSON is broken. Strings are
skipped eight bytes at a time. Nothing is allocated until a member has been found.
"""

from cpython.pyport cimport PY_SSIZE_T_MAX
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy

from core._scan_np import HUGE as PY_HUGE, MAX_DEPTH as PY_MAX_DEPTH, MORE as PY_MORE, NOT_AN_OBJECT, ODD as PY_ODD
from core._scan_np import ENVELOPE_BYTES as PY_ENVELOPE_BYTES, Malformed, READ as PY_READ, TOO_DEEP, too_many, unescape

cdef enum:
    MAX_DEPTH = 64
    ENVELOPE_BYTES = 44
    MORE = 0
    READ = 1
    ODD = 2
    HUGE = 3
    LONG_BYTES = 262_144  # this much takes 0.1 ms or so: worth letting other threads run meanwhile

if (MAX_DEPTH, ENVELOPE_BYTES, MORE, READ, ODD, HUGE) != (
    PY_MAX_DEPTH, PY_ENVELOPE_BYTES, PY_MORE, PY_READ, PY_ODD, PY_HUGE
):
    raise ImportError("core._scan_cy and core._scan_np disagree about a constant; change both")

ctypedef const uint8_t* Text

cdef struct Name:
    Text start
    Text end
    bint escaped

cdef struct Toll:  # what a walk may still cost, and why it has ended
    Py_ssize_t values_left
    bint too_deep
    bint too_many

cdef Toll NO_TOLL = Toll(PY_SSIZE_T_MAX, False, False)

cdef uint64_t ONES = 0x0101010101010101
cdef uint64_t HIGH = 0x8080808080808080

cdef uint8_t[256] IS_ESCAPE  # may this byte stand behind a backslash?


cdef _fill_tables():
    for byte in range(256):
        IS_ESCAPE[byte] = byte in b'"\\/bfnrt'


_fill_tables()


def check_object(bytes body not None, Py_ssize_t most_values):
    """Raise Malformed unless the body is one well-formed object; see `_scan_np.check_object`. Long ones without the GIL."""
    cdef Text base = body
    cdef Text end = base + len(body)
    cdef Text at
    cdef Toll toll = NO_TOLL
    toll.values_left = most_values
    if len(body) < LONG_BYTES:
        at = skip_object(base, end, &toll)
    else:
        with nogil:
            at = skip_object(base, end, &toll)
    if toll.too_deep:
        raise Malformed(TOO_DEEP)
    if toll.too_many:
        raise Malformed(too_many(most_values))
    if at != end:
        raise Malformed(NOT_AN_OBJECT)


cdef Text skip_object(Text at, Text end, Toll* toll) noexcept nogil:
    """Behind the object and the white space around it; NULL for anything else."""
    at = skip_space(at, end)
    if at == end or at[0] != c"{":
        return NULL
    at = skip_container(at, end, 1, toll)
    return NULL if at == NULL else skip_space(at, end)


def top_level_spans(bytes body not None, tuple keys not None):
    """Where the members of a JSON object named in `keys` stand; see `_scan_np.top_level_spans`."""
    cdef Text base = body
    cdef Text end = base + len(body)
    cdef Text at = skip_space(base, end)
    cdef Text start
    cdef Text value
    cdef Text value_end
    cdef Name name
    cdef bint closed = False
    cdef Toll toll = NO_TOLL
    cdef Py_ssize_t index
    found = []
    at = open_container(at, end, c"{", &closed)
    while at != NULL and not closed:
        start = at
        value = read_key(at, end, &name)
        value_end = skip_value(value, end, 1, &toll)
        at = next_item(value_end, end, c"}", &closed)
        if at != NULL:
            index = index_of(name, keys)
            if index >= 0:
                found.append((index, start - base, value - base, value_end - base, at - 1 - base))
    if toll.too_deep:
        raise Malformed(TOO_DEEP)
    if at == NULL or skip_space(at, end) != end:
        raise Malformed(NOT_AN_OBJECT)
    return found


def scan_frames(bytes buffer not None, Py_ssize_t start, Py_ssize_t limit):
    """Walk over the ordinary frames of a chat completion stream; see `_scan_np.scan_frames`."""
    cdef Text base = buffer
    cdef Text end = base + len(buffer)
    cdef Text at = base + start
    cdef Text after = at
    cdef Py_ssize_t content_frames = 0
    cdef Py_ssize_t content_bytes = 0
    cdef Py_ssize_t size
    cdef int verdict
    if start < 0 or start > len(buffer):
        raise ValueError("scan_frames: start lies outside the buffer")
    while True:
        verdict = frame_end(at, end, limit, &after)
        if verdict != READ:
            return at - base, at - base, verdict, content_frames, content_bytes
        size = read_frame(at + 6, after - 2)
        if size < 0:
            return at - base, after - base, READ, content_frames, content_bytes
        content_frames += size > 0
        content_bytes += size
        at = after


cdef Py_ssize_t index_of(Name name, tuple keys) except -2:
    """The place of the name among `keys`, -1 when it is not there."""
    cdef Py_ssize_t i
    cdef Py_ssize_t length = name.end - name.start
    cdef bytes key
    if name.escaped:
        plain = unescape(name.start[:length])
        return keys.index(plain) if plain in keys else -1
    for i in range(len(keys)):
        key = keys[i]
        if len(key) == length and memcmp(<Text>key, name.start, length) == 0:
            return i
    return -1


cdef int frame_end(Text at, Text end, Py_ssize_t limit, Text* after) noexcept nogil:
    """READ, with the pointer behind the frame in `after`, or the reason why there is none."""
    cdef Py_ssize_t left = end - at
    cdef Text line_end
    if memcmp(at, b"data: ", left if left < 6 else 6) != 0:
        return ODD
    line_end = <Text>memchr(at, c"\n", left)
    if memchr(at, c"\r", left if line_end == NULL else line_end - at) != NULL:
        return ODD
    if line_end == NULL or line_end + 1 == end:
        return HUGE if left > limit else MORE
    if line_end[1] != c"\n":
        return ODD
    if line_end + 2 - at > limit:
        return HUGE
    after[0] = line_end + 2
    return READ


cdef Py_ssize_t read_frame(Text at, Text end) noexcept nogil:
    """Bytes of content in an ordinary frame, roughly; -1 when the frame is not ordinary."""
    cdef Py_ssize_t size = 0
    cdef bint has_choices = False
    cdef bint closed = False
    cdef Toll toll = NO_TOLL
    cdef Name name
    cdef Text value
    at = open_container(skip_space(at, end), end, c"{", &closed)
    while at != NULL and not closed:
        value = read_plain_key(at, end, &name)
        if is_named(name, b"choices", 7):
            has_choices = True
            at = read_choices(value, end, &size, &toll)
        else:
            at = skip_value(value, end, 1, &toll)
            if (is_named(name, b"error", 5) or is_named(name, b"usage", 5)) and not is_null(value, at):
                return -1
        at = next_item(at, end, c"}", &closed)
    if at == NULL or skip_space(at, end) != end or not has_choices:
        return -1
    return size


cdef Text read_choices(Text at, Text end, Py_ssize_t* size, Toll* toll) noexcept nogil:
    cdef bint closed = False
    at = open_container(at, end, c"[", &closed)
    if closed:
        return NULL
    while at != NULL and not closed:
        at = read_choice(skip_space(at, end), end, size, toll)
        at = next_item(at, end, c"]", &closed)
    return at


cdef Text read_choice(Text at, Text end, Py_ssize_t* size, Toll* toll) noexcept nogil:
    cdef bint closed = False
    cdef Name name
    cdef Text value
    at = open_container(at, end, c"{", &closed)
    while at != NULL and not closed:
        value = read_plain_key(at, end, &name)
        if value != NULL and value != end and value[0] == c"{" and is_named(name, b"delta", 5):
            at = read_delta(value, end, size, toll)
        else:
            at = skip_value(value, end, 3, toll)
            if is_named(name, b"delta", 5) and not is_null(value, at):
                return NULL
            if is_named(name, b"finish_reason", 13) and not is_null(value, at) and not is_empty_string(value, at):
                return NULL
            if is_named(name, b"error", 5) and not is_null(value, at):
                return NULL
        at = next_item(at, end, c"}", &closed)
    return at


cdef Text read_delta(Text at, Text end, Py_ssize_t* size, Toll* toll) noexcept nogil:
    """The largest member counts: some providers say the same text under two names."""
    cdef Py_ssize_t largest = 0
    cdef Py_ssize_t this
    cdef bint closed = False
    cdef Name name
    cdef Text value
    at = open_container(at, end, c"{", &closed)
    while at != NULL and not closed:
        value = read_plain_key(at, end, &name)
        at = skip_value(value, end, 4, toll)
        if at != NULL and not is_named(name, b"role", 4):
            this = content_size(value, at)
            if this > largest:
                largest = this
        at = next_item(at, end, c"}", &closed)
    size[0] += largest
    return at


cdef Py_ssize_t content_size(Text start, Text end) noexcept nogil:
    """Bytes of text in a value; 0 for an empty one, a number or a literal."""
    if start[0] == c'"':
        return end - start - 2
    if (start[0] != c"[" and start[0] != c"{") or skip_space(start + 1, end) == end - 1:
        return 0
    return end - start - ENVELOPE_BYTES if end - start > ENVELOPE_BYTES else 1


cdef inline bint is_named(Name name, const char* key, Py_ssize_t length) noexcept nogil:
    return name.end - name.start == length and memcmp(name.start, key, length) == 0


cdef inline bint is_null(Text start, Text end) noexcept nogil:
    return end != NULL and end - start == 4 and start[0] == c"n"


cdef inline bint is_empty_string(Text start, Text end) noexcept nogil:
    return end != NULL and end - start == 2 and start[0] == c'"'


cdef Text read_plain_key(Text at, Text end, Name* name) noexcept nogil:
    """Like read_key; NULL for a name with an escape in it, which is somebody else's job."""
    cdef Text value = read_key(at, end, name)
    if name.escaped:
        return NULL
    return value


cdef Text read_key(Text at, Text end, Name* name) noexcept nogil:
    """Fill in the name of the member at `at`, without quotes; returns the start of its value."""
    cdef Text colon
    at = skip_space(at, end)
    name.start = name.end = at
    name.escaped = False
    colon = skip_string(at, end)
    if colon == NULL:
        return NULL
    name.start = at + 1
    name.end = colon - 1
    name.escaped = memchr(name.start, c"\\", name.end - name.start) != NULL
    colon = skip_space(colon, end)
    if colon == end or colon[0] != c":":
        return NULL
    return skip_space(colon + 1, end)


cdef Text skip_value(Text at, Text end, int depth, Toll* toll) noexcept nogil:
    """The pointer behind the value at `at`, which lies in `depth` containers."""
    if at == NULL or at == end:
        return NULL
    if at[0] == c'"':
        return skip_string(at, end)
    if at[0] == c"{" or at[0] == c"[":
        return skip_container(at, end, depth + 1, toll)
    if at[0] == c"t":
        return skip_literal(at, end, b"true", 4)
    if at[0] == c"f":
        return skip_literal(at, end, b"false", 5)
    if at[0] == c"n":
        return skip_literal(at, end, b"null", 4)
    return skip_number(at, end)


cdef Text skip_container(Text at, Text end, int depth, Toll* toll) noexcept nogil:
    cdef uint8_t opener = at[0]
    cdef uint8_t closer = c"}" if opener == c"{" else c"]"
    cdef bint closed = False
    cdef Name name
    if depth > MAX_DEPTH:
        toll.too_deep = True
        return NULL
    at = open_container(at, end, opener, &closed)
    while at != NULL and not closed:
        toll.values_left -= 1
        if toll.values_left < 0:
            toll.too_many = True
            return NULL
        at = read_key(at, end, &name) if opener == c"{" else skip_space(at, end)
        at = next_item(skip_value(at, end, depth, toll), end, closer, &closed)
    return at


cdef inline Text open_container(Text at, Text end, uint8_t opener, bint* closed) noexcept nogil:
    """Enter the container at `at`. `closed` is set when it is empty, and the pointer then stands behind it."""
    cdef Text first
    if at == NULL or at == end or at[0] != opener:
        return NULL
    first = skip_space(at + 1, end)
    closed[0] = first != end and first[0] == (c"}" if opener == c"{" else c"]")
    return first + 1 if closed[0] else at + 1


cdef inline Text next_item(Text at, Text end, uint8_t closer, bint* closed) noexcept nogil:
    """Step over the comma behind an item, or over the closer, which sets `closed`."""
    if at == NULL:
        return NULL
    at = skip_space(at, end)
    if at == end or (at[0] != c"," and at[0] != closer):
        return NULL
    closed[0] = at[0] == closer
    return at + 1


cdef inline Text skip_space(Text at, Text end) noexcept nogil:
    while at != end and (at[0] == c" " or at[0] == c"\n" or at[0] == c"\r" or at[0] == c"\t"):
        at += 1
    return at


cdef Text skip_literal(Text at, Text end, const char* literal, Py_ssize_t length) noexcept nogil:
    if end - at < length or memcmp(at, literal, length) != 0:
        return NULL
    return at + length


cdef Text skip_number(Text at, Text end) noexcept nogil:
    if at != end and at[0] == c"-":
        at += 1
    if at != end and at[0] == c"0":
        at += 1
    else:
        at = skip_digits(at, end)
    if at != NULL and at != end and at[0] == c".":
        at = skip_digits(at + 1, end)
    if at != NULL and at != end and (at[0] == c"e" or at[0] == c"E"):
        at += 1
        if at != end and (at[0] == c"+" or at[0] == c"-"):
            at += 1
        at = skip_digits(at, end)
    return at


cdef inline Text skip_digits(Text at, Text end) noexcept nogil:
    """Behind one digit or more; NULL without any."""
    cdef Text start = at
    while at != end and at[0] >= c"0" and at[0] <= c"9":
        at += 1
    if at == start:
        return NULL
    return at


cdef Text skip_string(Text at, Text end) noexcept nogil:
    """Behind the closing quote; NULL when there is none, or for a control character, a wrong escape or wrong UTF-8."""
    cdef uint8_t byte
    if at == end or at[0] != c'"':
        return NULL
    at += 1
    while True:
        at = skip_plain(at, end)
        if at == end:
            return NULL
        byte = at[0]
        if byte == c'"':
            return at + 1
        at = skip_escape(at, end) if byte == c"\\" else skip_multibyte(at, end)
        if at == NULL:
            return NULL


cdef inline Text skip_plain(Text at, Text end) noexcept nogil:
    """To the first byte that is a quote, a backslash, a control character or not ASCII."""
    cdef uint64_t eight
    while end - at >= 8:
        memcpy(&eight, at, 8)
        if has_special(eight):
            break
        at += 8
    while at != end and at[0] >= 0x20 and at[0] < 0x80 and at[0] != c'"' and at[0] != c"\\":
        at += 1
    return at


cdef inline bint has_special(uint64_t eight) noexcept nogil:
    """A byte x is zero where (x - 1) & ~x has its high bit; a borrow can only mark bytes beside a true hit."""
    cdef uint64_t quote = eight ^ (ONES * c'"')
    cdef uint64_t backslash = eight ^ (ONES * c"\\")
    cdef uint64_t marks = (quote - ONES) & ~quote
    marks |= (backslash - ONES) & ~backslash
    marks |= (eight - ONES * 0x20) & ~eight
    return ((marks | eight) & HIGH) != 0


cdef Text skip_escape(Text at, Text end) noexcept nogil:
    cdef int i
    if end - at < 2:
        return NULL
    if at[1] == c"u":
        if end - at < 6:
            return NULL
        for i in range(2, 6):
            if not is_hex(at[i]):
                return NULL
        return at + 6
    return at + 2 if IS_ESCAPE[at[1]] else NULL


cdef inline bint is_hex(uint8_t byte) noexcept nogil:
    return c"0" <= byte <= c"9" or c"a" <= byte <= c"f" or c"A" <= byte <= c"F"


cdef Text skip_multibyte(Text at, Text end) noexcept nogil:
    """Behind one character of two to four bytes of UTF-8. Table 3-7 of the Unicode standard, well-formed sequences."""
    cdef uint8_t lead = at[0]
    cdef uint8_t lowest = 0x80
    cdef uint8_t highest = 0xBF
    cdef int length
    cdef int i
    if 0xC2 <= lead <= 0xDF:
        length = 2
    elif 0xE0 <= lead <= 0xEF:
        length = 3
        lowest = 0xA0 if lead == 0xE0 else 0x80
        highest = 0x9F if lead == 0xED else 0xBF
    elif 0xF0 <= lead <= 0xF4:
        length = 4
        lowest = 0x90 if lead == 0xF0 else 0x80
        highest = 0x8F if lead == 0xF4 else 0xBF
    else:
        return NULL
    if end - at < length or at[1] < lowest or at[1] > highest:
        return NULL
    for i in range(2, length):
        if at[i] < 0x80 or at[i] > 0xBF:
            return NULL
    return at + length
