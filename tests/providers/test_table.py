"""The table of providers, and how settings and environment make its rows live."""

import re
from pathlib import Path

import pytest
from msgspec import json

from gateway import __version__
from gateway.providers.provider import Provider
from gateway.providers.reference import reference
from gateway.providers.request import model_url, upstream_headers
from gateway.providers.table import found_keys, load_table, resolve
from gateway.settings.schema import ProviderSettings, Settings

ROOT = Path(__file__).parents[2]
NAMED_BY_THE_ISSUE = [
    "openai",
    "anthropic",
    "google",
    "xai",
    "deepseek",
    "mistral",
    "alibaba",
    "moonshot",
    "groq",
    "together",
    "fireworks",
    "cerebras",
    "openrouter",
    "perplexity",
    "cohere",
    "nvidia",
    "sambanova",
    "deepinfra",
    "hyperbolic",
    "novita",
    "nebius",
    "zai",
    "minimax",
    "meta",
    "github",
    "huggingface",
]


def live(environ: dict[str, str], **providers: ProviderSettings) -> dict[str, Provider]:
    return resolve(Settings(providers=providers), environ).live


def absent(environ: dict[str, str], **providers: ProviderSettings) -> dict[str, str]:
    return resolve(Settings(providers=providers), environ).absent


def test_the_table_holds_every_provider_that_was_promised() -> None:
    assert set(NAMED_BY_THE_ISSUE) <= load_table().keys()


@pytest.mark.parametrize("provider", load_table().values(), ids=lambda provider: provider.name)
def test_a_row_is_well_formed(provider: Provider) -> None:
    place = r"\{[a-z]+\}" if provider.cloud else "x"
    assert re.fullmatch(rf"https://([a-z0-9.-]|{place})+(/[a-zA-Z0-9./_-]*[a-zA-Z0-9])?", provider.base_url)
    assert provider.docs.startswith("https://")
    assert model_url(provider, "m", stream=False).startswith(provider.base_url + "/")
    assert provider.key is None
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]+", name) for name in provider.key_env)
    assert provider.key_env
    assert re.fullmatch(r"([A-Z]{3})?", provider.region)
    assert all(name == name.lower() for name, _ in provider.headers)


def test_no_variable_makes_two_providers_live() -> None:
    names = [name for provider in load_table().values() for name in provider.key_env]
    assert len(names) == len(set(names))


def test_nothing_is_live_without_keys_and_each_absence_says_what_to_do() -> None:
    resolution = resolve(Settings(), {})
    assert resolution.live == {}
    assert resolution.absent.keys() == load_table().keys()
    assert resolution.absent["groq"] == "set GROQ_API_KEY"
    assert resolution.absent["google"].startswith("set GEMINI_API_KEY or GOOGLE_API_KEY")


def test_a_key_in_the_environment_makes_its_provider_live() -> None:
    found = live({"GROQ_API_KEY": " gsk-1\n", "XAI_API_KEY": "  "})
    assert found.keys() == {"groq"}
    assert dict(upstream_headers(found["groq"]))["authorization"] == "Bearer gsk-1"
    assert found_keys({"GROQ_API_KEY": "gsk-1", "XAI_API_KEY": ""}) == {"groq": "GROQ_API_KEY"}


def test_the_first_variable_wins() -> None:
    found = live({"GOOGLE_API_KEY": "second", "GEMINI_API_KEY": "first"})
    assert dict(upstream_headers(found["google"]))["x-goog-api-key"] == "first"


def test_the_settings_may_name_another_key() -> None:
    found = live({"GROQ_API_KEY": "a", "TEAM_KEY": "b"}, groq=ProviderSettings(api_key="env:TEAM_KEY"))
    assert dict(upstream_headers(found["groq"]))["authorization"] == "Bearer b"


def test_a_reference_that_leads_nowhere_is_an_absence_not_a_crash() -> None:
    reason = absent({"GROQ_API_KEY": "a"}, groq=ProviderSettings(api_key="env:MISSING_KEY"))["groq"]
    assert reason.startswith("providers.groq.api_key refers to env:MISSING_KEY, which is not set")


