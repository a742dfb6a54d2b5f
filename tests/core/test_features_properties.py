"""The twins agree on every input, sensible or not."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import _features_cy, _features_np

PIECES = st.sampled_from([
    b'"', b"\\", b"\\n", b"\\u00e9", b"\\ud83d", b"\\u22", b"data:", b";base64,", b'"data":', b'"data" : ',
    b"x = {1};", b"translate", b"Summarising", b"12345", b"   ", b"\n", b"\xc3\xa9", b"\xe2\x89\xa4", b"\xe4\xbd\xa0",
    b"\xf0\x9f\x9a\x80", b"```", b"?", b"a" * 600, b"\\\\frac", b"[", b"}", b"\x80", b"\\r\\t",
])  # fmt: skip
RAW = st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=12).map(b"".join))


@given(st.lists(RAW, min_size=1, max_size=4), st.data())
def test_the_twins_agree_on_any_bytes(texts: list[bytes], data: st.DataObject) -> None:
    focus = data.draw(st.integers(-len(texts), len(texts) - 1))
    plain, compiled = _features_np.extract(texts, focus), _features_cy.extract(texts, focus)
    assert compiled._replace(tokens=0.0) == plain._replace(tokens=0.0)
    assert compiled.tokens == pytest.approx(plain.tokens)


@given(st.text(max_size=300), st.text(max_size=300))
def test_more_text_never_means_fewer_tokens(text: str, more: str) -> None:
    short = _features_cy.extract([json.dumps(text).encode()])
    long = _features_cy.extract([json.dumps(text + "\n" + more).encode()])
    assert long.tokens >= short.tokens - 1e-9
    assert long.text_bytes >= short.text_bytes


@given(st.text(max_size=300))
def test_shares_are_shares(text: str) -> None:
    found = _features_cy.extract([json.dumps(text, ensure_ascii=False).encode(errors="replace")])
    shares = (found.code_share, found.digit_share, found.upper_share, found.non_latin_share, found.context_code_share)
    assert all(0 <= share <= 1 for share in shares)


REPEATED = st.tuples(st.lists(PIECES, min_size=1, max_size=12).map(b"".join), st.integers(1, 900))
LONG = st.lists(REPEATED.map(lambda drawn: drawn[0] * drawn[1]), min_size=1, max_size=4).map(b"".join)
QUOTED = LONG.map(lambda text: b'"' + text.replace(b'"', b'\\"') + b'"')


@settings(max_examples=40)
@given(st.lists(st.one_of(LONG, QUOTED, QUOTED.map(lambda text: b'[{"text":' + text + b"}]")), max_size=3), RAW)
def test_the_twins_agree_on_what_is_read_in_part(long: list[bytes], short: bytes) -> None:
    texts = [*long, short]
    for focus in (0, -1):
        plain, compiled = _features_np.extract(texts, focus), _features_cy.extract(texts, focus)
        assert compiled._replace(tokens=0.0) == plain._replace(tokens=0.0)
        assert compiled.tokens == pytest.approx(plain.tokens)
