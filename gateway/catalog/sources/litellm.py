"""LiteLLM's price map: one flat object, "prefix/model" -> USD per token, limits and `supports_*` flags."""

import re

import msgspec
from msgspec import Raw, Struct

from gateway.catalog.card import EMBEDDINGS, Figure, Prices, PriceTier, Source
from gateway.catalog.records import Facts, OfferRecord, Reading
from gateway.catalog.sources.entries import entries, figure, frame
from gateway.wire.ability import Ability

NAME = "litellm"
PER_MILLION = 1e6
MODES = frozenset({"chat", "responses", "embedding"})
# Only global list prices: a region in the key ("azure/eu/...", "bedrock/us-east-1/...") is another price list.
REGIONAL = re.compile(
    r"^(?:azure|azure_ai|bedrock)/(?:[a-z-]+-\d|eu|us|global|global-standard|apac|invoke)[/.]|month-commitment/"
)
TIERS = ((128_000, "128k"), (200_000, "200k"), (256_000, "256k"), (272_000, "272k"))


class Entry(Struct, frozen=True):
    litellm_provider: str = ""
    mode: str = ""
    input_cost_per_token: float | None = None
    output_cost_per_token: float | None = None
    cache_read_input_token_cost: float | None = None
    cache_creation_input_token_cost: float | None = None
    cache_creation_input_token_cost_above_1hr: float | None = None
    output_cost_per_reasoning_token: float | None = None
    input_cost_per_token_above_128k_tokens: float | None = None
    input_cost_per_token_above_200k_tokens: float | None = None
    input_cost_per_token_above_256k_tokens: float | None = None
    input_cost_per_token_above_272k_tokens: float | None = None
    output_cost_per_token_above_128k_tokens: float | None = None
    output_cost_per_token_above_200k_tokens: float | None = None
    output_cost_per_token_above_256k_tokens: float | None = None
    output_cost_per_token_above_272k_tokens: float | None = None
    cache_read_input_token_cost_above_128k_tokens: float | None = None
    cache_read_input_token_cost_above_200k_tokens: float | None = None
    cache_read_input_token_cost_above_256k_tokens: float | None = None
    cache_read_input_token_cost_above_272k_tokens: float | None = None
    max_tokens: float | str | None = None
    max_input_tokens: float | str | None = None
    max_output_tokens: float | str | None = None
    output_vector_size: float | None = None
    deprecation_date: str = ""
    supported_endpoints: list[str] = []
    supported_output_modalities: list[str] = []
    supports_function_calling: bool | None = None
    supports_vision: bool | None = None
    supports_audio_input: bool | None = None
    supports_video_input: bool | None = None
    supports_pdf_input: bool | None = None
    supports_response_schema: bool | None = None
    supports_reasoning: bool | None = None


FLAGS = {
    "supports_function_calling": Ability.TOOLS,
    "supports_vision": Ability.IMAGES,
    "supports_audio_input": Ability.AUDIO,
    "supports_video_input": Ability.VIDEO,
    "supports_pdf_input": Ability.FILES,
    "supports_response_schema": Ability.JSON_SCHEMA | Ability.JSON_MODE,
    "supports_reasoning": Ability.REASONING,
}
ENTRY = msgspec.json.Decoder(Entry)


def read(body: bytes, source: Source) -> Reading:
    """Every chat and embedding model at list price."""
    raw = frame(body, dict[str, Raw], NAME)
    raw.pop("sample_spec", None)
    reading = Reading(source)
    for key, entry in entries(raw, ENTRY, reading):
        if entry.mode in MODES and not REGIONAL.search(key):
            reading.offers.append(_offer(key, entry))
    return reading.checked(len(raw))


def _offer(key: str, entry: Entry) -> OfferRecord:
    has = lacks = Ability(0)
    for flag, bits in FLAGS.items():
        claim = getattr(entry, flag)
        has |= bits if claim is True else Ability(0)
        lacks |= bits if claim is False else Ability(0)
    modalities = ("text", *(["image"] if Ability.IMAGES in has else []))
    return OfferRecord(
        provider=entry.litellm_provider,
        name=_name(key, entry.litellm_provider),
        prices=_prices(entry),
        max_input_tokens=_count(entry.max_input_tokens),
        max_output_tokens=_count(entry.max_output_tokens),
        abilities=has,
        lacks=lacks,
        facts=Facts(
            reasoning=entry.supports_reasoning,
            input_modalities=modalities,
            output_modalities=(EMBEDDINGS,) if entry.mode == "embedding" else tuple(entry.supported_output_modalities),
            dimensions=_count(entry.output_vector_size),
        ),
        api=_api(entry),
        retires=entry.deprecation_date,
    )


def _name(key: str, provider: str) -> str:
    """The key without LiteLLM's own prefix: "vertex_ai/x" of provider "vertex_ai-llama_models" is "x"."""
    prefix, slash, rest = key.partition("/")
    return rest if slash and provider.startswith(prefix.split("_")[0]) else key


def _api(entry: Entry) -> str:
    endpoints = entry.supported_endpoints
    only_responses = bool(endpoints) and "/v1/responses" in endpoints and "/v1/chat/completions" not in endpoints
    return "responses" if entry.mode == "responses" or only_responses else ""


def _count(value: float | str | None) -> Figure | None:
    return figure(value, NAME) if isinstance(value, int | float) and value else None


def _prices(entry: Entry) -> Prices:
    return Prices(
        input=figure(entry.input_cost_per_token, NAME, PER_MILLION),
        output=figure(entry.output_cost_per_token, NAME, PER_MILLION),
        cached_input=figure(entry.cache_read_input_token_cost, NAME, PER_MILLION),
        cache_write=figure(entry.cache_creation_input_token_cost or None, NAME, PER_MILLION),
        cache_write_1h=figure(entry.cache_creation_input_token_cost_above_1hr or None, NAME, PER_MILLION),
        reasoning=figure(entry.output_cost_per_reasoning_token or None, NAME, PER_MILLION),
        tier=_tier(entry),
    )


def _tier(entry: Entry) -> PriceTier | None:
    for threshold, mark in TIERS:
        above_input = getattr(entry, f"input_cost_per_token_above_{mark}_tokens")
        if above_input is not None:
            return PriceTier(
                threshold,
                figure(above_input, NAME, PER_MILLION),
                figure(getattr(entry, f"cache_read_input_token_cost_above_{mark}_tokens"), NAME, PER_MILLION),
                figure(getattr(entry, f"output_cost_per_token_above_{mark}_tokens"), NAME, PER_MILLION),
            )
    return None
