"""How long it takes to understand a prompt and to rank 500 models for it: `python -m loadtest.bench_understanding`.

Features, prediction and ranking together, called from Python, one call at a time: what a decision costs once the body
has been read. The 99th percentile holds what else the machine does, too.
"""

from time import perf_counter

import msgspec
import numpy as np

from core.predictor import TASKS
from core.scorer import Scorer
from gateway.dialects.openai_chat import parse
from gateway.routing.describe import describe
from gateway.wire.prompt import Prompt
from loadtest.random_catalog import random_situation

MODELS = 500
TOP = 8
CALLS = 3_000
LONG_CALLS = 300
LENGTHS = (120, 2_000, 20_000, 200_000, 1_000_000)  # characters
AIMS_US = {120: (50.0, 0.5), 1_000_000: (200.0, 0.99)}  # length -> microseconds at a quantile
TEXT = "Please look at the function below, which sorts a list of orders by date, and tell me why it is slow. "


def prompt_of(length: int) -> Prompt:
    """A chat request with so many characters, which are not all the same."""
    words = np.random.default_rng(1).permutation(TEXT.split()).tolist()
    text = (TEXT + " ".join(words * (1 + length // len(TEXT))))[:length]
    body = msgspec.json.encode({"model": "auto", "messages": [{"role": "user", "content": text}]})
    return parse(body, default_model="auto")


def main() -> None:
    situation = random_situation(MODELS, seed=1)
    quality = np.resize(situation.matrix.quality, (len(TASKS), MODELS))
    scorer = Scorer(situation.matrix._replace(quality=np.ascontiguousarray(quality)))
    print("| characters | p50, us | p99, us | aim |\n|--:|--:|--:|---|")
    for length in LENGTHS:
        prompt, took = prompt_of(length), []
        for _ in range(CALLS if length <= LENGTHS[1] else LONG_CALLS):
            started = perf_counter()
            scorer.decide(situation.live, describe(prompt).figures, situation.policy, situation.allowed, TOP)
            took.append(1e6 * (perf_counter() - started))
        median, tail = np.quantile(took, (0.5, 0.99)).tolist()
        aim = ""
        if length in AIMS_US:
            most, quantile = AIMS_US[length]
            is_met = float(np.quantile(took, quantile)) <= most
            aim = f"{'met' if is_met else 'MISSED'}: p{100 * quantile:.0f} <= {most:g} us"
        print(f"| {length:,} | {median:.1f} | {tail:.1f} | {aim} |")


if __name__ == "__main__":
    main()
