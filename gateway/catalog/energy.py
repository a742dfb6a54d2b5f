"""Energy and embodied carbon of one output token, by the method that EcoLogits publishes.

Source: ecologits 0.11.3, `ecologits/impacts/llm.py` (MPL-2.0), and its methodology page
https://ecologits.ai/latest/methodology/llm_inference/. With P active and T total parameters in billions, B = 64
requests at a time on a server of 8 GPUs of 80 GB:

    G  = 2^ceil(log2(ceil(1.2 * T * 16 / 8 / 80)))                    GPUs that hold the model at 16 bits
    gpu     = alpha * e^(beta * B) * P + gamma                          Wh per token and GPU
    seconds = a * P + b * B + c, or 1 / measured tokens per second      per token
    energy  = seconds / 3600 * 1200 W * G / 8 / B + G * gpu             Wh per token; the PUE comes on top
    embodied = seconds * (5700 kg * G / 8 + 273 kg * G) / (3 years * B)  of making server and GPUs

Where P is a range, the ends are computed with the ends of P and the figure is the middle, as EcoLogits does.
"""

import math

from gateway.catalog.card import Figure

BATCH = 64
GPU_WH_ALPHA = 1.1665273170451914e-06
GPU_WH_BETA = -0.011205921025579175
GPU_WH_GAMMA = 4.052928146734005e-05
SECONDS_PER_BILLION = 0.0006785088094353663
SECONDS_PER_REQUEST_IN_BATCH = 0.0003119310311688259
SECONDS_FLOOR = 0.019473717579473387
GPU_MEMORY_GB = 80.0
BYTES_PER_PARAMETER = 2.0
MEMORY_OVERHEAD = 1.2
SERVER_GPUS = 8
SERVER_WATTS = 1200.0
SERVER_EMBODIED_G = 5_700_000.0
GPU_EMBODIED_G = 273_000.0
LIFESPAN_SECONDS = 3 * 365 * 24 * 3600.0


def gpus_needed(total_billions: float) -> int:
    """GPUs of 80 GB that hold the model, a power of two."""
    needed = math.ceil(MEMORY_OVERHEAD * total_billions * BYTES_PER_PARAMETER / GPU_MEMORY_GB)
    return 1 << max(0, math.ceil(math.log2(max(1, needed))))


def seconds_per_token(active_billions: float, tokens_per_second: float | None) -> float:
    """Measured, or EcoLogits' regression."""
    if tokens_per_second:
        return 1 / tokens_per_second
    return SECONDS_PER_BILLION * active_billions + SECONDS_PER_REQUEST_IN_BATCH * BATCH + SECONDS_FLOOR


def energy_wh(active_billions: float, total_billions: float, tokens_per_second: float | None = None) -> float:
    """Wh of one output token, servers and GPUs, without the data centre's PUE."""
    gpus = gpus_needed(total_billions)
    gpu_wh = GPU_WH_ALPHA * math.exp(GPU_WH_BETA * BATCH) * active_billions + GPU_WH_GAMMA
    hours = seconds_per_token(active_billions, tokens_per_second) / 3600
    return hours * SERVER_WATTS * gpus / SERVER_GPUS / BATCH + gpus * gpu_wh


def embodied_g(active_billions: float, total_billions: float, tokens_per_second: float | None = None) -> float:
    """gCO2e of one output token's share of making the hardware."""
    gpus = gpus_needed(total_billions)
    hardware_g = gpus / SERVER_GPUS * SERVER_EMBODIED_G + gpus * GPU_EMBODIED_G
    return seconds_per_token(active_billions, tokens_per_second) * hardware_g / (LIFESPAN_SECONDS * BATCH)


def token_figures(active: Figure, total: Figure, speed: Figure | None) -> tuple[Figure, Figure]:
    """Energy (Wh) and embodied carbon (g) per output token, as a band where the parameter count is one."""
    tokens_per_second = speed.value if speed else None
    bands = []
    for formula in (energy_wh, embodied_g):
        ends = [
            formula(getattr(active, end) or active.value, getattr(total, end) or total.value, tokens_per_second)
            for end in ("low", "high")
        ]
        low, high = (_short(ends[0]), _short(ends[1])) if ends[0] != ends[1] else (None, None)
        bands.append(Figure(_short(sum(ends) / 2), active.source, active.date, low, high))
    return bands[0], bands[1]


def _short(value: float) -> float:
    """Four significant digits: the method knows no more."""
    return float(f"{value:.4g}")
