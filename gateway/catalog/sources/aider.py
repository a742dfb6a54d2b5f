"""Aider's polyglot leaderboard: 225 exercises in six languages, share solved within two tries."""

import re
from datetime import date as Date
from typing import Any

import yaml

from gateway.catalog.card import Figure, Source
from gateway.catalog.records import Broken, FeedError, ModelRecord, Reading

NAME = "aider"
FAMILY = "code_editing"
REMARK = re.compile(r"\s*\(([^)]*)\)$")
# Which of several runs stands for the model: the first of these remarks that one carries, else the newest run.
EFFORTS = ("", "default", "default think", "medium", "chat", "no thinking", "no think", "high", "low")


def read(body: bytes, source: Source) -> Reading:
    """One record per model; runs with more or less effort give the interval."""
    try:
        runs = yaml.load(body, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  both are safe
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FeedError(f"{NAME}: {error}") from error
    if not isinstance(runs, list):
        raise FeedError(f"{NAME}: the leaderboard is a {type(runs).__name__}, not a list of runs")
    reading = Reading(source)
    by_model: dict[str, dict[str, Figure]] = {}
    for position, run in enumerate(runs):
        try:
            name, remark, share = _run(run)
        except (KeyError, TypeError, ValueError) as error:
            reading.broken.append(Broken("", "", f"{NAME}: [{position}]: {error!r}"))
            continue
        if " + " not in name:  # two models working together are neither
            by_model.setdefault(name, {})[remark] = share
    reading.models.extend(ModelRecord(name, quality={FAMILY: _chosen(runs)}) for name, runs in by_model.items())
    return reading.checked(len(runs))


def _run(run: dict[str, Any]) -> tuple[str, str, Figure]:
    model, rate, day = run["model"], run["pass_rate_2"], run.get("date", "")
    if not isinstance(model, str) or isinstance(rate, bool) or not isinstance(rate, int | float):
        raise TypeError(f"model is {model!r}, pass_rate_2 is {rate!r}")
    remark = REMARK.search(model)
    date = day.isoformat() if isinstance(day, Date) else str(day)
    return REMARK.sub("", model), remark.group(1).lower() if remark else "", Figure(rate / 100, NAME, date)


def _chosen(runs: dict[str, Figure]) -> Figure:
    order = {remark: position for position, remark in enumerate(EFFORTS)}
    first = runs[min(runs, key=lambda remark: order.get(remark, len(order)))]
    values = [share.value for share in runs.values()]
    if len(values) == 1:
        return first
    return Figure(first.value, first.source, first.date, min(values), max(values))
