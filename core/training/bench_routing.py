"""Judges what is predicted of prompts and models: `python -m core.training.bench_routing [FOLDER]`.

Prints figures of the kinds of the gates A to F, with 95 % intervals (bootstrap over prompts) beside every baseline.
Without a folder it takes the part of the outcomes that may be passed on, in training/data/outcomes.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
from msgspec.structs import replace
from scipy import sparse

from core.tasks import TASKS, TEXT_TASKS
from core.training import bench_labels, corpus
from core.training.bench_labels import COARSE
from core.training.design import F64, Integers, balanced, design, raw
from core.training.fit import softmax_regression
from core.training.outcomes import OWN, Source, sources_in
from core.training.routers import (
    area,
    by_dataset,
    by_length,
    by_wording,
    folds,
    hull_area,
    on_length,
    ranked_above,
    recovered,
)
from core.training.train import SEED, STRENGTH, held_out_logits, tasks_of
from core.wording import read

FOLDS = 5
RESAMPLES = 300
PRICES = np.concatenate([[0.0], np.logspace(-3, 5, 60)])  # quality per USD at which a router compares
PAIRS = {  # small against large
    "mmlupro": ("Meta-Llama-3_1-8B-Instruct", "Meta-Llama-3_1-70B-Instruct"),
    "routerbench_part": ("mistralai/mixtral-8x7b-chat", "gpt-4-1106-preview"),
    "ulab": ("qwen2.5-7b-instruct", "llama-3.3-nemotron-super-49b-v1"),
}
GATE_B_LABELS = 1500
FLASK = {'["Coding"]': "coding", '["Math"]': "mathematics"}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", nargs="?", type=Path, default=OWN)
    folder = arguments.parse_args().folder
    sources = {source.name: source for source in sources_in(folder)}
    if not sources:
        raise SystemExit(f"{folder} has no file NAME.prompts.parquet; give the folder that holds the outcomes")
    print(f"outcomes: {', '.join(f'{source.name} ({len(source.texts)})' for source in sources.values())} in {folder}\n")
    print("| gate | source | what | value | 95 % |\n|---|---|---|--:|---|")
    for gate, name in (("A", "routerdc7"), ("C2", "ulab")):
        if name in sources:
            accuracy(gate, sources[name])
    for name in sorted(PAIRS.keys() & sources.keys()):
        pair_in_distribution(sources[name])
    if "routerbench_part" in sources:
        cost_and_quality(sources["routerbench_part"])
    tasks(folder)
    for name in sorted(PAIRS.keys() & sources.keys()):
        unseen(sources[name], [other for other in sources.values() if other.name != name])
    bench_labels.say_all(folder)
    print("\nNot in these folders, so not judged: RouteLLM's pair (B), MT-Bench (D), competition maths with costs (F).")


def accuracy(gate: str, source: Source) -> None:
    """Mean score of whom a router chooses, cross-validated."""
    chosen = {name: np.zeros(len(source.texts), int) for name in ("wording", "length", "single", "dataset")}
    for train, test, places in splits(source):
        chosen["wording"][places] = by_wording(train.rows, train.scores, test.rows).argmax(axis=1)
        chosen["length"][places] = by_length(train, test).argmax(axis=1)
        chosen["single"][places] = np.nanmean(train.scores, axis=0).argmax()
        chosen["dataset"][places] = by_dataset(train, test).argmax(axis=1)
    rows = np.arange(len(source.texts))
    scored = np.nan_to_num(source.scores)
    smallest = np.nanmean(source.scores, axis=0).argmin()
    say(gate, source, "random", scored.mean(axis=1))
    say(gate, source, "worst single model", scored[:, smallest])
    say(gate, source, "best single model", scored[rows, chosen["single"]])
    say(gate, source, "prompt length alone", scored[rows, chosen["length"]])
    say(gate, source, "**wording**", scored[rows, chosen["wording"]])
    say(gate, source, "wording - best single", scored[rows, chosen["wording"]] - scored[rows, chosen["single"]])
    say(gate, source, "oracle per data set", scored[rows, chosen["dataset"]])
    say(gate, source, "oracle", scored.max(axis=1))


def pair_in_distribution(source: Source) -> None:
    """APGR of a small and a large model with few labels, on prompts of the same kind."""
    weak, strong = pair_of(source)
    source = source.whole([weak, strong])
    order = np.random.default_rng(SEED).permutation(len(source.texts))
    labels = min(GATE_B_LABELS, len(order) // 2)
    train, test = source.part(order[:labels]), source.part(order[labels:])
    gain = train.scores[:, [strong]] - train.scores[:, [weak]]
    wording = by_wording(train.rows, gain, test.rows)[:, 0]
    length = by_length(train, test)
    result = (test.scores[:, weak], test.scores[:, strong])
    say_of("B", test, "APGR, random", [np.random.default_rng(SEED).random(len(test.texts)), *result], recovered)
    say_of("B", test, "APGR, prompt length alone", [length[:, strong] - length[:, weak], *result], recovered)
    say_of("B", test, f"**APGR, wording**, {labels} labels", [wording, *result], recovered)
    say_of("B", test, "APGR, oracle", [result[1] - result[0], *result], recovered)


def cost_and_quality(source: Source) -> None:
    """The share of the way from the hull of single models to the oracle that a router goes, in area."""
    source = source.whole(range(len(source.models)))
    if source.cost is None:
        return
    expected, length, told = (np.zeros((2, *source.scores.shape)) for _ in range(3))  # quality, and USD
    for train, test, places in splits(source):
        cost = np.delete(source.cost, places, axis=0)
        expected[0, places] = by_wording(train.rows, train.scores, test.rows)
        length[0, places] = by_length(train, test)
        told[0, places] = by_dataset(train, test)
        expected[1, places] = np.maximum(by_wording(train.rows, cost, test.rows), 0)
        length[1, places] = on_length(train, cost, test)
        told[1, places] = by_dataset(replace(train, scores=cost), test)
    columns = [source.scores, source.cost, *expected, *length, *told]
    single = [source.scores.mean(axis=0), source.cost.mean(axis=0)]
    say_one("C", source, "quality of the best single model", float(single[0].max()))
    say_one("C", source, "quality of the cheapest model", float(single[0][single[1].argmin()]))
    say_of("C", source, "AIQ, no router", columns, lambda *of: _areas(*of)[0])
    say_of("C", source, "AIQ, wording", columns, lambda *of: _areas(*of)[1])
    say_of("C", source, "AIQ, oracle", columns, lambda *of: _areas(*of)[4])
    say_of("C", source, "share of the gap, prompt length alone", columns, lambda *of: _share(_areas(*of), 2))
    say_of("C", source, "**share of the gap, wording**", columns, lambda *of: _share(_areas(*of), 1))
    say_of("C", source, "share of the gap, oracle per data set", columns, lambda *of: _share(_areas(*of), 3))


def _areas(quality: F64, cost: F64, *guesses: F64) -> tuple[float, ...]:
    """AIQ of no router, of each pair of guesses at quality and cost, of the oracle."""
    means = cost.mean(axis=0)
    none = hull_area(list(zip(means, quality.mean(axis=0), strict=True)), float(means.min()), float(means.max()))
    return none, *(
        area(quality, cost, np.array([(values - price * dues).argmax(axis=1) for price in PRICES]))
        for values, dues in zip((*guesses[::2], quality), (*guesses[1::2], cost), strict=True)
    )


def _share(areas: tuple[float, ...], router: int) -> float:
    return (areas[router] - areas[0]) / (areas[-1] - areas[0])


def tasks(folder: Path) -> None:
    """The task types of real users' prompts."""
    written, real = corpus.written(SEED), corpus.real()
    truth = tasks_of(real)
    rows = design(written)
    weights = softmax_regression(rows, tasks_of(written), balanced(written, len(TEXT_TASKS)), len(TEXT_TASKS), STRENGTH)
    unseen_logits = design(real) @ weights
    held_out = held_out_logits([*written, *real])[-len(real) :]
    for name, logits in (("nothing real seen", unseen_logits), ("real, topic unseen", held_out)):
        chosen = logits.argmax(axis=1)
        right = (chosen == truth).astype(float)
        say("D", None, f"arena-hard, nine tasks, {name}", right)
        coarse = [(COARSE.get(TEXT_TASKS[t]), COARSE.get(TEXT_TASKS[c])) for t, c in zip(truth, chosen, strict=True)]
        told = np.array([float(said == true) for true, said in coarse if true is not None])
        say("D", None, f"**arena-hard, coding / mathematics / creative, {name}**", told)
    most = np.bincount(truth).argmax()
    say("D", None, "arena-hard, nine tasks, always the commonest", (truth == most).astype(float))
    said = [TASKS[read(b"", raw(text)).shares[0][0]] == task for task, text in corpus.in_other_languages()]
    say("D", None, "seven other languages, ten tasks, nothing of it seen", np.array(said, float))
    path = folder / "tasktype_flask.parquet"
    if path.is_file():
        table = parquet.read_table(path).to_pylist()
        known = [(FLASK[row["domain"]], row["text"]) for row in table if row["domain"] in FLASK]
        right = [COARSE.get(TASKS[read(b"", raw(text)).shares[0][0]]) == true for true, text in known]
        say("D", None, "FLASK, coding / mathematics, nothing of it seen", np.array(right, float))


