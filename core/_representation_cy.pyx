"""Representations and their corrections, compiled. `_representation_np` is the definition: the same bytes and odds."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.math cimport exp, fmax, fmin, log2, rint, sqrt
from libc.stdint cimport int8_t, int32_t, int64_t

import numpy

from core.representation import (
    CONSTANT as _CONSTANT,
    MOST_COUNTED as _MOST_COUNTED,
    MOST_MOVED as _MOST_MOVED,
    MOST_WEIGHT as _MOST_WEIGHT,
    PER_LOG_ODD as _PER_LOG_ODD,
    SIZE as _SIZE,
    STEP as _STEP,
    SUMS as _SUMS,
)
from core.text import Cue

cdef enum:
    SUMS = 10
    SIZE = 40
    CUES = 9
    CONSTANT = 32
    MOST_COUNTED = 4

if (_SUMS, _SIZE, len(Cue), _CONSTANT, _MOST_COUNTED) != (SUMS, SIZE, CUES, CONSTANT, MOST_COUNTED):
    raise ImportError(
        "core._representation_cy has other sizes than core.representation states; change both and the plain twin"
    )

cdef double PER_LOG_ODD = _PER_LOG_ODD
cdef double STEP = _STEP
cdef double MOST_MOVED = _MOST_MOVED


cdef inline int8_t byte_of(double figure) noexcept nogil:
    """Halves go to the even number, as Python rounds."""
    return <int8_t> rint(fmin(fmax(figure, -127.0), 127.0))


cdef inline double counted(object count):
    return 16.0 * min(<long> count, MOST_COUNTED)


cdef class Representer:
    """Writes representations. factors: [SUMS] log odds that one of a table's steps is worth, per task."""

    cdef int8_t version
    cdef double factors[SUMS]

    def __init__(self, int version, tuple factors not None):
        cdef Py_ssize_t task
        if not 0 < version < 128 or len(factors) != SUMS:
            raise ValueError(f"representation: a version from 1 to 127 and {SUMS} factors are expected")
        self.version = version
        for task in range(SUMS):
            self.factors[task] = factors[task]

    def write(self, sums, double familiar, features):
        """SIZE bytes. familiar: 0-1, the share of the words that training has met."""
        cdef tuple runs = sums.runs, words = sums.words, cues = features.cues
        cdef double by_runs = 1.0 / sqrt(max(<long> sums.run_count, 1))
        cdef double by_words = 1.0 / sqrt(max(<long> sums.word_count, 1))
        cdef bytes written = PyBytes_FromStringAndSize(NULL, SIZE)
        cdef int8_t* out = <int8_t*> PyBytes_AS_STRING(written)
        cdef Py_ssize_t place
        if len(runs) < SUMS or len(words) < SUMS or len(cues) != CUES:
            raise ValueError("representation: the sums or the cues are not those of core.grams and core.text")
        out[0] = self.version
        for place in range(SUMS):
            out[1 + place] = byte_of(PER_LOG_ODD * (self.factors[place] * (<long> runs[place] * by_runs)))
            out[1 + SUMS + place] = byte_of(PER_LOG_ODD * (self.factors[place] * (<long> words[place] * by_words)))
        out += 1 + 2 * SUMS
        out[0] = byte_of(4.0 * log2(1.0 + <long> features.focus_words))
        out[1] = byte_of(3.2 * log2(1.0 + <long> features.focus_characters))
        out[2] = byte_of(64.0 * <double> features.code_share)
        out[3] = byte_of(64.0 * <double> features.digit_share)
        out[4] = byte_of(64.0 * <double> features.upper_share)
        out[5] = byte_of(64.0 * <double> features.non_latin_share)
        out[6] = byte_of(64.0 * <double> features.math_share)
        out[7] = byte_of(counted(features.question_marks))
        out[8] = byte_of(counted(features.code_fences))
        for place in range(CUES):
            out[9 + place] = byte_of(counted(cues[place]))
        out[9 + CUES] = byte_of(32.0 * familiar)
        return written


cdef class Correction:
    """What own labels have taught. weights: [SIZE, SUMS] int32, in STEPs, each MOST_WEIGHT at most."""

    cdef int32_t weights[SIZE][SUMS]

    def __init__(self, weights):
        cdef const int32_t[:, ::1] given
        cdef Py_ssize_t entry, task
        if weights.shape != (SIZE, SUMS) or weights.dtype != numpy.int32 or numpy.abs(weights).max() > _MOST_WEIGHT:
            raise ValueError(f"correction: the weights must be int32 [{SIZE}, {SUMS}] of {_MOST_WEIGHT} at most")
        given = numpy.ascontiguousarray(weights)
        for entry in range(SIZE):
            for task in range(SUMS):
                self.weights[entry][task] = given[entry, task]

    def moved(self, list odds not None, bytes representation not None):
        """The odds of each task, as labels have taught them. Raises ValueError for another representation."""
        if len(representation) != SIZE or len(odds) != SUMS:
            raise ValueError(f"correction: {SIZE} bytes and {SUMS} odds are expected")
        cdef const int8_t* entries = <const int8_t*> PyBytes_AS_STRING(representation)
        cdef int64_t moves[SUMS]
        cdef Py_ssize_t task
        add_up(moves, self.weights, entries)
        return [
            <double> odds[task] * exp(fmin(fmax(moves[task] * STEP, -MOST_MOVED), MOST_MOVED)) for task in range(SUMS)
        ]


cdef void add_up(int64_t* moves, const int32_t[SIZE][SUMS] weights, const int8_t* entries) noexcept nogil:
    """moves: OUT [SUMS], in STEPs."""
    cdef Py_ssize_t entry, task
    for task in range(SUMS):
        moves[task] = <int64_t> CONSTANT * weights[0][task]
    for entry in range(1, SIZE):
        for task in range(SUMS):
            moves[task] += <int64_t> entries[entry] * weights[entry][task]
