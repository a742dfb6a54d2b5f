"""Fits the wording model: `python -m core.training.train [--check]`.

Writes core/data/wording.npy and core/data/wording.json, the same bytes every time. --check writes nothing and fails
when what it would write is not what is there.
"""

import argparse
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.grams import BUCKETS, COLUMNS
from core.tasks import TEXT_TASKS
from core.training import corpus
from core.training.corpus import Example
from core.training.design import F64, balanced, design
from core.training.fit import ridge_regression, sharpness, softmax, softmax_regression

SEED = 1
VERSION = 2
STRENGTH = 10.0  # of the log loss against the penalty
RIDGE_STRENGTH = 0.3
FOLDS = 5
LEAST_DIFFICULTY = 3.0  # spread of the difficulty column in standard deviations that a byte has to hold
DATA = Path(__file__).parents[1] / "data"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--check", action="store_true", help="compare with what is there instead of writing")
    chosen = arguments.parse_args()
    made = trained()
    if chosen.check:
        changed = [name for name, content in made.items() if (DATA / name).read_bytes() != content]
        sys.exit(f"other bytes than in core/data: {', '.join(changed)}" if changed else None)
    for name, content in made.items():
        (DATA / name).write_bytes(content)


def trained() -> dict[str, bytes]:
    """File name -> content."""
    examples = [*corpus.written(SEED), *corpus.real()]
    rows, task, weight = design(examples), tasks_of(examples), balanced(examples, len(TEXT_TASKS))
    held_out = held_out_logits(examples)
    factor = sharpness(held_out, task, weight)
    report(examples, held_out * factor)
    weights = softmax_regression(rows, task, weight, len(TEXT_TASKS), STRENGTH)
    judged, target = deviations(examples)
    harder = ridge_regression(rows[judged], target, weight[judged], RIDGE_STRENGTH)
    table, scales = packed(np.column_stack([weights, harder]), np.asarray((rows > 0).sum(axis=0)).ravel() > 0)
    stored = io.BytesIO()
    np.save(stored, table)
    facts = {
        "version": VERSION,
        "corpus": corpus.fingerprint(),
        "seed": SEED,
        "examples": len(examples),
        "sharpness": round(factor, 4),
        "scales": scales,
    }
    return {"wording.npy": stored.getvalue(), "wording.json": (json.dumps(facts, indent=1) + "\n").encode()}


def tasks_of(examples: Sequence[Example]) -> NDArray[np.int64]:
    return np.array([example.task for example in examples])


def held_out_logits(examples: Sequence[Example]) -> F64:
    """[examples, tasks] by models that have not seen the example's line, nor for real prompts its topic's other one."""
    lines = list(dict.fromkeys(example.line for example in examples))
    fold_of = {line: place // 2 % FOLDS for place, line in enumerate(lines)}
    fold = np.array([fold_of[example.line] for example in examples])
    rows, task, weight = design(examples), tasks_of(examples), balanced(examples, len(TEXT_TASKS))
    logits = np.zeros((len(examples), len(TEXT_TASKS)))
    for held in range(FOLDS):
        seen, unseen = fold != held, fold == held
        weights = softmax_regression(rows[seen], task[seen], weight[seen], len(TEXT_TASKS), STRENGTH)
        logits[unseen] = rows[unseen] @ weights
    return logits


def deviations(examples: Sequence[Example]) -> tuple[NDArray[np.bool_], F64]:
    """Which examples have a difficulty, and by how much theirs is above the mean of their task."""
    judged = np.array([example.difficulty is not None for example in examples])
    known = [example for example in examples if example.difficulty is not None]
    task = tasks_of(known)
    difficulty = np.array([example.difficulty for example in known], np.float64)
    weight = np.array([example.weight for example in known])
    mean = np.bincount(task, weight * difficulty) / np.bincount(task, weight)
    return judged, difficulty - mean[task]


def packed(weights: F64, seen: NDArray[np.bool_]) -> tuple[NDArray[np.int8], list[float]]:
    """Weights as bytes, with the value of one step per column, and the mark of what was seen."""
    table = np.zeros((2 * BUCKETS, COLUMNS), np.int8)
    scales = []
    for column, values in enumerate(weights.T):
        step = float(f"{np.quantile(np.abs(values[seen]), 0.999) / 127:.4g}")
        table[:, column] = np.clip(np.rint(values / step), -127, 127)
        scales.append(step)
    table[:, weights.shape[1]] = seen
    return table, scales


def report(examples: Sequence[Example], logits: F64) -> None:
    """What held-out prompts say of the model, on the standard output."""
    task, chosen = tasks_of(examples), logits.argmax(axis=1)
    certainty = softmax(logits).max(axis=1)
    real = np.array([example.line.startswith("real ") for example in examples])
    for name, part in (("written, phrasing unseen", ~real), ("real users, topic unseen", real)):
        right = (chosen == task)[part]
        print(
            f"{name}: {part.sum()} prompts, accuracy {right.mean():.3f}, mean confidence {certainty[part].mean():.3f}"
        )


if __name__ == "__main__":
    main()
