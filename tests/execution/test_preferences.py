"""Who would lose something that is asked for comes after who would not; what nobody can promise is named."""

from typing import Any

import pytest

from gateway.dialects.contract import Inbound
from gateway.dialects.formats import CHAT, COMPLETIONS, GEMINI, MESSAGES, RESPONSES
from gateway.live import Snapshot
from tests.execution.providers import simulated
from tests.execution.spine import Reply, opened, snapshot_of

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
MESSAGE = [{"role": "user", "content": "hello"}]
FUNCTION = {"name": "weather", "parameters": SCHEMA}
FORCING: list[tuple[Inbound, dict[str, Any], dict[str, Any]]] = [
    (CHAT, {"messages": MESSAGE, "tools": [{"type": "function", "function": FUNCTION}]}, {"tool_choice": "required"}),
    (
        CHAT,
        {"messages": MESSAGE, "tools": [{"type": "function", "function": FUNCTION}]},
        {"tool_choice": {"type": "function", "function": {"name": "weather"}}},
    ),
    (RESPONSES, {"input": "hello", "tools": [{"type": "function", **FUNCTION}]}, {"tool_choice": "required"}),
    (
        MESSAGES,
        {"messages": MESSAGE, "max_tokens": 99, "tools": [{"name": "weather", "input_schema": SCHEMA}]},
        {"tool_choice": {"type": "any"}},
    ),
    (
        GEMINI,
        {"contents": [{"parts": [{"text": "hello"}]}], "tools": [{"functionDeclarations": [FUNCTION]}]},
        {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
    ),
]
LEAVING = [
    {"tool_choice": "auto"},
    {"tool_choice": "none"},
    {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}, "mode": "auto"}},
]


def two_hosts(cheap: int, dear: int) -> Snapshot:
    """A model at a server that speaks Ollama's format, and, dearer, at one that speaks OpenAI's."""
    providers = {
        name: {
            "base_url": url,
            "dialect": dialect,
            "models": [
                {
                    "id": "own/model",
                    "upstream_name": "sim/swift-mini",
                    "abilities": ["tools"],
                    "input_price_usd": price,
                    "output_price_usd": price,
                }
            ],
        }
        for name, url, dialect, price in (
            ("cheap", f"http://127.0.0.1:{cheap}", "ollama", 0.1),
            ("dear", f"http://127.0.0.1:{dear}/v1", "openai_chat", 9.0),
        )
    }
    return snapshot_of({}, providers=providers, router={"weights": {"cost": 1}})


async def ask(inbound: Inbound, **document: Any) -> Reply:
    async with (
        simulated("sim-alpha", "sim-bravo") as sim,
        opened(two_hosts(sim.ports["sim-alpha"], sim.ports["sim-bravo"])) as spine,
    ):
        return await spine.ask(inbound=inbound, document={"model": "own/model", **document})


@pytest.mark.parametrize(("inbound", "document", "choice"), FORCING)
async def test_a_call_that_has_to_be_made_goes_to_who_can_be_made_to(
    inbound: Inbound, document: dict[str, Any], choice: dict[str, Any]
) -> None:
    assert (await ask(inbound, **document)).json["steelyard"]["provider"] == "cheap"
    forced = await ask(inbound, **document, **choice)
    assert forced.json["steelyard"]["provider"] == "dear"
    assert "x-steelyard-loss" not in forced.headers


@pytest.mark.parametrize("choice", LEAVING)
async def test_a_choice_that_leaves_one_changes_nobodys_place(choice: dict[str, Any]) -> None:
    reply = await ask(CHAT, **FORCING[0][1], **choice)
    assert reply.json["steelyard"]["provider"] == "cheap"


CALLERS: list[tuple[Inbound, dict[str, Any]]] = [
    (CHAT, {"messages": MESSAGE}),
    (COMPLETIONS, {"prompt": "hello"}),
    (RESPONSES, {"input": "hello"}),
    (MESSAGES, {"messages": MESSAGE, "max_tokens": 9}),
    (GEMINI, {"contents": [{"parts": [{"text": "hello"}]}]}),
]


@pytest.mark.parametrize(("inbound", "document"), CALLERS, ids=lambda value: getattr(value, "name", ""))
async def test_providers_are_wished_for_in_every_format(inbound: Inbound, document: dict[str, Any]) -> None:
    only = await ask(inbound, **document, provider={"only": ["dear"]})
    order = await ask(inbound, **document, provider={"order": ["dear"], "data_collection": "allow"})
    assert only.json["steelyard"]["provider"] == order.json["steelyard"]["provider"] == "dear"
    assert "x-steelyard-loss" not in order.headers


@pytest.mark.parametrize(("inbound", "document"), CALLERS, ids=lambda value: getattr(value, "name", ""))
async def test_a_wish_that_nobody_can_fulfil_is_named(inbound: Inbound, document: dict[str, Any]) -> None:
    wishes = {"zdr": True, "data_collection": "deny", "onlyy": ["dear"], "quantizations": []}
    reply = await ask(inbound, **document, provider=wishes)
    assert reply.headers["x-steelyard-loss"] == "provider.zdr, provider.data_collection, provider.onlyy"


async def test_who_requires_every_parameter_gets_nobody_who_would_lose_one() -> None:
    plain = {"messages": MESSAGE, "logit_bias": {"5": 1}}
    assert (await ask(CHAT, **plain)).headers["x-steelyard-loss"] == "logit_bias"
    strict = await ask(CHAT, **plain, provider={"require_parameters": True})
    assert strict.json["steelyard"]["provider"] == "dear"
    assert "x-steelyard-loss" not in strict.headers


THOUGHTFUL: list[tuple[Inbound, str, dict[str, Any], str]] = [
    (CHAT, "openai_chat", {"messages": MESSAGE, "reasoning_effort": "high"}, "reasoning_effort"),
    (RESPONSES, "openai_responses", {"input": "hello", "reasoning": {"effort": "high"}}, "reasoning"),
    (
        MESSAGES,
        "anthropic_messages",
        {"messages": MESSAGE, "max_tokens": 3000, "thinking": {"type": "enabled", "budget_tokens": 2000}},
        "thinking",
    ),
]


@pytest.mark.parametrize(("inbound", "dialect", "document", "field"), THOUGHTFUL)
async def test_a_model_that_does_not_think_is_not_asked_to_and_the_caller_is_told(
    inbound: Inbound, dialect: str, document: dict[str, Any], field: str
) -> None:
    async with simulated("sim-alpha") as sim:
        models = [
            {"id": f"own/{name}", "upstream_name": f"sim/{upstream}", "abilities": abilities}
            for name, upstream, abilities in (
                ("plain", "swift-mini", ["tools"]),
                ("thinker", "thinker", ["tools", "reasoning"]),
                ("unknown", "thinker", []),
            )
        ]
        own = {"base_url": f"http://127.0.0.1:{sim.ports['sim-alpha']}/v1", "dialect": dialect, "models": models}
        async with opened(snapshot_of({}, providers={"own": own})) as spine:
            replies = {
                name: await spine.ask(inbound=inbound, document={"model": f"own/{name}", **document})
                for name in ("plain", "thinker", "unknown")
            }
            off = {**document, field: {"type": "disabled"} if field == "thinking" else None}
            silent = await spine.ask(inbound=inbound, document={"model": "own/plain", **off})
    assert {reply.status for reply in replies.values()} == {200}
    assert replies["plain"].headers["x-steelyard-loss"] == field
    assert "x-steelyard-loss" not in {**replies["thinker"].headers, **replies["unknown"].headers, **silent.headers}
