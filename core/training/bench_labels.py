"""What labels of a deployment's own traffic are worth: `python -m core.training.bench_labels [FOLDER]`.

A wording model that has seen the written prompts only meets three kinds of traffic: real users' prompts (Arena-Hard,
ten tasks), questions of benchmarks (LLMRouter), and both by halves. So many labelled prompts correct it, and others
judge: cross-validated, and prompts that share a topic in Arena-Hard stay on one side. With 95 % intervals, by
bootstrap over prompts. "Of three kinds": coding, mathematics or creative text, for prompts that are one of these.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core._grams_np import Reader
from core._representation_np import Representer
from core.features import extract
from core.representation import SUMS
from core.tasks import TEXT_TASKS
from core.teaching import NOTHING_TAUGHT, USUAL_NOISE, Labels, chances, part, teach
from core.training import corpus
from core.training.corpus import Example
from core.training.design import F64, Integers, balanced, design, raw
from core.training.fit import sharpness, softmax_regression
from core.training.outcomes import OWN, sources_in
from core.training.train import SEED, STRENGTH, held_out_logits, packed, tasks_of
from core.wording import SEEN

COUNTS = (0, 50, 100, 200, 400, 500)  # labels
REPEATS = 4
RESAMPLES = 1_000
QUESTIONS = 500
COARSE = {
    "code_generation": "coding",
    "code_editing": "coding",
    "mathematics": "mathematics",
    "writing": "creative",
    "chat": "creative",
}
USUAL = np.array([USUAL_NOISE])
KIND_OF = [COARSE.get(name) for name in TEXT_TASKS]
HEAD = "| traffic | labels | accuracy (95 %) | gained (95 %) | of three kinds | log loss |"
TASK_OF = {  # LLMRouter's data sets
    "natural_qa": "knowledge",
    "trivia_qa": "knowledge",
    "openbook_qa": "knowledge",
    "mmlu": "knowledge",
    "gsm8k": "mathematics",
    "math": "mathematics",
    "commonsense_qa": "reasoning",
    "arc_challenge": "reasoning",
    "gpqa": "reasoning",
    "agentverse-logicgrid": "reasoning",
    "mbpp": "code_generation",
    "human_eval": "code_generation",
    "commongen": "writing",
}


class Traffic(NamedTuple):
    name: str
    labels: Labels


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", nargs="?", type=Path, default=OWN)
    say_all(arguments.parse_args().folder)


def say_all(folder: Path) -> None:
    """Print a row for each kind of traffic and number of labels."""
    print(f"\n{HEAD}\n|---|--:|--:|--:|--:|--:|")
    read = Unseeing()
    real = read.labels(corpus.real())
    kinds = [Traffic("real users", real)]
    for source in sources_in(folder):
        if source.name == "ulab":
            asked = [
                Example(TEXT_TASKS.index(TASK_OF[name]), None, "", text, 1.0, name)
                for name, text in zip(source.datasets, source.texts, strict=True)
            ]
            chosen = np.random.default_rng(SEED).permutation(len(asked))[: 2 * QUESTIONS]
            questions = read.labels([asked[place] for place in chosen])
            halves = joined(real, part(questions, np.arange(QUESTIONS)))
            kinds += [Traffic("benchmarks", questions), Traffic("by halves", halves)]
    for kind in kinds:
        size, before = len(kind.labels.tasks), None
        for count in COUNTS:
            if count <= size - size // folds_of(size):
                found = say(kind, before, count)
                before = found if before is None else before


class Unseeing:
    """A wording model that has seen no prompt but the written ones."""

    def __init__(self) -> None:
        written = corpus.written(SEED)
        rows, task, weight = design(written), tasks_of(written), balanced(written, SUMS)
        weights = softmax_regression(rows, task, weight, SUMS, STRENGTH)
        factor = sharpness(held_out_logits(written), task, weight)
        seen = np.asarray((rows > 0).sum(axis=0)).ravel() > 0
        # The last column is a difficulty's, which nothing here looks at.
        table, scales = packed(np.column_stack([weights, weights[:, 0]]), seen)
        self._reader = Reader(table)
        self._representer = Representer(1, tuple(scale * factor for scale in scales[:SUMS]))

    def labels(self, examples: Sequence[Example]) -> Labels:
        """Of one source, all of the same weight."""
        written = b"".join(self._written(raw(example.focus)) for example in examples)
        count = len(examples)
        representations = np.frombuffer(written, np.int8).reshape(count, -1)
        return Labels(representations, tasks_of(examples), np.zeros(count, np.intp), np.ones(count))

    def _written(self, focus: bytes) -> bytes:
        sums = self._reader.read(b"", focus)
        return self._representer.write(sums, sums.words[SEEN] / max(sums.word_count, 1), extract([focus], 0))


def say(kind: Traffic, before: F64 | None, count: int) -> F64:
    """Accuracy with so many labels, of three kinds of work as well, and what it gained. Returns [n] rights."""
    right, coarse, loss = judged(kind.labels, count)
    of_three = f"{coarse[~np.isnan(coarse)].mean():.3f}" if (~np.isnan(coarse)).any() else ""
    gain = "" if before is None else f"{(right - before).mean():+.3f} ({interval(right - before)})"
    size = len(right)
    print(
        f"| {kind.name} ({size}) | {count} | {right.mean():.3f} ({interval(right)}) | {gain} | {of_three} | "
        f"{loss.mean():.3f} |",
        flush=True,
    )
    return right


def judged(labels: Labels, count: int) -> tuple[F64, F64, F64]:
    """[n] each: whether the likeliest task is right, whether it is of the right kind of work, and the log loss.

    Means over REPEATS ways of choosing who teaches; nobody judges what taught.
    """
    size = len(labels.tasks)
    parts = folds_of(size)
    right, coarse, loss = (np.zeros((REPEATS, size)) for _ in range(3))
    rng = np.random.default_rng(SEED)
    for repeat in range(REPEATS):
        order = in_pairs(rng, size)
        for test in np.array_split(order, parts):
            teachers = order[~np.isin(order, test)][:count]
            weights = teach(part(labels, teachers), USUAL) if count else NOTHING_TAUGHT
            told = chances(labels.representations[test], weights)
            truth, chosen = labels.tasks[test], told.argmax(axis=1)
            right[repeat, test] = chosen == truth
            kinds = [(KIND_OF[true], KIND_OF[said]) for true, said in zip(truth, chosen, strict=True)]
            coarse[repeat, test] = [np.nan if true is None else float(said == true) for true, said in kinds]
            loss[repeat, test] = -np.log(told[np.arange(len(test)), truth])
    return right.mean(axis=0), coarse.mean(axis=0), loss.mean(axis=0)


def folds_of(size: int) -> int:
    """Two leave 500 of 1,000 to teach, five leave 400 of 500."""
    return 2 if size >= 2 * COUNTS[-1] else 5


def interval(values: F64) -> str:
    """95 %, by bootstrap over prompts."""
    rng = np.random.default_rng(SEED)
    count = len(values)
    means = [values[rows].mean() for rows in rng.integers(0, count, (RESAMPLES, count))]
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{low:.3f} to {high:.3f}"


def in_pairs(rng: np.random.Generator, size: int) -> Integers:
    """A random order in which neighbours stay together: Arena-Hard has two prompts of each topic in a row."""
    pairs = rng.permutation(size // 2)
    return np.column_stack([2 * pairs, 2 * pairs + 1]).ravel()


def joined(one: Labels, other: Labels) -> Labels:
    return Labels(
        np.concatenate([one.representations, other.representations]),
        np.concatenate([one.tasks, other.tasks]),
        np.concatenate([one.sources, other.sources]),
        np.concatenate([one.weights, other.weights]),
    )


if __name__ == "__main__":
    main()