def test_a_provider_can_be_switched_off() -> None:
    off = ProviderSettings(enabled=False)
    assert "groq" not in live({"GROQ_API_KEY": "a"}, groq=off)
    assert "providers.groq.enabled" in absent({"GROQ_API_KEY": "a"}, groq=off)["groq"]


def test_a_server_of_your_own_needs_no_key() -> None:
    attic = live({}, attic=ProviderSettings(base_url="http://127.0.0.1:11434/v1/", region="CHE"))["attic"]
    assert model_url(attic, "m", stream=True) == "http://127.0.0.1:11434/v1/chat/completions"
    assert "authorization" not in dict(upstream_headers(attic))
    assert attic.region == "CHE"


def test_a_server_of_your_own_that_speaks_messages_is_told_the_version_that_it_insists_on() -> None:
    own = ProviderSettings(base_url="http://127.0.0.1:1/v1", dialect="anthropic_messages")
    assert dict(upstream_headers(live({}, attic=own)["attic"]))["anthropic-version"] == "2023-06-01"


def test_a_server_of_your_own_may_have_a_key() -> None:
    attic = live({"K": "x"}, attic=ProviderSettings(base_url="http://127.0.0.1:1/v1", api_key="env:K"))["attic"]
    assert dict(upstream_headers(attic))["authorization"] == "Bearer x"


def test_a_key_of_the_environment_is_never_sent_to_another_host() -> None:
    found = live({"OPENAI_API_KEY": "sk-real"}, openai=ProviderSettings(base_url="http://127.0.0.1:9/v1"))["openai"]
    assert found.key is None
    assert model_url(found, "m", stream=False) == "http://127.0.0.1:9/v1/chat/completions"


def test_an_unknown_provider_without_a_url_is_told_the_nearest_name() -> None:
    assert 'did you mean "groq"' in absent({}, grok=ProviderSettings(api_key="env:K"))["grok"]
    assert "providers.zzz.base_url" in absent({}, zzz=ProviderSettings())["zzz"]


@pytest.mark.parametrize("key", ["a b", "a\r\nx-evil: 1", "ключ", "a\x00"])
def test_a_key_that_does_not_fit_into_a_header_is_refused_and_not_shown(key: str) -> None:
    reason = absent({"GROQ_API_KEY": key})["groq"]
    assert "its key" in reason
    assert key not in reason


def test_headers_are_built_from_nothing() -> None:
    assert dict(upstream_headers(load_table()["github"])) == {
        "content-type": "application/json",
        "user-agent": f"steelyard/{__version__}",
        "x-github-api-version": "2022-11-28",
    }


def test_a_header_of_the_settings_replaces_ours_of_the_same_name() -> None:
    wished = ProviderSettings(headers={"X-GitHub-Api-Version": "2026-03-10", "User-Agent": "mine", "X-Team": "a"})
    headers = upstream_headers(live({"GITHUB_TOKEN": "t"}, github=wished)["github"])
    assert sorted(headers) == [
        ("authorization", "Bearer t"),
        ("content-type", "application/json"),
        ("user-agent", "mine"),
        ("x-github-api-version", "2026-03-10"),
        ("x-team", "a"),
    ]


def test_another_header_than_authorization_gets_the_bare_key() -> None:
    azure = live({"K": "x"}, mine=ProviderSettings(base_url="https://example.invalid", api_key="env:K"))["mine"]
    changed = Provider(name="azure", title="Azure", base_url=azure.base_url, key=azure.key, auth_header="api-key")
    assert dict(upstream_headers(changed))["api-key"] == "x"


def test_a_key_never_shows_itself() -> None:
    provider = live({"GROQ_API_KEY": "gsk-hidden"})["groq"]
    assert "gsk-hidden" not in repr(provider) + str(provider.key) + f"{provider.key}"
    assert b"gsk-hidden" not in json.encode(provider, enc_hook=str)


def test_the_page_of_providers_is_up_to_date() -> None:
    page = (ROOT / "docs" / "providers.md").read_text()
    assert page == reference(), "run: python -m gateway.providers.reference > docs/providers.md"


def test_a_key_written_into_the_settings_is_refused_and_not_shown() -> None:
    reason = absent({}, groq=ProviderSettings(api_key="gsk-written-here"))["groq"]
    assert "looks like a key itself" in reason
    assert "gsk-written-here" not in reason
