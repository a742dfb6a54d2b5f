"""Small honest feeds in the sources' own shapes: three models, at their makers and at two hosts."""

import copy
from typing import Any

import msgspec

Json = dict[str, Any]


def price_entry(model: str, cost: Json, context: int = 400_000, **more: Any) -> Json:
    """An entry of models.dev's api.json."""
    return {
        "id": model,
        "name": model,
        "family": "gpt",
        "reasoning": True,
        "tool_call": True,
        "structured_output": True,
        "release_date": "2025-08-07",
        "open_weights": False,
        "modalities": {"input": ["text", "image"], "output": ["text"]},
        "limit": {"context": context, "output": 128_000},
        "cost": cost,
        **more,
    }


MODELS_DEV: Json = {
    "openai": {
        "id": "openai",
        "models": {
            "gpt-5": price_entry("gpt-5", {"input": 1.25, "output": 10, "cache_read": 0.125}),
            "gpt-5-mini": price_entry("gpt-5-mini", {"input": 0.25, "output": 2, "cache_read": 0.025}),
            "gpt-5-nano": price_entry("gpt-5-nano", {"input": 0.05, "output": 0.4, "cache_read": 0.005}),
            "gpt-4.1": price_entry("gpt-4.1", {"input": 2, "output": 8}, 1_047_576),
            "gpt-4o": price_entry("gpt-4o", {"input": 2.5, "output": 10}, 128_000),
            "o3-mini": price_entry("o3-mini", {"input": 1.1, "output": 4.4}, 200_000),
        },
    },
    "anthropic": {
        "id": "anthropic",
        "models": {
            "claude-opus-4-5": price_entry("claude-opus-4-5", {"input": 5, "output": 25, "cache_read": 0.5}, 200_000),
            "claude-haiku-4-5": price_entry("claude-haiku-4-5", {"input": 1, "output": 5, "cache_read": 0.1}, 200_000),
        },
    },
    "groq": {
        "id": "groq",
        "models": {"openai/gpt-oss-120b": price_entry("gpt-oss-120b", {"input": 0.15, "output": 0.6}, 131_072)},
    },
}

OPENROUTER: Json = {
    "data": [
        {
            "id": model,
            "name": f"Somebody: {model}",
            "context_length": context,
            "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
            "pricing": {"prompt": prompt, "completion": completion, "input_cache_read": cached},
            "top_provider": {"context_length": context, "max_completion_tokens": 64_000},
            "supported_parameters": ["tools", "response_format", "structured_outputs"],
        }
        for model, context, prompt, completion, cached in (
            ("openai/gpt-5", 400_000, "0.00000125", "0.00001", "0.000000125"),
            ("openai/gpt-5-mini", 400_000, "0.00000025", "0.000002", "0.000000025"),
            ("openai/gpt-oss-120b", 131_072, "0.00000005", "0.00000025", None),
            ("anthropic/claude-opus-4.5", 200_000, "0.000005", "0.000025", "0.0000005"),
            ("meta-llama/llama-3.3-70b-instruct", 131_072, "0.0000001", "0.0000003", None),
        )
    ]
}

LITELLM: Json = {
    "sample_spec": {"max_tokens": "a sentence, not a number"},
    "gpt-5": {
        "litellm_provider": "openai",
        "mode": "chat",
        "input_cost_per_token": 1.25e-06,
        "output_cost_per_token": 1e-05,
        "cache_read_input_token_cost": 1.25e-07,
        "max_input_tokens": 272_000,
        "max_output_tokens": 128_000,
        "supports_vision": True,
        "supports_pdf_input": True,
        "deprecation_date": "2026-12-11",
    },
    "groq/openai/gpt-oss-120b": {
        "litellm_provider": "groq",
        "mode": "chat",
        "input_cost_per_token": 1.5e-07,
        "output_cost_per_token": 6e-07,
        "max_input_tokens": 131_072,
        "max_output_tokens": 128_000,
    },
    "sambanova/Meta-Llama-3.3-70B-Instruct": {
        "litellm_provider": "sambanova",
        "mode": "chat",
        "input_cost_per_token": 6e-07,
        "output_cost_per_token": 1.2e-06,
        "max_input_tokens": 131_072,
        "max_output_tokens": 131_072,
    },
    "azure/eu/gpt-5": {"litellm_provider": "azure", "mode": "chat", "input_cost_per_token": 9e-06},
    "text-embedding-3-small": {"litellm_provider": "openai", "mode": "embedding", "input_cost_per_token": 2e-08},
}

PORTKEY_OPENAI: Json = {
    "default": {"pricing_config": {"pay_as_you_go": {}}},
    "gpt-5": {
        "pricing_config": {
            "pay_as_you_go": {"request_token": {"price": 0.000125}, "response_token": {"price": 0.001}},
            "currency": "USD",
        }
    },
}

LIVEBENCH = """\
model,code_completion,code_generation,zebra_puzzle,spatial,AMPS_Hard,connections,paraphrase,tablejoin,python
gpt-5-high,80,80,90,90,95,80,60,70,50
gpt-5,70,70,80,80,90,75,55,65,45
gpt-5-minimal,60,60,50,50,70,60,50,50,30
claude-opus-4-5-20251101-thinking-64k-high-effort,82,80,88,90,94,85,65,75,70
claude-opus-4-5-20251101-high-effort,78,76,60,60,70,80,55,60,65
"""

AIDER = """
- model: gpt-5 (high)
  pass_rate_2: 88.0
  date: 2025-08-23
- model: gpt-5 (medium)
  pass_rate_2: 86.7
  date: 2025-08-25
- model: o3 (high) + gpt-4.1
  pass_rate_2: 82.7
  date: 2025-04-17
"""


def honest() -> dict[str, Any]:
    """Feed name -> content, fresh copies; text feeds are strings."""
    return copy.deepcopy(
        {
            "models.dev": MODELS_DEV,
            "openrouter": OPENROUTER,
            "litellm": LITELLM,
            "portkey/openai": PORTKEY_OPENAI,
            "livebench/2026_01_08": LIVEBENCH,
            "aider": AIDER,
        }
    )


def body(content: Any) -> bytes:
    """A feed's bytes."""
    return content.encode() if isinstance(content, str) else msgspec.json.encode(content)
