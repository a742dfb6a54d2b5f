"""What the scan finds in JSON and in event streams, over both twins."""

import os
import subprocess
import sys
from types import ModuleType

import pytest

from core import _scan_cy, _scan_np
from core.scan import HUGE, MAX_DEPTH, MORE, ODD, READ, Malformed

LIMIT = 1 << 20


@pytest.fixture(params=[_scan_np, _scan_cy], ids=["python", "cython"])
def twin(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


def members(twin: ModuleType, body: bytes, *keys: bytes) -> list[tuple[int, bytes, bytes]]:
    """(index of the key, the member with the white space around it, the value) of each member found."""
    return [(key, body[a:d], body[b:c]) for key, a, b, c, d in twin.top_level_spans(body, keys)]


def frame(payload: bytes) -> bytes:
    return b"data: " + payload + b"\n\n"


def choice(delta: bytes, rest: bytes = b'"finish_reason":null') -> bytes:
    return frame(b'{"choices":[{"index":0,"delta":' + delta + b"," + rest + b"}]}")


TEXT = choice(b'{"content":"Hi"}')


def test_members_are_found_in_the_order_of_the_body(twin: ModuleType) -> None:
    body = b' { "b" : [1, {"a": 2}] ,"a":"x" } '
    assert members(twin, body, b"a", b"b") == [
        (1, b' "b" : [1, {"a": 2}] ', b'[1, {"a": 2}]'),
        (0, b'"a":"x" ', b'"x"'),
    ]


def test_a_key_further_down_or_inside_a_text_is_not_a_member(twin: ModuleType) -> None:
    body = rb'{"x":{"a":1},"y":["a"],"z":"\"a\":1","a":2}'
    assert members(twin, body, b"a") == [(0, b'"a":2', b"2")]


def test_every_duplicate_is_found(twin: ModuleType) -> None:
    assert [value for _, _, value in members(twin, b'{"a":1,"b":2,"a":3}', b"a")] == [b"1", b"3"]


@pytest.mark.parametrize("key", [rb"mod\u0065l", rb"\u006d\u006F\u0064\u0065\u006c", rb"mo\u0064el"])
def test_an_escaped_name_cannot_hide(twin: ModuleType, key: bytes) -> None:
    assert members(twin, b'{"' + key + b'":1}', b"model") == [(0, b'"' + key + b'":1', b"1")]


def test_an_empty_object_has_no_members(twin: ModuleType) -> None:
    assert members(twin, b"{ }", b"a") == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"a"}',
        b'{"a":}',
        b'{"a":1,}',
        b"{,}",
        b'{"a":1',
        b'{"a":01}',
        b'{"a":1}x',
        b'{"a":NaN}',
        b'{"a":"\x01"}',
        b'{"a":"\\x"}',
        b'{"a":"\\u12g4"}',
        b'{"a":"\xff"}',
        b'{"a":"\xc0\xaf"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":tru}',
        b'{"a":1.}',
        b'{"a":1e}',
        b'{"a":-}',
        b'{"a":"',
        b'{"a":"\\',
        b'{"a":[1}',
        b"\xef\xbb\xbf{}",
        b"{'a':1}",
    ],
)
def test_anything_but_one_well_formed_object_is_refused(twin: ModuleType, body: bytes) -> None:
    with pytest.raises(Malformed):
        twin.top_level_spans(body, (b"a",))
    with pytest.raises(Malformed):
        twin.check_object(body, 100)


def test_nesting_is_limited(twin: ModuleType) -> None:
    def nested(depth: int) -> bytes:
        return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"

    assert len(members(twin, nested(MAX_DEPTH), b"a")) == 1
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(Malformed, match="nested deeper than 64 levels"):
            twin.top_level_spans(nested(depth), (b"a",))
        with pytest.raises(Malformed, match="nested deeper than 64 levels"):
            twin.check_object(nested(depth), 10**6)


def test_values_are_counted_on_all_levels_together(twin: ModuleType) -> None:
    body = b' {"a": [1, {"b": 2, "c": []}, "[,]"], "a": {}, "d": null} '
    twin.check_object(body, 8)
    with pytest.raises(Malformed, match="more than 7 values in all"):
        twin.check_object(body, 7)


def test_a_long_object_is_checked_like_a_short_one(twin: ModuleType) -> None:
    """The compiled twin lets other threads run meanwhile."""
    long = b'{"a":"' + b"x" * 300_000 + b'","b":[1,2]}'
    twin.check_object(long, 4)
    for broken in (long[:-1], long + b"x", long.replace(b'x"', b'\x01"')):
        with pytest.raises(Malformed, match="not a well-formed JSON object"):
            twin.check_object(broken, 4)
    with pytest.raises(Malformed, match="more than 3 values in all"):
        twin.check_object(long, 3)


def test_ordinary_frames_are_walked_over_and_their_content_counted(twin: ModuleType) -> None:
    role = choice(b'{"role":"assistant","content":""}')
    end = len(role + TEXT + TEXT)
    assert twin.scan_frames(role + TEXT + TEXT, 0, LIMIT) == (end, end, MORE, 2, 4)


def test_the_walk_may_begin_in_the_middle(twin: ModuleType) -> None:
    assert twin.scan_frames(TEXT + TEXT, len(TEXT), LIMIT) == (2 * len(TEXT), 2 * len(TEXT), MORE, 1, 2)


@pytest.mark.parametrize("cut", range(1, len(TEXT)))
def test_half_a_frame_needs_more(twin: ModuleType, cut: int) -> None:
    assert twin.scan_frames(TEXT + TEXT[:cut], 0, LIMIT) == (len(TEXT), len(TEXT), MORE, 1, 2)


