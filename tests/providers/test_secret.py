"""A key shows itself to `reveal` alone."""

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable

import msgspec
import pytest

from gateway.providers.provider import Provider, Secret

KEY = "sk-canary-Zq8vT2mX5cR7nB4w"
WAYS: dict[str, Callable[[Secret], object]] = {
    "str": str,
    "repr": repr,
    "ascii": ascii,
    "percent": lambda secret: "%s %r %a" % (secret, secret, secret),  # noqa: UP031 - the way that is tested
    "f-string": lambda secret: f"{secret} {secret!r} {secret!s:>40}",
    "format": lambda secret: "{0} {0!r}".format(secret),  # noqa: UP032 - the way that is tested
    "in a list": lambda secret: repr([secret, {"key": secret}]),
    "in a provider": lambda secret: repr(Provider("p", "P", "http://h", secret)),
    "pickle": lambda secret: pickle.dumps(secret),
    "unpickled": lambda secret: pickle.loads(pickle.dumps(secret)).reveal(),  # noqa: S301 - our own bytes
    "copy": lambda secret: copy.copy(secret).reveal(),
    "deepcopy": lambda secret: copy.deepcopy({"key": secret})["key"].reveal(),
    "json with a default": lambda secret: json.dumps({"key": secret}, default=str),
    "msgspec with a hook": lambda secret: msgspec.json.encode(secret, enc_hook=str),
    "log record": lambda secret: logging.LogRecord("n", 10, "p", 1, "key %s", (secret,), None).getMessage(),
}
REFUSED: dict[str, Callable[[Secret], object]] = {
    "json": json.dumps,
    "msgspec json": msgspec.json.encode,
    "msgspec msgpack": msgspec.msgpack.encode,
    "msgspec builtins": msgspec.to_builtins,
    "vars": vars,
    "format with a width": lambda secret: f"{secret:>40}",
    "concatenation": lambda secret: "Bearer " + secret,  # type: ignore[operator]
    "bytes": lambda secret: bytes(secret),  # type: ignore[call-overload]
    "iteration": list,  # type: ignore[dict-item]
}


def test_the_key_is_there_for_who_asks_for_it() -> None:
    assert Secret(KEY).reveal() == KEY


@pytest.mark.parametrize("way", WAYS)
def test_a_key_is_stars_in_every_other_way(way: str) -> None:
    shown = WAYS[way](Secret(KEY))
    text = shown.decode("latin-1") if isinstance(shown, bytes) else str(shown)
    assert "***" in text
    assert "canary" not in text


@pytest.mark.parametrize("way", REFUSED)
def test_a_key_does_not_fit_where_stars_would_make_no_sense(way: str) -> None:
    with pytest.raises(TypeError) as refusal:
        REFUSED[way](Secret(KEY))
    assert "canary" not in str(refusal.value)


def test_a_traceback_that_shows_its_variables_shows_no_key() -> None:
    def fail(secret: Secret) -> None:
        raise RuntimeError(f"no luck with {secret}")

    with pytest.raises(RuntimeError) as failure:
        fail(Secret(KEY))
    told = traceback.TracebackException.from_exception(failure.value, capture_locals=True)
    frames = [line for line in told.format() if "def test_" not in line]
    assert "***" in "".join(frames)
    assert "canary" not in "".join(frames)
