"""Faults of a provider that another could serve never reach the caller."""

import json

import pytest

from tests.running import Gateway, Simulator, stopped_after

ALL = ("sim-alpha", "sim-bravo", "sim-charlie", "sim-delta")


def first_choice(gateway: Gateway) -> str:
    """The provider that a plain request goes to."""
    provider: str = gateway.http.post(
        "/v1/route", json={"model": "auto", "messages": [{"role": "user", "content": "hello"}]}
    ).json()["winner"].split("@")[1]
    return provider


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("F06", "no_answer"),
        ("F07", "no_answer"),
        ("F17", "quota_exhausted"),
        ("F21", "credentials"),
        ("F22", "permission"),
        ("F23", "model_gone"),
        ("F24", "request_timeout"),
        ("F29", "server_error"),
        ("F30", "server_error"),
        ("F33", "overloaded"),
        ("F34", None),
        ("F35", "broken_answer"),
        ("F36", "broken_answer"),
        ("F44", "redirect"),
    ],
)
def test_a_fault_of_the_first_choice_is_not_seen(tmp_path, fault: str, named: str | None, stream: bool) -> None:
    gateway = Gateway(tmp_path, environ={"STEELYARD_SIMULATOR_PACE": "0"})
    with stopped_after(gateway):
        provider = first_choice(gateway)
        answer = gateway.chat(stream=stream, headers={"x-steelyard-simulate": f"{provider}={fault}"})
        assert answer.status_code == 200
        assert answer.headers["x-steelyard-fallback"] == "true"
        assert answer.headers["x-steelyard-provider"] != provider