def unseen(source: Source, others: Sequence[Source]) -> None:
    """A small against a large model on a benchmark of which nothing was seen, by how hard a prompt seems."""
    others = [other for other in others if not set(other.datasets) >= set(source.datasets)]
    if not others:
        return
    weak, strong = pair_of(source)
    source = source.whole([weak, strong])
    rng = np.random.default_rng(SEED)
    parts = [other.part(rng.permutation(len(other.texts))[:1500]) for other in others]
    target = np.concatenate([np.nanmean(part.scores, axis=1) - np.nanmean(part.scores) for part in parts])[:, None]
    rows = sparse.vstack([part.rows for part in parts]).tocsr()
    order = rng.permutation(len(target))
    ease = by_wording(rows[order], target[order], source.rows)[:, 0]
    length = -np.array([len(text) for text in source.texts], float)
    bundled = np.array([-read(b"", raw(text)).harder for text in source.texts])
    small, large = source.scores[:, weak], source.scores[:, strong]
    is_right = (small > 0.5).astype(float)
    for name, guess in (("prompt length alone", length), ("bundled difficulty", bundled), ("**wording**", ease)):
        say_of("E", source, f"AUROC, {name}", [guess, is_right], ranked_above)
        say_of("E", source, f"APGR, {name}", [-guess, small, large], recovered)