@pytest.mark.parametrize(
    "special",
    [
        frame(b"[DONE]"),
        frame(b""),
        frame(b'{"choices":[]}'),
        frame(b'{"id":"x"}'),
        frame(b'{"choices":[{"delta":{"content":"x"}}],"error":{}}'),
        frame(b'{"choices":[{"delta":{"content":"x"}}],"usage":{"prompt_tokens":1}}'),
        frame(b'{"choices":[{"delta":{"content":"x"}}],"usage" : {"prompt_tokens":1}}'),
        frame(b'{"choices":[{"delta":"x"}]}'),
        frame(b'{"choices":[{"delta":{"content":"x"},"error":{"code":502}}]}'),
        frame(b'{"choices":[7]}'),
        frame(b'{"choices":[{"delta":{"content":"x"}}]'),
        frame(b'{"choices":[{"delta":{"content":"\xff"}}]}'),
        frame(b'{"choices":[{"delta":{"content":"x"}}],"\\u0065rror":{}}'),
        choice(b"{}", b'"finish_reason":"stop"'),
        choice(b"{}", b'"finish_reason" :  "stop"'),
        choice(b'{"content":"x"}', b'"finish_reason":7'),
    ],
)
def test_a_frame_that_somebody_must_read_stops_the_walk(twin: ModuleType, special: bytes) -> None:
    end = len(TEXT)
    assert twin.scan_frames(TEXT + special + TEXT, 0, LIMIT) == (end, end + len(special), READ, 1, 2)


@pytest.mark.parametrize(
    "plain",
    [
        choice(b'{"content":"\\"usage\\":{\\"finish_reason\\":\\"stop\\",\\"error\\":"}'),
        choice(b'{"content":"x","usage":{}}'),
        choice(b'{"content":"x"}', b'"finish_reason":""'),
        choice(b'{"content":"x"}', b'"logprobs":{"content":[{"token":"x","error":1}]}'),
        frame(b'{"usage":null,"error": null,"choices":[{"delta":{"content":"x"}}]}'),
        frame(b' {"choices" : [ {"delta" : {"content" : "x"} } ] } '),
        choice('{"content":"é€🎈"}'.encode()),
    ],
)
def test_look_alikes_do_not_stop_the_walk(twin: ModuleType, plain: bytes) -> None:
    end, _, verdict, frames, size = twin.scan_frames(plain, 0, LIMIT)
    assert (end, verdict, frames) == (len(plain), MORE, 1)
    assert size > 0


@pytest.mark.parametrize(
    "odd",
    [
        b": ping\n\n",
        b"\n",
        b"\r\n",
        b"data:{}\n\n",
        b"event: x\n",
        b'{"error":1}',
        b"data: x\r\n\r\n",
        b"data: x\ndata: y",
        b"data: x\r",
        b"data\n\n",
        b"\xef\xbb\xbfdata: {}\n\n",
        b"dat:",
    ],
)
def test_another_shape_of_frame_is_odd(twin: ModuleType, odd: bytes) -> None:
    assert twin.scan_frames(TEXT + odd, 0, LIMIT) == (len(TEXT), len(TEXT), ODD, 1, 2)


@pytest.mark.parametrize("end", [len(TEXT), len(TEXT) - 1, len(TEXT) - 30])
def test_a_frame_over_the_limit_is_huge(twin: ModuleType, end: int) -> None:
    assert twin.scan_frames(TEXT[:end], 0, len(TEXT))[2] == MORE
    assert twin.scan_frames(TEXT[:end], 0, len(TEXT) - 31) == (0, 0, HUGE, 0, 0)


@pytest.mark.parametrize(
    ("delta", "size"),
    [
        (b'{"content":"abcd"}', 4),
        (b'{"role":"assistant"}', 0),
        (b'{"content":null,"tool_calls":[],"audio":{ }}', 0),
        (b'{"reasoning":"abc","reasoning_content":"abc"}', 3),
        (b'{"index":5,"flag":true}', 0),
        (b'{"tool_calls":[{"index":0,"function":{"arguments":"{\\"city\\":"}}]}', 7),
        (b'{"tool_calls":[7]}', 1),
        (b"{}", 0),
        (b"null", 0),
    ],
)
def test_content_is_measured_in_bytes_of_text(twin: ModuleType, delta: bytes, size: int) -> None:
    assert twin.scan_frames(choice(delta), 0, LIMIT)[3:] == (int(size > 0), size)


def test_a_start_outside_the_buffer_is_refused_by_the_compiled_twin() -> None:
    for start in (-1, 3):
        with pytest.raises(ValueError, match="outside"):
            _scan_cy.scan_frames(b"ab", start, LIMIT)


@pytest.mark.parametrize(("pure", "name"), [("1", "python"), ("0", "cython")])
def test_the_environment_chooses_the_twin(pure: str, name: str) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", "from core import scan; print(scan.IMPLEMENTATION, scan.scan_frames.__module__)"],
        env={**os.environ, "STEELYARD_PURE": pure},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.split() == [name, f"core._scan_{'np' if pure == '1' else 'cy'}"]


def test_a_missing_extension_names_the_way_out() -> None:
    hide = "import sys; sys.modules['core._scan_cy'] = None; import core.scan"
    environment = {**os.environ, "STEELYARD_PURE": "0"}
    failed = subprocess.run([sys.executable, "-c", hide], env=environment, capture_output=True, text=True, check=False)
    assert failed.returncode != 0
    assert "make build" in failed.stderr
