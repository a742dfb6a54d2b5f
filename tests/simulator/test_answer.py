"""The same request has the same answer: in every process, from every provider; another seed has another."""

import asyncio

import pytest

from gateway.dialects.formats import OUTBOUND
from gateway.errors import SettingsError
from gateway.simulator.cards import simulated_catalog, simulated_providers
from gateway.simulator.dialects import BASE_PATHS, DIALECTS, simulated_dialects
from gateway.simulator.embedders import EMBEDDERS
from gateway.simulator.models import MODELS, OFFERS, PROVIDERS
from gateway.simulator.prose import NOUNS
from gateway.simulator.spawn import SimulatorProcess, spawn
from gateway.wire.ability import Ability
from tests.simulator.wire import ask


def text_of(port: int, **fields: object) -> str:
    return ask(port, **fields).text  # type: ignore[arg-type]


def test_the_provider_does_not_change_the_words_but_the_request_does(simulator: SimulatorProcess) -> None:
    alpha, bravo, delta = (simulator.ports[name] for name in ("sim-alpha", "sim-bravo", "sim-delta"))
    text = text_of(alpha)
    assert text == text_of(bravo) == text_of(delta, model="swift-mini") == text_of(alpha)
    others = {text_of(alpha, text="other"), text_of(alpha, seed=7), text_of(alpha, model="sim/swift-pro")}
    assert len(others - {text}) == 3


async def test_a_process_with_the_same_seed_says_the_same(port: int) -> None:
    same, other = await asyncio.gather(spawn(["sim-alpha"], pace=0, seed=1), spawn(["sim-alpha"], pace=0, seed=2))
    try:
        texts = [
            await asyncio.to_thread(text_of, number)
            for number in (port, same.ports["sim-alpha"], other.ports["sim-alpha"])
        ]
    finally:
        await asyncio.gather(same.stop(), other.stop())
    assert texts[0] == texts[1] != texts[2]


def test_a_wished_length_is_kept_to_the_token(port: int) -> None:
    for stream in (True, False):
        seen = ask(port, "OK;tokens=500", stream=stream)
        assert 1500 < len(seen.text) < 6000
        assert seen.text.endswith((".", "!"))


@pytest.mark.parametrize(
    ("content", "quoted"),
    [
        ("Say hello", '"Say hello"'),
        ("a b c d e f g h i j k l m n", '"a b c d e f g h i j k l …"'),
        ("x" * 5000, f'"{"x" * 100} …"'),
        ([{"type": "text", "text": "What is\n this?"}, {"type": "image_url", "image_url": {}}], '"What is this?"'),
    ],
    ids=["short", "many words", "a long word", "in parts"],
)
def test_an_answer_begins_by_saying_that_it_is_simulated_and_what_was_asked(
    port: int, content: object, quoted: str
) -> None:
    messages = [{"role": "user", "content": content}]
    text = text_of(port, model="sim/flagship", messages=messages)
    start = f"This is Steelyard's simulator, not a model. It was asked: {quoted}. "
    assert text.startswith(start)
    assert len(text) > len(start) + 40


def test_an_answer_to_nobodys_words_quotes_none(port: int) -> None:
    text = text_of(port, messages=[{"role": "system", "content": "Be kind."}])
    assert text.startswith("This is Steelyard's simulator, not a model. ")
    assert "asked" not in text


def test_a_long_list_of_tools_is_counted_and_shortened(port: int) -> None:
    tools: list[object] = [{"type": "custom", "custom": {"name": "shell"}}]
    tools += [{"type": "function", "function": {"name": name}} for name in "abcdef"]
    assert "It was offered 7 tools (custom, a, b, c, d, …) and calls none" in text_of(port, tools=tools)


def test_an_answer_goes_on_to_the_end_of_a_sentence(port: int) -> None:
    texts = [text_of(port, seed=seed) for seed in range(40)]
    assert not [text for text in texts if not text.endswith((".", "!"))]
    words = [text.removesuffix(".").removesuffix("!").rsplit(" ", 1)[1] for text in texts]
    assert set(words) <= {*NOUNS, "said", "certain"}


def test_the_catalog_has_a_card_for_every_offer_and_every_figure_its_source() -> None:
    cards, offers, sources = simulated_catalog()
    assert len(cards) == len(MODELS) + len(EMBEDDERS) >= 27
    assert {offer.model for offer in offers} == set(cards)
    assert {offer.provider for offer in offers} == set(PROVIDERS)
    assert max(sum(offer.model == name for offer in offers) for name in cards) > 1
    assert {figure.source for card in cards.values() for figure in card.quality.values()} == set(sources)
    assert any(not offer.abilities & Ability.TOOLS for offer in offers)
    assert len({offer.id for offer in offers}) == len(offers)


def test_prices_are_whole_nano_dollars_per_token() -> None:
    for offer in OFFERS:
        for price in (offer.input_usd, offer.output_usd, offer.cached_input_usd):
            assert abs(price * 1000 - round(price * 1000)) < 1e-9
        assert offer.cached_input_usd <= offer.input_usd <= offer.output_usd


def test_provider_rows_are_keyless_simulated_and_forward_the_wish() -> None:
    rows = simulated_providers({"sim-alpha": 4242})
    assert rows["sim-alpha"].base_url == "http://127.0.0.1:4242/v1"
    assert rows["sim-alpha"].key is None
    assert rows["sim-alpha"].simulated
    assert rows["sim-alpha"].forward_headers == ("x-steelyard-simulate",)


def test_the_environment_says_in_which_format_a_provider_is_asked() -> None:
    told = {DIALECTS: "sim-charlie=anthropic_messages, sim-delta=gemini"}
    rows = simulated_providers(dict.fromkeys(PROVIDERS, 4242), simulated_dialects(told))
    assert {name: (row.dialect, row.base_url.partition("4242")[2]) for name, row in rows.items()} == {
        "sim-alpha": ("openai_chat", "/v1"),
        "sim-bravo": ("openai_chat", "/v1"),
        "sim-charlie": ("anthropic_messages", "/v1"),
        "sim-delta": ("gemini", "/v1beta"),
    }
    assert BASE_PATHS.keys() <= OUTBOUND.keys()


@pytest.mark.parametrize("told", ["gemini", "sim-echo=gemini", "sim-delta=latin", "sim-delta"])
def test_a_format_that_nobody_speaks_is_named(told: str) -> None:
    with pytest.raises(SettingsError, match=f"{DIALECTS} is .*{told}"):
        simulated_dialects({DIALECTS: told})
