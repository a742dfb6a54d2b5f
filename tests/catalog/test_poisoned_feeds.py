"""F98 and F99: feeds that are down, empty, broken or poisoned. Not one poisoned figure is adopted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.catalog import snapshot
from gateway.catalog.card import Catalog, Figure, Offer
from tests.catalog.conftest import FeedServer
from tests.catalog.test_refresh import refresher

Poison = Callable[[dict[str, Any]], None]
RAW = "\0raw\0"  # a mark that becomes bare text in the JSON, for numbers that JSON has but Python would not write


def at(feed: str, *path: str | int, value: Any) -> Poison:
    """Set one place of one feed."""

    def poison(contents: dict[str, Any]) -> None:
        place = contents[feed]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return poison


def scaled(feed: str, factor: float, *names: str) -> Poison:
    """Multiply every number under one of the names, wherever that is."""

    def walk(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: scale(inner) if name in names else walk(inner) for name, inner in part.items()}
        return [walk(inner) for inner in part] if isinstance(part, list) else part

    def scale(number: Any) -> Any:
        if isinstance(number, dict):
            return {name: scale(inner) for name, inner in number.items()}
        if isinstance(number, str):
            return repr(float(number) * factor)
        return number * factor if isinstance(number, int | float) else number

    def poison(contents: dict[str, Any]) -> None:
        contents[feed] = walk(contents[feed])

    return poison


def replaced(feed: str, body: bytes) -> Poison:
    return lambda contents: contents.__setitem__(feed, body)


COST = ("models.dev", "openai", "models", "gpt-5", "cost")
LIMIT = ("models.dev", "openai", "models", "gpt-5", "limit")
LITELLM = ("litellm", "sambanova/Meta-Llama-3.3-70B-Instruct")
ROUTED = ("openrouter", "data", 0, "pricing")
BAD_PRICES = [0, -1, -1e-9, 0.001, 1e3, 1e5, 1e12, 1e300, "10", "free", None, True, [], {}, f"{RAW}1e999", f"{RAW}NaN"]
BAD_LIMITS = [-1, 1, 4e8, 1e300, "large", None, True, [], f"{RAW}1e999"]
BAD_PER_TOKEN = [0, -1e-6, 1.0, 1e-3, 1e-12, 1e300, "1e-6", None, [], f"{RAW}Infinity"]
BAD_NUMBERS = ["0", "-0.5", "nan", "NaN", "inf", "-inf", "1e300", "1", "0.00125", "1e-12"]
BAD_STRINGS: list[Any] = [*BAD_NUMBERS, "", "free", None, 7, []]
BODIES = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"<html>down</html>",
    b'{"openai"',
    b"\xff\xfe",
    b'{"openai":{"models":{}}}',
    b"0",
]

POISONS: dict[str, Poison] = {
    **{f"models.dev output price {value!r}": at(*COST, "output", value=value) for value in BAD_PRICES},
    **{f"models.dev input price {value!r}": at(*COST, "input", value=value) for value in BAD_PRICES},
    **{f"models.dev window {value!r}": at(*LIMIT, "context", value=value) for value in BAD_LIMITS},
    **{
        f"litellm output price {value!r}": at(*LITELLM, "output_cost_per_token", value=value) for value in BAD_PER_TOKEN
    },
    **{f"openrouter completion {value!r}": at(*ROUTED, "completion", value=value) for value in BAD_STRINGS},
    **{f"models.dev is {body!r}": replaced("models.dev", body) for body in BODIES},
    **{f"litellm is {body!r}": replaced("litellm", body) for body in BODIES},
    **{f"openrouter is {body!r}": replaced("openrouter", body) for body in BODIES},
    "models.dev loses a provider": lambda contents: contents["models.dev"].pop("openai"),
    "models.dev loses most models": lambda contents: contents["models.dev"]["openai"].update(
        models={"o3-mini": contents["models.dev"]["openai"]["models"]["o3-mini"]}
    ),
    "models.dev in cents": scaled("models.dev", 100, "cost"),
    "models.dev per token": scaled("models.dev", 1e-6, "cost"),
    "models.dev times 100,000": scaled("models.dev", 1e5, "cost"),
    "models.dev all free": scaled("models.dev", 0, "cost"),
    "models.dev limits times 1,000": scaled("models.dev", 1e3, "limit"),
    "models.dev without limits": scaled("models.dev", 0, "limit"),
    "litellm times 1,000": scaled("litellm", 1e3, "input_cost_per_token", "output_cost_per_token"),
    "openrouter times 1,000": scaled("openrouter", 1e3, "prompt", "completion"),
    "openrouter all free": scaled("openrouter", 0, "prompt", "completion"),
    "every provider null": lambda contents: contents["models.dev"].update(dict.fromkeys(contents["models.dev"])),
}


def encoded(content: Any) -> Any:
    """The feed's bytes, with raw numbers written as they stand."""
    if isinstance(content, bytes | str):
        return content
    return msgspec.json.encode(content).replace(b'"\\u0000raw\\u00001e999"', b"1e999").replace(
        b'"\\u0000raw\\u0000NaN"', b"NaN"
    ).replace(b'"\\u0000raw\\u0000Infinity"', b"Infinity")  # fmt: skip


def stated(catalog: Catalog) -> dict[tuple[str, str], float]:
    """Every price and limit of every offer."""
    return {
        (offer.id, field): figure.value
        for offer in catalog.offers
        for field, figure in _figures(offer).items()
        if figure is not None
    }


def _figures(offer: Offer) -> dict[str, Figure | None]:
    prices = offer.prices
    return {
        "input": prices.input,
        "output": prices.output,
        "window": offer.context_window,
        "longest input": offer.max_input_tokens,
        "longest output": offer.max_output_tokens,
    }


def test_there_are_enough_of_them() -> None:
    assert len(POISONS) >= 50


@pytest.mark.parametrize("name", POISONS)
async def test_a_poisoned_feed_changes_nothing(feed_server: FeedServer, tmp_path: Path, name: str) -> None:
    pulling = refresher(feed_server, tmp_path)
    await pulling.refresh_once()
    before = stated(pulling.catalog)
    poisoned = dict(feed_server.contents)
    POISONS[name](poisoned)
    feed_server.contents = {feed: encoded(content) for feed, content in poisoned.items()}
    report = await pulling.refresh_once()
    assert stated(pulling.catalog) == before
    if report.adopted:
        assert report.quarantined or report.problems or any(feed.outcome == "failed" for feed in report.feeds)
        assert stated(snapshot.load(tmp_path / "catalog.json")) == before


async def test_a_feed_that_recovers_is_believed_again(feed_server: FeedServer, tmp_path: Path) -> None:
    pulling = refresher(feed_server, tmp_path)
    await pulling.refresh_once()
    honest = feed_server.contents["models.dev"]
    feed_server.contents["models.dev"] = b"<html>down</html>"
    await pulling.refresh_once()
    honest["openai"]["models"]["gpt-5"]["cost"]["output"] = 11
    feed_server.contents["models.dev"] = honest
    assert (await pulling.refresh_once()).quarantined == ()
    assert stated(pulling.catalog)["openai/gpt-5@openai", "output"] == 11
