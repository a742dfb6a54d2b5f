"""OpenRouter's `/api/v1/models`: prices as decimal strings in USD per token; -1 means that it varies."""

import msgspec
from msgspec import Raw, Struct

from gateway.catalog.card import Figure, Prices, Source
from gateway.catalog.records import Facts, OfferRecord, Reading
from gateway.catalog.sources.entries import entries, figure, frame
from gateway.wire.ability import Ability

NAME = "openrouter"
PARAMETERS = {
    "tools": Ability.TOOLS,
    "response_format": Ability.JSON_MODE,
    "structured_outputs": Ability.JSON_SCHEMA,
    "logprobs": Ability.LOGPROBS,
    "reasoning": Ability.REASONING,
}
MODALITIES = {"image": Ability.IMAGES, "audio": Ability.AUDIO, "file": Ability.FILES, "video": Ability.VIDEO}
STATED = Ability(sum(PARAMETERS.values())) | Ability(sum(MODALITIES.values()))
VARIES = -1.0


class Pricing(Struct, frozen=True):
    prompt: float
    completion: float
    input_cache_read: float | None = None
    input_cache_write: float | None = None
    internal_reasoning: float | None = None
    image: float | None = None
    request: float | None = None


class Architecture(Struct, frozen=True):
    input_modalities: list[str] = []
    output_modalities: list[str] = []


class TopProvider(Struct, frozen=True):
    context_length: float | None = None
    max_completion_tokens: float | None = None


class Entry(Struct, frozen=True):
    id: str
    pricing: Pricing
    architecture: Architecture
    name: str = ""
    context_length: float | None = None
    top_provider: TopProvider = TopProvider()
    supported_parameters: list[str] = []
    expiration_date: str | None = None


class Identity(Struct, frozen=True):
    id: str


class Answer(Struct, frozen=True):
    data: list[Raw]


ENTRY = msgspec.json.Decoder(Entry, strict=False)  # prices come as strings
IDENTITY = msgspec.json.Decoder(Identity)


def read(body: bytes, source: Source) -> Reading:
    """Every plain model; `:free` and other variants, moving `~` names and OpenRouter's own routers are left out."""
    reading = Reading(source)
    listed = frame(body, Answer, NAME).data
    named = {_id(text) or f"data[{position}]": text for position, text in enumerate(listed)}
    for name, entry in entries(named, ENTRY, reading, NAME):
        if ":" not in name and not name.startswith(("~", "openrouter/")):
            reading.offers.append(_offer(name, entry))
    return reading.checked(len(listed))


def _id(text: Raw) -> str:
    """The entry's id, even when the rest of it cannot be read."""
    try:
        return IDENTITY.decode(text).id
    except msgspec.DecodeError:
        return ""


def _offer(name: str, entry: Entry) -> OfferRecord:
    has = Ability(0)
    for parameter in entry.supported_parameters:
        has |= PARAMETERS.get(parameter, Ability(0))
    for modality in entry.architecture.input_modalities:
        has |= MODALITIES.get(modality, Ability(0))
    return OfferRecord(
        provider=NAME,
        name=name,
        model=name,
        prices=_prices(entry.pricing),
        context_window=_limit(entry.context_length or entry.top_provider.context_length),
        max_output_tokens=_limit(entry.top_provider.max_completion_tokens),
        abilities=has,
        lacks=STATED & ~has,
        facts=Facts(
            title=entry.name.partition(": ")[2] or entry.name,
            reasoning=Ability.REASONING in has,
            input_modalities=tuple(entry.architecture.input_modalities),
            output_modalities=tuple(entry.architecture.output_modalities),
        ),
        retires=entry.expiration_date or "",
    )


def _limit(value: float | None) -> Figure | None:
    return figure(value, NAME) if value else None


def _price(per_token: float | None, factor: float = 1e6) -> Figure | None:
    return None if per_token == VARIES else figure(per_token, NAME, factor)


def _prices(pricing: Pricing) -> Prices:
    return Prices(
        input=_price(pricing.prompt),
        output=_price(pricing.completion),
        cached_input=_price(pricing.input_cache_read),
        cache_write=_price(pricing.input_cache_write) if pricing.input_cache_write else None,
        reasoning=_price(pricing.internal_reasoning) if pricing.internal_reasoning else None,
        image=_price(pricing.image, 1.0) if pricing.image else None,
        request=_price(pricing.request, 1.0) if pricing.request else None,
    )
