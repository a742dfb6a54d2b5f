"""The compiled reader of grams adds up the same rows as the plain one."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import _grams_cy, _grams_np
from core.grams import BUCKETS, COLUMNS, HEAD_BYTES, OPENING_BYTES, TAIL_BYTES
from core.wording import read

TABLE = np.random.default_rng(1).integers(-127, 128, (2 * BUCKETS, COLUMNS), np.int8)
COMPILED, PLAIN = _grams_cy.Reader(TABLE), _grams_np.Reader(TABLE)


def raw(text: str, ascii_only: bool = False) -> bytes:
    return json.dumps(text, ensure_ascii=ascii_only).encode("utf-8", "replace")


@given(st.text(max_size=300), st.text(max_size=60), st.booleans())
def test_both_read_the_same_in_any_text(focus: str, opening: str, ascii_only: bool) -> None:
    given_focus, given_opening = raw(focus, ascii_only), raw(opening, ascii_only) if opening else b""
    assert COMPILED.read(given_opening, given_focus) == PLAIN.read(given_opening, given_focus)


@given(st.binary(max_size=200), st.binary(max_size=60))
def test_both_read_the_same_in_any_bytes(focus: bytes, opening: bytes) -> None:
    assert COMPILED.read(opening, focus) == PLAIN.read(opening, focus)


@pytest.mark.parametrize("size", range(HEAD_BYTES + TAIL_BYTES - 8, HEAD_BYTES + TAIL_BYTES + 9))
@pytest.mark.parametrize("piece", ["a b", "\\u00e9", "\\ud83d\\ude00", "x\\n"])
def test_both_cut_long_texts_at_the_same_byte(size: int, piece: str) -> None:
    focus = b'"' + (piece * size)[:size].encode() + b'"'
    assert COMPILED.read(b"", focus) == PLAIN.read(b"", focus)


@pytest.mark.parametrize("size", [OPENING_BYTES, OPENING_BYTES + 1])
def test_both_leave_out_an_opening_that_is_a_manual(size: int) -> None:
    opening, focus = raw("y" * size), raw("and now?")
    assert COMPILED.read(opening, focus) == PLAIN.read(opening, focus)
    assert (COMPILED.read(opening, focus) == COMPILED.read(b"", focus)) == (size > OPENING_BYTES)


def test_escapes_capitals_digits_and_blanks_make_no_difference() -> None:
    assert COMPILED.read(b"", b'"Caf\\u00e9  12\\nUHR"') == COMPILED.read(b"", '"caf\u00e9 98 uhr"'.encode())


def test_the_middle_of_a_long_text_is_not_read() -> None:
    head, tail = "start " * 300, " end" * 150
    assert read(b"", raw(head + "write a poem " * 500 + tail)) == read(b"", raw(head + "sum these up " * 500 + tail))


@pytest.mark.parametrize("reader", [_grams_cy.Reader, _grams_np.Reader])
def test_a_table_of_another_shape_is_refused(reader: type[_grams_np.Reader]) -> None:
    with pytest.raises(ValueError, match="must be int8"):
        reader(np.zeros((3, COLUMNS), np.int8))
