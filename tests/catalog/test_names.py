"""Spellings as the sources really write them, and the canonical ids that they mean."""

import pytest

from gateway.catalog.aliases import bundled
from gateway.catalog.names import Names, is_chat_model

CANONICAL = (
    "meta-llama/llama-3.1-8b-instruct",
    "qwen/qwen3-32b",
    "qwen/qwen3-coder",
    "z-ai/glm-5.2",
    "z-ai/glm-4.7",
    "google/gemma-4-31b-it",
    "anthropic/claude-sonnet-4.6",
    "moonshotai/kimi-k2.6",
    "minimax/minimax-m3",
    "openai/gpt-4o",
    "openai/gpt-4o-2024-08-06",
    "x-ai/grok-4.20",
    "nvidia/nemotron-nano-9b-v2",
    "deepseek/deepseek-v4-flash",
)
SPELLINGS = [
    ("gpt-5", "openai", "openai/gpt-5"),
    ("gpt-5-2025-08-07", "openai", "openai/gpt-5"),
    ("openai-gpt-5", "digitalocean", "openai/gpt-5"),
    ("databricks-gpt-5-mini", "databricks", "openai/gpt-5-mini"),
    ("gpt-4o-2024-08-06", "openai", "openai/gpt-4o-2024-08-06"),
    ("gpt-4o-2024-05-13", "openai", "openai/gpt-4o"),
    ("claude-opus-4-5-20251101", "anthropic", "anthropic/claude-opus-4.5"),
    ("claude-opus-4-5@20251101", "vertex", "anthropic/claude-opus-4.5"),
    ("global.anthropic.claude-opus-4-5-20251101-v1:0", "bedrock", "anthropic/claude-opus-4.5"),
    ("anthropic.claude-sonnet-4-6", "bedrock", "anthropic/claude-sonnet-4.6"),
    ("claude-4.5-haiku", "helicone", "anthropic/claude-haiku-4.5"),
    ("anthropic-claude-4.5-haiku", "digitalocean", "anthropic/claude-haiku-4.5"),
    ("accounts/fireworks/models/glm-5p2", "fireworks", "z-ai/glm-5.2"),
    ("accounts/fireworks/models/llama-v3p3-70b-instruct", "fireworks", "meta-llama/llama-3.3-70b-instruct"),
    ("zai-org/GLM-5.2", "together", "z-ai/glm-5.2"),
    ("zai-glm-4.7", "cerebras", "z-ai/glm-4.7"),
    ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "together", "meta-llama/llama-3.3-70b-instruct"),
    ("Meta-Llama-3.3-70B-Instruct", "sambanova", "meta-llama/llama-3.3-70b-instruct"),
    ("meta-llama-3_3-70b-instruct", "ovhcloud", "meta-llama/llama-3.3-70b-instruct"),
    ("llama-3.3-70b-versatile", "groq", "meta-llama/llama-3.3-70b-instruct"),
    ("llama3.1-8b", "cerebras", "meta-llama/llama-3.1-8b-instruct"),
    ("meta.llama4-maverick-17b-instruct-v1:0", "bedrock", "meta-llama/llama-4-maverick"),
    ("Llama-4-Maverick-17B-128E-Instruct-FP8", "meta", "meta-llama/llama-4-maverick"),
    ("meta/llama-4-scout-17b-16e-instruct-maas", "vertex", "meta-llama/llama-4-scout"),
    ("qwen-3-32b", "cerebras", "qwen/qwen3-32b"),
    ("Qwen/Qwen3-Coder-480B-A35B-Instruct-Turbo", "deepinfra", "qwen/qwen3-coder"),
    ("google/gemma-4-31B-it", "deepinfra", "google/gemma-4-31b-it"),
    ("moonshotai/Kimi-K2.6", "deepinfra", "moonshotai/kimi-k2.6"),
    ("kimi-k2-0711-preview", "moonshot", "moonshotai/kimi-k2"),
    ("MiniMax-M3", "minimax", "minimax/minimax-m3"),
    ("grok-4-0709", "xai", "x-ai/grok-4"),
    ("xai/grok-3", "github", "x-ai/grok-3"),
    ("grok-4.20-0309-non-reasoning", "xai", "x-ai/grok-4.20"),
    ("nvidia/nvidia-nemotron-nano-9b-v2", "nvidia", "nvidia/nemotron-nano-9b-v2"),
    ("deepseek-chat", "deepseek", "deepseek/deepseek-v4-flash"),
    ("deepseek-v3", "azure", "deepseek/deepseek-chat"),
    ("command-a-03-2025", "cohere", "cohere/command-a"),
    ("mistral-large-latest", "mistral", "mistralai/mistral-large-2512"),
    ("@cf/openai/gpt-oss-120b", "cloudflare", "openai/gpt-oss-120b"),
    ("Llama 4 Maverick", "", "meta-llama/llama-4-maverick"),
]


