"""The annotation gate reads the right lines."""

from loadtest.annotate import nogil_lines

SOURCE = '''\
"""A module."""
cdef inline float twice(float x) noexcept nogil:
    """Doubles."""
    return x + x


cdef void fill(
    const float[::1] source,   # IN
    float[::1] out,            # OUT
) noexcept nogil:
    for m in range(3):

        out[m] = source[m]


def outer(list values):
    total = sum(values)
    with nogil:
        fill(a, b)
    return total


cdef class Thing:
    cdef int length(self) except -1:
        return len(self.name)

    cdef void run(self) noexcept nogil:
        step()
'''


def test_bodies_of_nogil_functions_and_blocks_are_checked_and_nothing_else() -> None:
    lines = SOURCE.splitlines()
    assert [lines[number - 1].strip() for number in nogil_lines(lines)] == [
        '"""Doubles."""',
        "return x + x",
        "for m in range(3):",
        "out[m] = source[m]",
        "fill(a, b)",
        "step()",
    ]
