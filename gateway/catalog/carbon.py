"""Carbon of a token: energy per token x PUE x the grid's intensity, plus the hardware's share. EcoLogits' method.

Energy and embodied carbon per output token come from `energy.py`, which states the formula and its source; PUE and
intensity from EcoLogits' provider table and electricity mixes (ecologits 0.11.3). A provider without a stated country
gets the world's mix, one without a PUE the highest that EcoLogits uses for a provider.

EcoLogits counts output tokens only. Reading the prompt costs energy too, so an input token counts INPUT_SHARE of an
output token: reading takes the same 2 operations per parameter, but at about half of a GPU's peak (some 5e14 per
second and 700 W: 4.7e-5 Wh for 60 billion active parameters) where writing at batch 64 waits for memory (6e-4 Wh by
the formula). A token read from the provider's cache needs no such pass; it counts a tenth of that, the ratio at
which most providers price it. Both shares are our assumption, so the band reaches from none of it, as EcoLogits has it,
to twice as much. Where the country is not stated the band reaches over the mixes of most countries.
"""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from gateway.catalog.card import Catalog, Figure, ModelCard, Offer
from gateway.catalog.energy import token_figures

INPUT_SHARE = 0.08
CACHED_SHARE = 0.008
WORLD = "WOR"
HIGHEST_PUE = 1.20
WORLD_G_PER_KWH = 458.29  # EcoLogits' "WOR", for a catalog that has no mixes
MIXES = (0.1, 0.9)  # quantiles of all countries' mixes between which that of an unknown country is expected
METHOD = "ecologits-0.11.3+steelyard-1"  # the second part changes with our shares and bands


class Emission(Struct, frozen=True):
    """What a target emits, and on what that rests. Each triple is the low end, the expected figure and the high end."""

    input: tuple[float, float, float]  # gCO2e per fresh input token
    cached: tuple[float, float, float]  # gCO2e per input token from the provider's cache
    output: tuple[float, float, float]  # gCO2e per output token
    region: str  # ISO-3 country, "" when nobody states it
    grid_g_per_kwh: float
    source: str  # of the model's size or energy


def emission(card: ModelCard, offer: Offer, catalog: Catalog) -> Emission | None:
    """The carbon of this target's tokens; None when the model's size is not known, or it writes none."""
    found = output_token_g(card, offer, catalog)
    if found is None or card.embeds:
        return None
    low, high = _end(found, "low"), _end(found, "high")
    return Emission(
        input=(0.0, found.value * INPUT_SHARE, high * 2 * INPUT_SHARE),
        cached=(0.0, found.value * CACHED_SHARE, high * 2 * CACHED_SHARE),
        output=(low, found.value, high),
        region=offer.region if is_grid_known(offer, catalog) else "",
        grid_g_per_kwh=grid_of(offer, catalog).value,
        source=found.source,
    )


def grid_of(offer: Offer, catalog: Catalog) -> Figure:
    """gCO2e per kWh where the target computes: its country's mix, else the world's with a band over the countries'."""
    stated = catalog.grid_g_per_kwh.get(offer.region)
    if stated is not None:
        return stated
    world = catalog.grid_g_per_kwh.get(WORLD) or Figure(WORLD_G_PER_KWH, "ecologits")
    mixes = sorted(figure.value for country, figure in catalog.grid_g_per_kwh.items() if country != WORLD)
    if not mixes:
        return world
    low, high = (mixes[round(share * (len(mixes) - 1))] for share in MIXES)
    return replace(world, low=min(low, world.value), high=max(high, world.value))


def with_grid(catalog: Catalog, stated: Mapping[str, float], source: str) -> Catalog:
    """The catalog with mixes of the operator's own. stated: ISO-3 country -> gCO2e per kWh."""
    own = {country: Figure(float(grams), source) for country, grams in stated.items()}
    return replace(catalog, grid_g_per_kwh={**catalog.grid_g_per_kwh, **own}) if own else catalog


def located(catalog: Catalog, regions: Mapping[str, str]) -> Catalog:
    """The catalog with countries that the operator states. regions: provider -> ISO-3 country."""
    if not regions:
        return catalog
    moved = (
        replace(offer, region=regions[offer.provider]) if offer.provider in regions else offer
        for offer in catalog.offers
    )
    return replace(catalog, offers=tuple(moved))


def output_token_g(card: ModelCard, offer: Offer, catalog: Catalog) -> Figure | None:
    """gCO2e of one output token with its band; None when the model's size is not known."""
    energy, embodied = _per_token(card)
    if energy is None:
        return None
    grid = grid_of(offer, catalog)
    pue = catalog.pue.get(offer.provider, Figure(HIGHEST_PUE, "ecologits"))

    def grams(end: str) -> float:
        making = _end(embodied, end) if embodied is not None else 0.0
        return _end(energy, end) * _end(pue, end) * _end(grid, end) / 1000 + making

    low, high = grams("low"), grams("high")
    band = (low, high) if low != high else (None, None)
    return Figure(grams("value"), energy.source, energy.date, *band)


def is_grid_known(offer: Offer, catalog: Catalog) -> bool:
    """Whether the country is stated and its electricity mix known; else the world's mix stands in."""
    return offer.region in catalog.grid_g_per_kwh


def _per_token(card: ModelCard) -> tuple[Figure | None, Figure | None]:
    """Energy and embodied carbon: the card's, or computed when the card states only its size."""
    if card.energy_wh_per_output_token is not None:
        return card.energy_wh_per_output_token, card.embodied_g_per_output_token
    active = card.active_parameters_billions
    if active is None or active.value <= 0:
        return None, None
    return token_figures(active, card.total_parameters_billions or active, None)


def _end(figure: Figure, end: str) -> float:
    value = getattr(figure, end)
    return figure.value if value is None else float(value)
