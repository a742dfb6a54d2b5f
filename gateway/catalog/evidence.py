"""Write docs/catalog.md, what the bundled catalog knows and what it borrows: `python -m gateway.catalog.evidence`."""

import sys
from collections.abc import Iterator

from core.predictor import TASKS
from gateway.catalog.carbon import is_grid_known
from gateway.catalog.card import Catalog, ModelCard, Offer
from gateway.catalog.quality import stated_share
from gateway.catalog.snapshot import bundled

ALL = 0.999  # a share that floating point may have made less than 1

INTRODUCTION = """\
# What the catalog knows

This page is made by `python -m gateway.catalog.evidence > docs/catalog.md`; a test fails when it is stale. It counts,
over the catalog that comes with Steelyard ({version}), how many figures somebody has stated, and tells what stands in
for the others until somebody does, or until it was measured here.

`steelyard catalog list` says it in a line for each model, `steelyard catalog show MODEL` figure by figure with source
and date, and `steelyard explain --grounds` for the candidates of a decision
([routers](routers.md#what-a-figure-rests-on)).

There are {models:,} models that answer conversations, in {offers:,} offers (a model at a provider). Models that make
embeddings are not counted.
"""

QUALITY = """
## Quality, by task

A task's quality is a mean over families of benchmarks. **Stated**: the model has scores of its own in all of them.
**In part**: in some; the others are borrowed. **Borrowed**: from its kin, models of the same maker and family that were
there before it, are of about its size and cost about as much, never above the lower third of all known models; without
kin from the low end of all. What is borrowed is marked as estimated in every decision.

| task | models stated | in part | borrowed |
|---|--:|--:|--:|
"""

REST = """
## Everything else

| figure | stated | what stands in where it is not |
|---|--:|---|
"""


def page() -> str:
    """docs/catalog.md."""
    whole = bundled()
    return "".join(sections(whole, whole.of_kind(embeds=False)))


def sections(whole: Catalog, catalog: Catalog) -> Iterator[str]:
    """catalog: the part of the whole that is counted."""
    models, offers = list(catalog.models.values()), catalog.offers
    yield INTRODUCTION.format(version=whole.version, models=len(models), offers=len(offers))
    yield QUALITY
    for task in TASKS:
        shares = [stated_share(model, task) for model in models]
        stated, borrowed = sum(share >= ALL for share in shares), sum(share <= 0 for share in shares)
        yield row(f"`{task}`", stated, len(shares) - stated - borrowed, borrowed)
    yield REST
    yield row(
        "input and output price, offers", sum(map(has_price, offers)), "the highest of its other hosts, or of most"
    )
    yield row("time to the first token and speed, offers", sum(map(has_speed, offers)), "those of its class of price")
    yield row(
        "size, and so energy, models", sum(map(has_size, models)), "the most of its maker's of that price, or of most"
    )
    places = sum(is_grid_known(offer, whole) for offer in offers)
    yield row("country of the data centre, offers", places, "the world's mix of electricity, as a band")


def row(*cells: object) -> str:
    return f"| {' | '.join(f'{cell:,}' if isinstance(cell, int) else str(cell) for cell in cells)} |\n"


def has_price(offer: Offer) -> bool:
    return offer.prices.input is not None and offer.prices.output is not None


def has_speed(offer: Offer) -> bool:
    return offer.first_token_seconds is not None and offer.output_tokens_per_second is not None


def has_size(model: ModelCard) -> bool:
    return model.energy_wh_per_output_token is not None or model.active_parameters_billions is not None


if __name__ == "__main__":
    sys.stdout.write(page())