@pytest.fixture
def names() -> Names:
    return Names(bundled(), CANONICAL)


@pytest.mark.parametrize(("spelling", "provider", "model_id"), SPELLINGS)
def test_a_spelling_joins_its_model(names: Names, spelling: str, provider: str, model_id: str) -> None:
    assert names.resolve(spelling, provider) == model_id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("gpt-5", "gpt-5-mini"),
        ("gpt-5", "gpt-5-chat-latest"),
        ("kimi-k2", "kimi-k2-thinking"),
        ("glm-5.2", "glm-5.2-fast"),
        ("qwen3-235b-a22b", "qwen3-235b-a22b-thinking-2507"),
        ("llama-3.1-8b-instruct", "llama-3.1-70b-instruct"),
        ("deepseek-r1", "deepseek-r1-distill-llama-70b"),
        ("grok-4", "grok-4.1-fast"),
    ],
)
def test_models_that_differ_stay_apart(names: Names, one: str, other: str) -> None:
    assert names.resolve(one) != names.resolve(other)


def test_a_new_model_gets_an_id_that_the_next_source_joins(names: Names) -> None:
    assert names.resolve("claude-haiku-5-5", "anthropic") == "anthropic/claude-haiku-5.5"
    assert names.resolve("anthropic.claude-haiku-5-5-20261001-v1:0", "bedrock") == "anthropic/claude-haiku-5.5"


def test_a_name_of_no_known_maker_joins_nothing(names: Names) -> None:
    assert names.resolve("yi-lightning") is None


@pytest.mark.parametrize(
    "name",
    [
        "text-embedding-3-small", "whisper-large-v3", "gpt-image-1", "llama-guard-4-12b", "omni-moderation-latest",
        "mistral-ocr-2512", "gpt-4o-mini-tts", "accounts/fireworks/models/deepseek-coder-7b-base-v1p5",
        "mistral-nemo-base-2407", "mistral-code-fim-latest", "gpt-3.5-turbo-instruct", "relace/relace-apply-3",
        "morph/morph-v3-large", "accounts/fireworks/models/llama-v2-70b", "google/flan-t5-xl-3b", "mercury-edit-2",
    ],
)  # fmt: skip
def test_models_that_do_not_chat_are_told_by_their_names(name: str) -> None:
    assert not is_chat_model(name)


@pytest.mark.parametrize(
    "name",
    [
        "gpt-5", "Meta-Llama-3.3-70B-Instruct", "llama3.1-405b", "accounts/fireworks/models/llama-v3p3-70b-instruct",
        "gpt-3.5-turbo", "phi-4", "microsoft/phi-3-mini-4k-instruct", "command-a-translate-08-2025", "baseten/kimi-k2",
        "classic-baseline", "credit-8b",
    ],
)  # fmt: skip
def test_models_that_chat_are_not_taken_for_others(name: str) -> None:
    assert is_chat_model(name)
