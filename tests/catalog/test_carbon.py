"""What a target is said to emit: a band that is as wide as what is not known, and None where nothing is."""

import pytest
from msgspec.structs import replace

from gateway.accounting.carbon import carbon_of
from gateway.catalog.carbon import METHOD, emission, grid_of, located, with_grid
from gateway.catalog.card import Catalog, Figure, ModelCard, Offer
from gateway.wire.delta import Usage

OPEN = ModelCard("acme/open", "Open", "acme", active_parameters_billions=Figure(20.0, "maker"))
SILENT = ModelCard("acme/silent", "Silent", "acme")
CLOSED = ModelCard("acme/closed", "Closed", "acme", active_parameters_billions=Figure(60, "ecologits", low=30, high=90))
HERE = Offer("acme/open", "host", "open", region="FRA")
MIXES = {"FRA": 44.0, "POL": 700.0, "WOR": 458.0, "SWE": 35.0, "IND": 680.0, "USA": 370.0}
CATALOG = Catalog(
    version="1",
    date="2026-11-23",
    sources={},
    models={},
    offers=(HERE,),
    grid_g_per_kwh={country: Figure(grams, "ecologits") for country, grams in MIXES.items()},
    pue={"host": Figure(1.1, "ecologits")},
)
USAGE = Usage(input_tokens=10_000, cached_tokens=4_000, output_tokens=1_000)


def test_a_request_emits_a_band_around_what_is_expected_and_says_what_it_rests_on() -> None:
    found = emission(OPEN, HERE, CATALOG)
    assert found is not None
    carbon = carbon_of(USAGE, found)
    per_token = found.output[1]
    assert carbon.g == pytest.approx(per_token * (6_000 * 0.08 + 4_000 * 0.008 + 1_000))
    assert carbon.low_g == pytest.approx(per_token * 1_000)  # EcoLogits counts what is written only
    assert carbon.high_g == pytest.approx(per_token * (6_000 * 0.16 + 4_000 * 0.016 + 1_000))
    assert (carbon.region, carbon.grid_g_per_kwh, carbon.source, carbon.method) == ("FRA", 44.0, "maker", METHOD)


def test_a_closed_model_has_a_wider_band() -> None:
    found = emission(CLOSED, HERE, CATALOG)
    assert found is not None
    low, expected, high = found.output
    assert low < expected < high


def test_an_unknown_country_has_the_worlds_mix_and_a_band_over_the_countries() -> None:
    nowhere = replace(HERE, region="")
    found = emission(OPEN, nowhere, CATALOG)
    assert found is not None
    assert (found.region, found.grid_g_per_kwh) == ("", 458.0)
    mix = grid_of(nowhere, CATALOG)
    assert (mix.low, mix.high) == (35.0, 700.0)
    assert found.output[0] < found.output[1] < found.output[2]
    assert grid_of(nowhere, replace(CATALOG, grid_g_per_kwh={})).low is None


def test_a_model_of_unknown_size_emits_an_unknown_amount() -> None:
    assert emission(SILENT, HERE, CATALOG) is None
    assert emission(replace(OPEN, output_modalities=("embeddings",)), HERE, CATALOG) is None


def test_an_operator_may_state_the_mix_and_the_country() -> None:
    own = with_grid(CATALOG, {"FRA": 20}, "settings")
    assert grid_of(HERE, own) == Figure(20.0, "settings")
    assert with_grid(CATALOG, {}, "settings") is CATALOG
    moved = located(CATALOG, {"host": "POL"}).offers[0]
    assert moved.region == "POL"
    assert located(CATALOG, {}) is CATALOG
