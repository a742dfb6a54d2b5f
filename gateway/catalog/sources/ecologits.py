"""EcoLogits: parameter counts (ranges where the maker is silent), measured speeds, and the grid's carbon by country."""

import msgspec
from msgspec import Raw, Struct

from gateway.catalog.card import Figure, Source
from gateway.catalog.records import ModelRecord, Reading
from gateway.catalog.sources.entries import entries, figure, frame

NAME = "ecologits"
G_PER_KG = 1000.0


class Range(Struct, frozen=True):
    min: float
    max: float


class Experts(Struct, frozen=True):
    """Billions. `total` and `active` of a mixture of experts, either may be a range."""

    total: float | Range | None = None
    active: float | Range | None = None
    min: float | None = None
    max: float | None = None


class Architecture(Struct, frozen=True):
    parameters: float | Experts


class Deployment(Struct, frozen=True):
    tps: float | None = None
    ttft: float | None = None


class Entry(Struct, frozen=True):
    provider: str
    name: str
    architecture: Architecture
    deployment: Deployment = Deployment()


class Models(Struct, frozen=True):
    models: list[Raw]


class Mix(Struct, frozen=True):
    name: str
    gwp: float  # kgCO2e per kWh


class Mixes(Struct, frozen=True):
    electricity_mixes: list[Raw]


ENTRY = msgspec.json.Decoder(Entry)
MIX = msgspec.json.Decoder(Mix)


def read_models(body: bytes, source: Source) -> Reading:
    """Every model's parameter counts and measured speed."""
    listed = frame(body, Models, NAME).models
    reading = Reading(source)
    named = {f"models[{position}]": text for position, text in enumerate(listed)}
    for _, entry in entries(named, ENTRY, reading):
        active, total = _counts(entry.architecture.parameters)
        reading.models.append(
            ModelRecord(
                entry.name,
                maker="" if entry.provider == "huggingface_hub" else entry.provider,
                active_parameters_billions=active,
                total_parameters_billions=total,
                first_token_seconds=figure(entry.deployment.ttft, NAME),
                output_tokens_per_second=figure(entry.deployment.tps, NAME),
            )
        )
    return reading.checked(len(listed))


def read_mixes(body: bytes, source: Source) -> Reading:
    """gCO2e per kWh by ISO-3 country; "WOR" is the world."""
    listed = frame(body, Mixes, NAME).electricity_mixes
    reading = Reading(source)
    named = {f"electricity_mixes[{position}]": text for position, text in enumerate(listed)}
    for _, mix in entries(named, MIX, reading):
        reading.grid_g_per_kwh[mix.name] = Figure(round(mix.gwp * G_PER_KG, 3), NAME)
    return reading.checked(len(listed))


def _counts(parameters: float | Experts) -> tuple[Figure | None, Figure | None]:
    """Active and total parameters; the same figure for a dense model."""
    if isinstance(parameters, float):
        return figure(parameters, NAME), figure(parameters, NAME)
    if parameters.min is not None and parameters.max is not None:
        dense = _range(Range(parameters.min, parameters.max))
        return dense, dense
    return _range(parameters.active), _range(parameters.total)


def _range(count: float | Range | None) -> Figure | None:
    """The middle of a range with its ends; a plain figure for a plain count."""
    if isinstance(count, Range):
        return Figure((count.min + count.max) / 2, NAME, low=count.min, high=count.max)
    return figure(count, NAME)
