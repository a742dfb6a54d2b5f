"""A flood of keys that open nothing costs nothing that stays (S32), and no part of a key is worth anything (S04)."""

import hashlib
import os
import tracemalloc

import pytest

from gateway.errors import Unauthorized
from gateway.server.auth import Callers, new_key
from gateway.settings.schema import CallerKey
from tests.security.counts import count

KEYS = [new_key()[0] for _ in range(100)]
CALLERS = Callers(
    tuple(CallerKey(f"k{number}", hashlib.sha256(key.encode()).hexdigest()) for number, key in enumerate(KEYS))
)


def is_refused(key: bytes) -> bool:
    try:
        CALLERS.identify([(b"x-api-key", key)], b"")
    except Unauthorized:
        return True
    return False


def test_a_flood_of_unknown_keys_leave_nothing_behind() -> None:
    is_refused(b"first")
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        assert all(is_refused(os.urandom(24).hex().encode()) for _ in range(count(5_000, 200_000)))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10_000


@pytest.mark.parametrize("length", [1, 13, 20, 40, 55])
def test_a_key_that_begins_like_another_is_unknown(length: int) -> None:
    for key in KEYS:
        assert is_refused(key[:length].encode())
        assert is_refused((key[:length] + new_key()[0][length:]).encode()) or length > 54
        assert is_refused(hashlib.sha256(key.encode()).hexdigest().encode())
        assert not is_refused(key.encode())


def test_every_key_is_its_own_callers() -> None:
    names = [CALLERS.identify([(b"x-api-key", key.encode())], b"").name for key in KEYS]
    assert names == [f"k{number}" for number in range(len(KEYS))]
