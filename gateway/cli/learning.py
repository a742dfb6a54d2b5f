"""steelyard learn and steelyard weights: what own outcomes say, and which version of it is in use."""

import os
from datetime import UTC, datetime
from pathlib import Path
from time import time

from gateway import bootstrap
from gateway.accounting.feedback import FeedbackBook
from gateway.accounting.usage_report import parse_since
from gateway.catalog.learned import ANY_TASK, LearnedWeights, TaskWeights
from gateway.cli.render import print_json
from gateway.cli.table import Column, Table, note, say
from gateway.errors import SettingsError
from gateway.learning.labels import TaskLesson, labels_of
from gateway.learning.learn import Lesson, learn
from gateway.learning.outcomes import outcomes_of
from gateway.learning.store import NONE, WeightStore
from gateway.settings.schema import Settings

SHOWN = 20  # models
PARTS = ("models", "tasks")
OFF = (
    "learning.enabled is false, so that no outcomes are taken and no weights counted in; set it to true in the settings"
)


def settings_of(config: Path | None) -> Settings:
    """Raises SettingsError where learning is off."""
    settings = bootstrap.read_settings(config, os.environ)[0].settings
    if not settings.learning.enabled:
        raise SettingsError([OFF])
    return settings


def run(config: Path | None, since: str, dry_run: bool, as_json: bool) -> None:
    """Learn, tell what came of it, and take it into use if it is better."""
    settings = settings_of(config)
    store = WeightStore(Path(settings.learning.path))
    catalog = bootstrap.first_snapshot(settings, os.environ).catalog
    book = FeedbackBook(Path(settings.ledger.path))
    first = parse_since(since, time())
    outcomes = outcomes_of(book, catalog, first, implicit=settings.learning.implicit)
    in_use = store.current()
    lesson = learn(outcomes, in_use, datetime.now(UTC), labels_of(book, first))
    if lesson.weights is not None and not dry_run:
        store.save(lesson.weights)
        if lesson.is_better:
            store.use(lesson.weights.name)
    if as_json:
        print_json(lesson)
    else:
        show(lesson, in_use, dry_run)


def show(lesson: Lesson, in_use: LearnedWeights | None, dry_run: bool) -> None:
    show_models(lesson, in_use)
    say("")
    show_tasks(lesson.tasks)
    if lesson.weights is None:
        return
    better = [
        name for name, is_it in zip(PARTS, (lesson.is_better_of_models, lesson.tasks.is_better), strict=True) if is_it
    ]
    verdict = f"{' and '.join(better)} better beyond the error bar" if better else "not better beyond the error bar"
    if dry_run:
        say(f"\n{verdict}; nothing was kept")
    elif better:
        say(f"\n{verdict}; {lesson.weights.name} is in use now, the server follows within two seconds", "bold")
    else:
        say(f"\n{verdict}; kept as {lesson.weights.name}, {name_of(in_use)} stays in use")


def show_models(lesson: Lesson, in_use: LearnedWeights | None) -> None:
    """What outcomes say of models."""
    sources = ", ".join(f"{count:,} of {source.rstrip(':')}" for source, count in lesson.by_source.items())
    say(f"{lesson.outcomes:,} outcomes{f' ({sources})' if sources else ''}")
    gain = lesson.gain
    if gain is None or lesson.weights is None:
        say(f"nothing learned of models: {lesson.verdict}")
        return
    held_out = f"on the {lesson.held_out:,} of the latest days, log loss"
    say(f"{held_out} {gain.loss_before:.4f} with {name_of(in_use)}, {gain.loss_after:.4f} with what was learned")
    say(f"saved {gain.gain:+.4f} an outcome, 95 % interval {gain.low:+.4f} to {gain.high:+.4f}")
    if lesson.weights.offsets:
        say("")
        print_offsets(lesson.weights)


def show_tasks(lesson: TaskLesson) -> None:
    """What labels say of tasks, and how far each source's are to be believed."""
    say(f"{lesson.labels:,} labels of tasks")
    gain = lesson.gain
    if gain is None:
        say(f"nothing learned of tasks: {lesson.verdict}")
        return
    table = Table([Column("source"), Column("labels", is_number=True), Column("from nowhere", is_number=True)])
    for name, source in lesson.by_source.items():
        table.add(name.rstrip(":"), f"{source.labels:,}", f"{source.noise:.0%}")
    table.print()
    held_out = f"on the {lesson.held_out:,} of the latest days, log loss"
    say(f"{held_out} {gain.loss_before:.4f} with what is in use, {gain.loss_after:.4f} with what was learned")
    say(f"saved {gain.gain:+.4f} a label, 95 % interval {gain.low:+.4f} to {gain.high:+.4f}")
    say(
        f"the likeliest task was right in {lesson.right_before:.0%} of them before, "
        f"and is in {lesson.right_after:.0%} now"
    )


def name_of(weights: LearnedWeights | None) -> str:
    return "the catalog" if weights is None else weights.name


def print_offsets(weights: LearnedWeights) -> None:
    """Models that outcomes moved most, in log odds."""
    table = Table([Column("model"), Column("any task", is_number=True), Column("task"), Column("more", is_number=True)])
    most = sorted(weights.offsets.items(), key=lambda entry: -max(map(abs, entry[1].values())))
    for model, own in most[:SHOWN]:
        task, more = max(
            ((task, offset) for task, offset in own.items() if task != ANY_TASK), key=lambda entry: abs(entry[1])
        )
        table.add(model, f"{own[ANY_TASK]:+.2f}", task, f"{more:+.2f}")
    table.print()
    left = len(most) - SHOWN
    note(f"log odds: +0.5 is 0.62 in place of 0.50{f'; {left} more in the file' if left > 0 else ''}")


def list_versions(config: Path | None, as_json: bool) -> None:
    """Every version; an asterisk marks the one in use."""
    store = WeightStore(Path(settings_of(config).learning.path))
    current, versions = store.current_name(), [store.load(name) for name in store.names()]
    if as_json:
        print_json({"in_use": current or None, "versions": versions})
        return
    if not versions:
        say(f"no learned weights in {store.folder}; steelyard learn makes them")
        return
    table = Table(
        [
            Column("name"),
            Column("outcomes", is_number=True),
            Column("days"),
            Column("saved"),
            Column("labels", is_number=True),
            Column("saved"),
            Column("after"),
        ]
    )
    for one in versions:
        mark = "* " if one.name == current else "  "
        days = f"{one.since} to {one.until}" if one.outcomes else ""
        labels = f"{one.tasks.labels:,}" if one.tasks else ""
        parts = (saved(one) if one.outcomes else "", labels, saved(one.tasks) if one.tasks else "")
        table.add(mark + one.name, f"{one.outcomes:,}", days, *parts, one.based_on or "catalog")
    table.print()
    told = "saved: log loss per outcome, and per label of a task, on days that were held out"
    note(f"* in use: {current or 'the catalog alone'}; {told}")


def saved(one: LearnedWeights | TaskWeights) -> str:
    return f"{one.gain:+.4f} ({one.gain_low:+.4f} to {one.gain_high:+.4f})"


def use(config: Path | None, name: str) -> None:
    """Take a version into use, or the catalog alone."""
    store = WeightStore(Path(settings_of(config).learning.path))
    store.use(name)
    say("the catalog alone is in use now" if name == NONE else f"{name} is in use now")
