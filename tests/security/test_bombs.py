"""What is small to send and large to read: JSON bombs (S12), and bodies that unpack or never end (S11).

Nothing of it costs the process memory, and nothing makes it say anything but 200 or 400.
"""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.running import Gateway
from tests.security.counts import count

MIB = 2**20
BODIES = {
    "/v1/chat/completions": b'"messages":[{"role":"user","content":"hi"}]',
    "/v1/completions": b'"prompt":"hi"',
    "/v1/responses": b'"input":"hi"',
    "/v1/messages": b'"max_tokens":9,"messages":[{"role":"user","content":"hi"}]',
    "/v1/messages/count_tokens": b'"messages":[{"role":"user","content":"hi"}]',
    "/v1/embeddings": b'"model":"sim/embed-small","input":"hi"',
    "/v1beta/models/auto:generateContent": b'"contents":[{"parts":[{"text":"hi"}]}]',
    "/v1beta/models/auto:countTokens": b'"contents":[{"parts":[{"text":"hi"}]}]',
    "/v1/route": b'"messages":[{"role":"user","content":"hi"}]',
}
DEEP = count(100_000, 1_000_000)
MEMBERS = {
    "brackets": b'"x":' + b"[" * DEEP + b"]" * DEEP,
    "brackets that never close": b'"x":' + b"[" * DEEP,
    "braces": b'"x":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "65 levels": b'"x":' + b"[" * 64 + b"]" * 64,
    "not a number": b'"temperature":NaN',
    "an infinity": b'"temperature":-Infinity',
    "half a surrogate pair": rb'"user":"\ud800"',
    "half a surrogate pair as a name": rb'"\udfff":1',
    "bytes that are no UTF-8": b'"user":"\xff"',
    "an overlong byte": b'"user":"\xc0\x80"',
    "a control character": b'"user":"\x01"',
    "a comment": b'"user":"u" /* */',
    "a number in hex": b'"x":0x1',
    "a leading zero": b'"x":01',
    "too many values": b'"x":[' + b"1," * 300_000 + b"1]",
}
PERHAPS = {  # 400 where somebody reads it, and no number of ours otherwise
    "1e999999": b'"temperature":1e999999',
    "a hundred thousand nines": b'"max_tokens":' + b"9" * 100_000,
    "2 to the 63rd": b'"max_tokens":9223372036854775808',
    "minus 2 to the 63rd": b'"seed":-9223372036854775809',
    "a million digits": b'"x":0.' + b"1" * DEEP,
    "a name twice": b'"stream":true,"stream":false',
    "what a pattern could walk through for ever": b'"stream":"' + b" - at `$" * DEEP + b'"',
    "the same as a name": b'"' + b" - at `$" * DEEP + b'":1',
    "a long name": b'"' + b"x" * DEEP + b'":1',
    "ten thousand names": b",".join(b'"x%d":1' % number for number in range(10_000)),
    "one name ten thousand times": b",".join([b'"x":1'] * 10_000),
    "a NUL as an escape": rb'"user":"a\u0000b"',
}


def most_memory_mib(gateway: Gateway) -> float:
    """The most that the process has ever held."""
    status = Path(f"/proc/{gateway.child.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) / 1024


@pytest.mark.parametrize("path", BODIES)
def test_a_bomb_is_a_bad_request(keyless: Gateway, path: str) -> None:
    for name, member in MEMBERS.items():
        answer = keyless.http.post(path, content=b"{" + BODIES[path] + b"," + member + b"}")
        assert answer.status_code == 400, f"{name}: {answer.text[:300]}"
        assert len(answer.content) < 4_000
        assert answer.json()["error"]["message"]


@pytest.mark.parametrize("path", BODIES)
def test_what_is_odd_and_small_is_read_or_refused(keyless: Gateway, path: str) -> None:
    for name, member in PERHAPS.items():
        answer = keyless.http.post(path, content=b"{" + BODIES[path] + b"," + member + b"}")
        assert answer.status_code in (200, 400), f"{name}: {answer.text[:300]}"
        json.loads(answer.content)


def zeros() -> Iterator[bytes]:
    for _ in range(48):
        yield bytes(MIB)


PACKED: dict[str, tuple[dict[str, str], Callable[[], bytes | Iterator[bytes]], int]] = {
    "gzip": ({"content-encoding": "gzip"}, lambda: gzip.compress(bytes(count(32, 1_024) * MIB)), 415),
    "deflate": ({"content-encoding": "deflate"}, lambda: zlib.compress(bytes(count(8, 256) * MIB)), 415),
    "several": ({"content-encoding": "gzip, gzip, br"}, lambda: b"\x1f\x8b", 415),
    "without end": ({}, zeros, 413),
}


@pytest.mark.parametrize("name", PACKED)
def test_what_would_unpack_to_more_is_not_read(keyless: Gateway, name: str) -> None:
    headers, body, status = PACKED[name]
    before = most_memory_mib(keyless)
    for path in ("/v1/chat/completions", "/v1/route"):
        answer = keyless.http.post(path, content=body(), headers={"content-type": "application/json", **headers})
        assert answer.status_code == status
    assert most_memory_mib(keyless) - before <= 64
    assert keyless.chat().status_code == 200
