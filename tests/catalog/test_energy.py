"""Energy per token against figures computed with the ecologits package itself (0.11.3, PUE 1, 1,000 tokens)."""

import pytest

from gateway.catalog.card import Figure
from gateway.catalog.energy import embodied_g, energy_wh, gpus_needed, token_figures

REFERENCE = [  # active, total, tokens per second, Wh per token, g embodied per token
    (20.9, 20.9, None, 8.733767343339662e-05, 8.726910431555567e-06),
    (5.1, 117.0, None, 0.00028544592568232084, 2.7928189129165763e-05),
    (37.0, 671.0, None, 0.0033157507476536925, 0.0003361569246009729),
    (60.0, 300.0, 59.0, 0.0013716595073843005, 4.413841807909605e-05),
]


@pytest.mark.parametrize(("active", "total", "speed", "energy", "embodied"), REFERENCE)
def test_energy_and_embodied_carbon_agree_with_ecologits(
    active: float, total: float, speed: float | None, energy: float, embodied: float
) -> None:
    assert energy_wh(active, total, speed) == pytest.approx(energy, rel=1e-9)
    assert embodied_g(active, total, speed) == pytest.approx(embodied, rel=1e-9)


@pytest.mark.parametrize(("billions", "gpus"), [(0.5, 1), (7, 1), (33, 1), (34, 2), (70, 4), (300, 16), (671, 32)])
def test_a_model_takes_a_power_of_two_of_gpus(billions: float, gpus: int) -> None:
    assert gpus_needed(billions) == gpus


def test_a_size_that_is_a_range_gives_a_band_around_its_middle() -> None:
    size = Figure(60, "ecologits", low=30, high=90)
    energy, _ = token_figures(size, Figure(300, "ecologits"), None)
    assert energy.low is not None
    assert energy.high is not None
    assert energy.low < energy.value < energy.high
    assert energy.value == pytest.approx((energy.low + energy.high) / 2, rel=1e-3)