def splits(source: Source) -> list[tuple[Source, Source, Integers]]:
    part = folds(len(source.texts), FOLDS, SEED)
    places = [(np.flatnonzero(part != held), np.flatnonzero(part == held)) for held in range(FOLDS)]
    return [(source.part(train), source.part(test), test) for train, test in places]


def pair_of(source: Source) -> tuple[int, int]:
    weak, strong = PAIRS[source.name]
    return source.models.index(weak), source.models.index(strong)


def say(gate: str, source: Source | None, what: str, values: F64) -> None:
    """The mean, with its interval."""
    say_of(gate, source, what, [values], lambda sample: float(sample.mean()))


def say_of(gate: str, source: Source | None, what: str, columns: Sequence[F64], figure: Callable[..., float]) -> None:
    """A figure of columns that have one entry per prompt, with its interval."""
    rng = np.random.default_rng(SEED)
    count = len(columns[0])
    drawn = [figure(*(column[rows] for column in columns)) for rows in rng.integers(0, count, (RESAMPLES, count))]
    low, high = np.quantile(drawn, [0.025, 0.975])
    name = source.name if source is not None else "-"
    print(f"| {gate} | {name} | {what} | {figure(*columns):.3f} | {low:.3f} to {high:.3f} |", flush=True)


def say_one(gate: str, source: Source, what: str, value: float) -> None:
    print(f"| {gate} | {source.name} | {what} | {value:.3f} | |", flush=True)


if __name__ == "__main__":
    main()
