"""LiveBench: one CSV per release, a row per model (and reasoning effort), a column per task, 0-100."""

import csv
import io
import re

from gateway.catalog.card import Figure, Source
from gateway.catalog.records import Broken, FeedError, ModelRecord, Reading

NAME = "livebench"

# Tasks of each category, from the site's categories_2026_01_08.json; `web_of_lies_v3` is a task of older releases.
# A category's figure is the mean of those of its tasks that the table has.
CATEGORIES = {
    "reasoning": ("theory_of_mind", "zebra_puzzle", "spatial", "logic_with_navigation", "web_of_lies_v3"),
    "coding": ("code_generation", "code_completion"),
    "agentic_coding": ("javascript", "typescript", "python"),
    "mathematics": ("AMPS_Hard", "integrals_with_game", "math_comp", "olympiad"),
    "data_analysis": ("consecutive_events", "tablejoin", "tablereformat"),
    "language": ("connections", "plot_unscrambling", "typos"),
    "instruction_following": ("paraphrase", "simplify", "story_generation", "summarize"),
}

# The row that stands for what a caller gets without asking for more or less effort: the first of these that exists.
# The other rows of the same model give the interval.
EFFORTS = (
    "", "-base", "-default", "-medium", "-medium-effort", "-high", "-high-effort", "-thinking",
    "-thinking-medium-effort", "-thinking-high-effort", "-highthinking", "-xhigh", "-xhigh-effort", "-low",
    "-low-effort", "-thinking-low-effort", "-minimal", "-nothinking",
)  # fmt: skip
EFFORT = re.compile(
    r"-(?:base|default|nothinking|minimal|highthinking"
    r"|(?:thinking(?:-auto|-\d+k)?)?-?(?:(?:x?high|medium|low)(?:-effort)?)|thinking(?:-auto|-\d+k)?)$"
)
# Models of their own whose names end like an effort.
WHOLE_NAMES = frozenset({"kimi-k2-thinking", "qwen3-next-80b-a3b-thinking"})
BUDGET = re.compile(r"-(?:auto|\d+k)(?=-|$)")


def read(body: bytes, source: Source, date: str = "") -> Reading:
    """One release's table. `date`: the release, ISO."""
    where = f"{NAME}/{date}"
    try:
        rows = list(csv.DictReader(io.StringIO(body.decode("utf-8"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FeedError(f"{where}: {error}") from error
    if rows and "model" not in rows[0]:
        raise FeedError(f"{where}: the first column is {next(iter(rows[0]))!r}, not 'model'")
    reading = Reading(source)
    efforts: dict[str, dict[str, dict[str, float]]] = {}
    for line, row in enumerate(rows, start=2):
        try:
            name, effort = split_effort(row["model"] or "")
            efforts.setdefault(name, {})[effort] = _categories(row)
        except ValueError as error:
            reading.broken.append(Broken("", row["model"] or "", f"{where}: line {line}: {error}"))
    for name, by_effort in efforts.items():
        quality = _quality(by_effort, date)
        if quality:
            reading.models.append(ModelRecord(name, quality=quality))
    return reading.checked(len(rows))


def split_effort(name: str) -> tuple[str, str]:
    """A row's model and its effort, token budgets left out.

    "x-thinking-64k-high-effort" -> "x", "-thinking-high-effort".
    """
    match = EFFORT.search(name)
    if match is None or name in WHOLE_NAMES:
        return name, ""
    return name[: match.start()], BUDGET.sub("", match.group())


def _categories(row: dict[str, str]) -> dict[str, float]:
    """Category -> share of points, 0-1."""
    shares = {}
    for category, tasks in CATEGORIES.items():
        points = [float(row[task]) for task in tasks if row.get(task)]
        if points:
            shares[category] = sum(points) / len(points) / 100
    return shares


def _quality(by_effort: dict[str, dict[str, float]], date: str) -> dict[str, Figure]:
    order = {effort: position for position, effort in enumerate(EFFORTS)}
    first = min(by_effort, key=lambda effort: order.get(effort, len(order)))
    quality = {}
    for category, value in by_effort[first].items():
        all_values = [values[category] for values in by_effort.values() if category in values]
        low, high = (min(all_values), max(all_values)) if len(all_values) > 1 else (None, None)
        quality[category] = Figure(round(value, 4), NAME, date, _rounded(low), _rounded(high))
    return quality


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
