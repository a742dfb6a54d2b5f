"""Rate limits are felt before they are hit; a header that is absurd or stale costs nobody a request."""

import json

import pytest

from gateway.execution.headroom import Headroom
from gateway.execution.health import Health
from tests.execution.providers import GOOD, Script, Visit, raw
from tests.execution.spine import opened, snapshot_of
from tests.execution.test_health import OFFERS, targets_of

NOW = 5_000.0
UNIX = 1_795_000_000.0


def openai(remaining: object, limit: object = 1_000, reset: str = "10s", what: str = "requests") -> dict[str, str]:
    """Headers of an answer as OpenAI and Groq write them."""
    return {
        f"x-ratelimit-remaining-{what}": str(remaining),
        f"x-ratelimit-limit-{what}": str(limit),
        f"x-ratelimit-reset-{what}": reset,
    }


def factor(headers: dict[str, str], after: float = 0.0) -> float:
    headroom = Headroom()
    headroom.heard(0, 0, headers, NOW, UNIX)
    return headroom.factors({}, NOW + after).get(0, 1.0)


@pytest.mark.parametrize(
    ("remaining", "after", "expected"),
    [
        (1_000, 0.0, 1.0), (100, 0.0, 1.0), (50, 0.0, 0.5), (50, 5.0, 0.75), (50, 10.0, 1.0),
        (0, 0.0, 0.0), (0, 9.9, 0.0), (0, 10.0, 1.0), (-3, 0.0, 0.0),
    ],
)  # fmt: skip
def test_availability_falls_in_the_last_tenth_and_comes_back(remaining: int, after: float, expected: float) -> None:
    assert factor(openai(remaining), after) == pytest.approx(expected)


@pytest.mark.parametrize(
    "headers",
    [
        openai(0, what="tokens"),
        openai(0, what="requests-day"),
        openai(0, what="tokens-minute", reset="20.5"),
        {"anthropic-ratelimit-input-tokens-remaining": "0",
         "anthropic-ratelimit-input-tokens-reset": "2026-11-18T11:07:00Z"},
        {"x-ratelimit-remaining-requests": "0"},
        {**openai(900), **openai(0, what="tokens")},
    ],
)  # fmt: skip
def test_every_vendors_way_of_saying_that_nothing_is_left_is_read(headers: dict[str, str]) -> None:
    assert factor(headers) == 0.0


@pytest.mark.parametrize("remaining", ["nan", "soon", "", "9" * 400, "inf"])
@pytest.mark.parametrize("limit", ["nan", "-1", "0", "inf", "1e999", "many"])
def test_what_cannot_be_read_changes_nothing(remaining: str, limit: str) -> None:
    assert factor(openai(remaining, limit)) == 1.0


@pytest.mark.parametrize("reset", ["1e20", "9" * 60, "99999h", "2999-01-01T00:00:00Z"])
def test_no_reset_is_further_away_than_an_hour(reset: str) -> None:
    assert factor(openai(0, reset=reset), 3_600.0) == 1.0


@pytest.mark.parametrize("reset", ["-5", "nan", "soon", ""])
def test_a_reset_that_cannot_be_is_soon_over(reset: str) -> None:
    assert factor(openai(0, reset=reset), 5.0) == 1.0


def test_a_later_answer_replaces_what_was_heard() -> None:
    headroom = Headroom()
    headroom.heard(0, 0, openai(0), NOW, UNIX)
    headroom.heard(0, 0, openai(500), NOW + 1.0, UNIX)
    assert not headroom.factors({}, NOW + 1.0)


def test_a_target_is_as_available_as_its_best_key_and_the_spent_one_is_left_out() -> None:
    health = Health(targets_of(*OFFERS), {"cloud": 2})
    column = OFFERS.index("a/one@cloud")
    whole = health.view(NOW).availability[column]
    health.headroom.heard(column, 0, openai(0), NOW, UNIX)
    assert health.view(NOW + 0.5).availability[column] == whole
    assert {health.take_key(column, NOW) for _ in range(4)} == {1}
    health.headroom.heard(column, 1, openai(0), NOW, UNIX)
    assert health.view(NOW + 1.0).availability[column] == 0.0
    assert {health.take_key(column, NOW) for _ in range(4)} == {0, 1}, "with none left, all are tried"
    assert health.view(NOW + 11.0).availability[column] == whole


def test_a_reload_keeps_what_was_heard() -> None:
    targets = targets_of("a/one@other", "a/two@cloud")
    before, after = Health(targets_of(*OFFERS)), Health(targets)
    before.headroom.heard(targets_of(*OFFERS).ids.index("a/two@cloud"), 0, openai(0), NOW, UNIX)
    after.adopt(before, ())
    assert after.view(NOW).availability[targets.ids.index("a/two@cloud")] == 0.0


def saying(remaining: int) -> Script:
    """A provider whose good answers say that so many of 1,000 requests are left for the next minute."""
    body = json.dumps(GOOD).encode()
    told = "".join(f"{name}: {value}\r\n" for name, value in openai(remaining, reset="60s").items())
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{told}\r\n"

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.write(head.encode() + body)

    return script


@pytest.mark.parametrize(("of_second", "expected"), [(900, "second"), (0, "first")])
async def test_who_has_nothing_left_is_passed_over_while_another_has_and_still_asked_when_nobody_has(
    of_second: int, expected: str
) -> None:
    async with raw(saying(0)) as first, raw(saying(of_second)) as second:
        providers = {
            name: {
                "base_url": f"http://127.0.0.1:{server.port}/v1",
                "models": [{"id": "own/model", "input_price_usd": price, "output_price_usd": price}],
            }
            for name, server, price in (("first", first, 0.1), ("second", second, 9))
        }
        async with opened(snapshot_of({}, providers=providers, router={"weights": {"cost": 1}})) as spine:
            replies = [await spine.ask(model="own/model") for _ in range(3)]
    assert [reply.status for reply in replies] == [200] * 3
    assert [reply.json["steelyard"]["provider"] for reply in replies] == ["first", "second", expected]
