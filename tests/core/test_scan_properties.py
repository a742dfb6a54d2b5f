"""Random JSON and random bytes: the scan agrees with the standard parser, and its twins with each other."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core import _scan_cy, _scan_np
from core.scan import READ, Malformed

LIMIT = 1 << 20
KEYS = ("model", "stream_options", "x", "é", 'a"b')
ENCODED_KEYS = tuple(key.encode() for key in KEYS)

texts = st.text(max_size=12)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4))
names = st.sampled_from(KEYS) | texts
objects = st.lists(st.tuples(names, values), max_size=8)
separators = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:\r\n")])


def written(pairs: list[tuple[str, Any]], separators: tuple[str, str], ascii_only: bool) -> bytes:
    """A JSON object with its members in order, duplicates and all."""
    comma, colon = separators
    parts = (
        json.dumps(name, ensure_ascii=ascii_only)
        + colon
        + json.dumps(value, ensure_ascii=ascii_only, separators=separators)
        for name, value in pairs
    )
    return ("{" + comma.join(parts) + "}").encode()


def outcome(function: Callable[..., object], *arguments: object) -> object:
    try:
        return function(*arguments)
    except Malformed as error:
        return str(error)


def is_object(text: bytes) -> bool:
    """Whether the standard parser, at its strictest, finds one object."""
    try:
        return isinstance(json.loads(text.decode(), parse_constant=lambda name: 1 / 0), dict)
    except (ValueError, ZeroDivisionError, RecursionError):
        return False


@given(objects, separators, st.booleans())
def test_spans_hold_what_the_standard_parser_reads(
    pairs: list[tuple[str, Any]], separators: tuple[str, str], ascii_only: bool
) -> None:
    body = written(pairs, separators, ascii_only)
    found = _scan_cy.top_level_spans(body, ENCODED_KEYS)
    assert found == _scan_np.top_level_spans(body, ENCODED_KEYS)
    assert [(KEYS[key], json.loads(body[start:end])) for key, _, start, end, _ in found] == [
        (name, value) for name, value in pairs if name in KEYS
    ]
    for _, start, value_start, value_end, end in found:
        assert body[start - 1 : start] in (b"{", b",")
        assert body[end : end + 1] in (b"}", b",")
        assert start < value_start < value_end <= end


@given(objects, st.data())
def test_damaged_json_is_judged_as_the_standard_parser_does(pairs: list[tuple[str, Any]], data: st.DataObject) -> None:
    body = bytearray(written(pairs, (",", ":"), ascii_only=False))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(body)))
        body[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    text = bytes(body)
    found = outcome(_scan_cy.top_level_spans, text, ENCODED_KEYS)
    assert found == outcome(_scan_np.top_level_spans, text, ENCODED_KEYS)
    assert isinstance(found, list) is is_object(text)
    for most_values in (3, 10**6):
        judged = outcome(_scan_cy.check_object, text, most_values)
        assert judged == outcome(_scan_np.check_object, text, most_values)
    assert (judged is None) is is_object(text)


@given(st.binary(max_size=64))
def test_the_twins_agree_about_random_bytes(text: bytes) -> None:
    assert outcome(_scan_cy.top_level_spans, text, ENCODED_KEYS) == outcome(
        _scan_np.top_level_spans, text, ENCODED_KEYS
    )
    for start in (0, len(text) // 2):
        assert _scan_cy.scan_frames(text, start, 40) == _scan_np.scan_frames(text, start, 40)


pieces = st.sampled_from(
    [
        b"data: ",
        b"data:",
        b"\n\n",
        b"\n",
        b"\r\n",
        b"\r",
        b": x",
        b"[DONE]",
        b'{"choices":[{"delta":{"content":"x"}}]}',
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b'"choices"',
        b'"error"',
        b'"usage"',
        b'"finish_reason"',
        b'"delta"',
        b"null",
        b'"stop"',
        b"1",
        b" ",
        b"\xc3\xa9",
        b"\xff",
        b'{"choices":[{"delta":{},"finish_reason":"stop"}]}',
    ]
)


@given(st.lists(pieces, max_size=24).map(b"".join), st.integers(4, 80))
def test_the_twins_walk_the_same_way_over_anything(text: bytes, limit: int) -> None:
    assert _scan_cy.scan_frames(text, 0, limit) == _scan_np.scan_frames(text, 0, limit)


@given(objects, separators, st.booleans())
def test_a_frame_is_ordinary_only_without_finish_usage_and_error(
    pairs: list[tuple[str, Any]], separators: tuple[str, str], ascii_only: bool
) -> None:
    comma, colon = (part.replace("\n", "").replace("\r", "") for part in separators)
    frame = b"data: " + written(pairs, (comma, colon), ascii_only) + b"\n\n"
    _, after, verdict, _, _ = _scan_cy.scan_frames(frame, 0, LIMIT)
    assert (after, verdict) == (len(frame), READ)  # random objects have no choices


@given(st.lists(st.tuples(names, values), max_size=4), st.sampled_from([None, "stop", ""]), values, values)
def test_frames_are_sorted_by_what_the_standard_parser_finds_in_them(
    delta: list[tuple[str, Any]], finish: str | None, usage: Any, error: Any
) -> None:
    chunk = {"choices": [{"delta": dict(delta), "finish_reason": finish}], "usage": usage, "error": error}
    frame = b"data: " + json.dumps(chunk).encode() + b"\n\n"
    end, _, _, frames, size = _scan_cy.scan_frames(frame, 0, LIMIT)
    has_escaped_name = any(json.dumps(name) != f'"{name}"' for name in dict(delta))
    is_ordinary = not finish and usage is None and error is None and not has_escaped_name
    assert (end == len(frame)) is is_ordinary
    has_content = any(
        value not in ("", [], {}) and isinstance(value, str | list | dict) for value in dict(delta).values()
    )
    assert (frames, size > 0) == (int(is_ordinary and has_content), is_ordinary and has_content)
