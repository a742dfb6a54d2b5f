"""Telling a client program of Steelyard: printing what to write, or writing it into the program's own file."""

import difflib
import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import click
import yaml
from msgspec.structs import replace

from gateway.cli.clients import CLIENTS, Client, Place
from gateway.cli.reach import promise_of
from gateway.cli.table import Column, Table

# What needs no quotes in a shell, in JSON, TOML, YAML or source text.
PLAIN = re.compile(r"[A-Za-z0-9]([\w.~:/@+=-]*[\w=])?", re.ASCII)


class CannotMerge(Exception):
    """The file is not one that we can change without breaking something; the message says why."""


def print_clients() -> None:
    """All clients, one a line."""
    table = Table([Column("client"), Column("program"), Column("speaks"), Column("file", 1)])
    for client in CLIENTS.values():
        table.add(client.name, client.title, client.speaks, f"~/{client.file}" if client.file else "")
    table.print()


def named(name: str) -> Client:
    """The client of this name, or a BadParameter with what is near."""
    if name in CLIENTS:
        return CLIENTS[name]
    near = difflib.get_close_matches(name.lower(), CLIENTS, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "steelyard setup lists them"
    raise click.BadParameter(f"{name!r} is no client that is known here; {hint}", param_hint="CLIENT")


def place(root: str, key: str, model: str) -> Place:
    """Where Steelyard is, and what it says of the model. Refuses what would mean something else where it is written."""
    for option, value in (("--url", root), ("--key", key), ("--model", model)):
        if not PLAIN.fullmatch(value):
            shown = "the key" if option == "--key" else repr(value)
            raise click.BadParameter(f"{shown} has characters that cannot be written everywhere", param_hint=option)
    place = Place(root, key, model)
    promise = promise_of(root, key, model)
    if promise is None:
        return place
    return replace(
        place,
        context_window=promise.context_window or place.context_window,
        max_output_tokens=promise.max_output_tokens or place.max_output_tokens,
        takes_images="image" in promise.architecture.input_modalities,
    )


def run(client: Client, place: Place, home: Path | None) -> None:
    """Print what to write (home: None), or write it."""
    if home is None:
        click.echo(told(client, place), nl=False)
        return
    try:
        click.echo(write(client, place, home))
    except CannotMerge as error:
        click.echo(told(client, place), nl=False)
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename} cannot be written: {error.strerror}") from error
    for line in after(client, place):
        click.echo(line)


def told(client: Client, place: Place) -> str:
    """What a person needs to know: the file, its content, the next command."""
    where = f"# {client.title}: into ~/{client.file}\n" if client.file else f"# {client.title}\n"
    text = where if client.form != "code" else ""
    return text + client.text(place) + "".join(f"# {line}\n" for line in after(client, place))


def after(client: Client, place: Place) -> list[str]:
    """What comes next: notes, and the command that starts the client."""
    then = client.then.format(key=place.key, model=place.model)
    return [line for line in (client.note, f"then: {then}" if then else "") if line]


def write(client: Client, place: Place, home: Path) -> str:
    """Merge into the client's file, after a backup. Returns what was done. Raises CannotMerge."""
    if not client.file:
        raise CannotMerge(f"{client.title} has no file to write to; run the lines above")
    path = home / client.file
    new = client.text(place)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, new)
        return f"wrote {path}"
    old = path.read_text()
    merged = merged_json(path, old, new) if client.form == "json" else appended(path, client, old, new)
    if merged == old:
        return f"{path} says it already"
    backup = free_name(path)
    shutil.copy2(path, backup)
    write_private(path, merged)
    return f"changed {path}; the old one is {backup}"


def merged_json(path: Path, old: str, new: str) -> str:
    """Our members laid over theirs."""
    try:
        before = json.loads(old) if old.strip() else {}
    except ValueError as error:
        raise CannotMerge(f"{path} is not plain JSON ({error}); put the lines above in by hand") from error
    if not isinstance(before, dict):
        raise CannotMerge(f"{path} does not hold an object; put the lines above in by hand")
    after = laid_over(before, json.loads(new))
    return old if after == before else json.dumps(after, indent=2, ensure_ascii=False) + "\n"


def laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Both, member by member; where both have one that is no object, the upper."""
    both = dict(below)
    for name, value in above.items():
        there = both.get(name)
        both[name] = laid_over(there, value) if isinstance(there, dict) and isinstance(value, dict) else value
    return both


def appended(path: Path, client: Client, old: str, new: str) -> str:
    """Our lines behind theirs, so that their comments stay. What they have said themselves is theirs to change."""
    try:
        before, ours = (parsed(client, text) for text in (old, new))
    except (tomllib.TOMLDecodeError, yaml.YAMLError) as error:
        raise CannotMerge(f"{path} cannot be read ({error}); put the lines above in by hand") from error
    if isinstance(before, list) and isinstance(ours, list):
        return old if all(entry in before for entry in ours) else joined(old, new)
    if not isinstance(before, dict) or not isinstance(ours, dict):
        raise CannotMerge(f"{path} is laid out otherwise than expected; put the lines above in by hand")
    if laid_over(before, ours) == before:
        return old
    clash = clashing(before, ours, client.form == "toml")
    if clash:
        raise CannotMerge(f"{path} has {clash} already; change it by hand to the lines above")
    both = joined(old, new)
    if parsed(client, both) != laid_over(before, ours):  # behind a table of theirs our lines would belong to it
        raise CannotMerge(f"{path} is laid out otherwise than expected; put the lines above in by hand")
    return both


def clashing(before: dict[str, Any], ours: dict[str, Any], has_tables: bool) -> str:
    """The first of our members that they have too; of TOML tables those within count."""
    for name, value in ours.items():
        if name not in before:
            continue
        if has_tables and isinstance(value, dict) and isinstance(before[name], dict):
            inner = clashing(before[name], value, False)
            if inner:
                return f"{name}.{inner}"
        else:
            return name
    return ""


def parsed(client: Client, text: str) -> Any:
    if client.form == "toml":
        return tomllib.loads(text)
    return yaml.safe_load(text) or ({} if not client.text(Place("", "", "")).startswith("-") else [])


def joined(old: str, new: str) -> str:
    return (old if old.endswith("\n") or not old else old + "\n") + new


def free_name(path: Path) -> Path:
    """A name for the backup that is not taken."""
    number = 1
    while (backup := path.with_name(f"{path.name}.before-steelyard-{number}")).exists():
        number += 1
    return backup


def write_private(path: Path, text: str) -> None:
    """It may hold a key: nobody else on the machine reads it. A file that is there keeps its own mode."""
    if not path.exists():
        path.touch(mode=0o600)
    path.write_text(text)
