"""The models again, in the shapes that clients of other APIs read: Anthropic's, Google's, OpenClaw's ClawRouter."""

from collections.abc import Sequence

import msgspec

from gateway.server.models import ModelRow, PriceRow

ENCODE = msgspec.json.Encoder().encode
CREATED_AT = "2026-01-01T00:00:00Z"  # clients want a date here; the one that matters is `released` in OpenAI's shape
MICROS = 1_000_000


def anthropic_list(rows: Sequence[ModelRow]) -> bytes:
    """GET /v1/models for clients that send anthropic-version. Source: platform.claude.com, "List Models"."""
    data = [anthropic_row(row) for row in rows]
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return ENCODE({"data": data, "has_more": False, "first_id": first, "last_id": last})


def anthropic_row(row: ModelRow) -> dict[str, object]:
    return {"type": "model", "id": row.id, "display_name": row.name, "created_at": CREATED_AT}


def gemini_list(rows: Sequence[ModelRow]) -> bytes:
    """GET /v1beta/models. Source: ai.google.dev, "Models", models.list."""
    return ENCODE({"models": [gemini_row(row) for row in rows]})


def gemini_row(row: ModelRow) -> dict[str, object]:
    limits = {"inputTokenLimit": row.context_window, "outputTokenLimit": row.max_output_tokens}
    return {
        "name": f"models/{row.id}",
        "baseModelId": row.id,
        "version": "1",
        "displayName": row.name,
        "description": row.description,
        **{name: limit for name, limit in limits.items() if limit is not None},
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
    }


def clawrouter_catalog(rows: Sequence[ModelRow]) -> bytes:
    """GET /v1/catalog, by which OpenClaw's bundled ClawRouter plugin finds models without any configuration."""
    routes = [
        {"path": "/v1/chat/completions", "requestFormat": "openai.chat", "methods": ["POST"]},
        {"path": "/v1/messages", "requestFormat": "anthropic.messages", "methods": ["POST"]},
    ]
    provider = {
        "id": "steelyard",
        "displayName": "Steelyard",
        "openaiCompatible": True,
        "nativeBaseUrl": "/v1/native/steelyard",
        "routes": routes,
        "models": [clawrouter_row(row) for row in rows],
    }
    return ENCODE({"providers": [provider]})


def clawrouter_row(row: ModelRow) -> dict[str, object]:
    return {
        "id": row.id,
        "displayName": row.name,
        "upstream": row.id,
        "capabilities": ["llm.chat", "llm.stream"],
        "supportedReasoningEfforts": ["low", "medium", "high"],
        "pricing": clawrouter_pricing(row),
    }


def clawrouter_pricing(row: ModelRow) -> dict[str, int]:
    """Micro-dollars per million tokens; what nobody states is left out."""
    price = row.pricing or PriceRow()
    figures = {
        "inputMicrosPerMillion": price.input,
        "outputMicrosPerMillion": price.output,
        "cachedInputMicrosPerMillion": price.cached_input,
    }
    known = {name: round(usd * MICROS) for name, usd in figures.items() if usd is not None}
    limits = {"maxInputTokens": row.context_window, "defaultMaxOutputTokens": row.max_output_tokens}
    return known | {name: limit for name, limit in limits.items() if limit is not None}
