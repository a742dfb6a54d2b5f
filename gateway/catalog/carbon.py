"""Carbon of a token: energy per token x PUE x the grid's intensity, plus the hardware's share. EcoLogits' method.

Energy and embodied carbon per output token come from `energy.py`, which states the formula and its source; PUE and
intensity from EcoLogits' provider table and electricity mixes (ecologits 0.11.3). A provider without a stated country
gets the world's mix, one without a PUE the highest that EcoLogits uses for a provider.

EcoLogits counts output tokens only. Reading the prompt costs energy too, so an input token counts INPUT_SHARE of an
output token: reading takes the same 2 operations per parameter, but at about half of a GPU's peak (some 5e14 per
second and 700 W: 4.7e-5 Wh for 60 billion active parameters) where writing at batch 64 waits for memory (6e-4 Wh by
the formula). A token read from the provider's cache needs no such pass; it counts a tenth of that, the ratio at
which most providers price it. Both shares are our assumption, and are stated as such wherever they are shown.
"""

from gateway.catalog.card import Catalog, Figure, ModelCard, Offer
from gateway.catalog.energy import token_figures

INPUT_SHARE = 0.08
CACHED_SHARE = 0.008
WORLD = "WOR"
HIGHEST_PUE = 1.20
WORLD_G_PER_KWH = 458.29  # EcoLogits' "WOR", for a catalog that has no mixes


def output_token_g(card: ModelCard, offer: Offer, catalog: Catalog) -> Figure | None:
    """gCO2e of one output token with its band; None when the model's size is not known."""
    energy, embodied = _per_token(card)
    if energy is None:
        return None
    grid = catalog.grid_g_per_kwh.get(offer.region) or catalog.grid_g_per_kwh.get(WORLD)
    intensity = grid.value if grid is not None else WORLD_G_PER_KWH
    pue = catalog.pue.get(offer.provider, Figure(HIGHEST_PUE, "ecologits"))

    def grams(end: str) -> float:
        making = _end(embodied, end) if embodied is not None else 0.0
        return _end(energy, end) * _end(pue, end) * intensity / 1000 + making

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
