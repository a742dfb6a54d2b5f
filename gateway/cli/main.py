"""Every command, each a few lines: read, ask a lower floor, render."""

import asyncio
import os
import sys
from pathlib import Path
from time import time
from typing import get_args

import click
import uvloop

from gateway import __version__, bootstrap
from gateway.accounting.ledger import Grouping
from gateway.catalog.card import Catalog
from gateway.cli.announce import announcement
from gateway.errors import GatewayError, SettingsError
from gateway.simulator.models import PROVIDERS

CONFIG = click.option(
    "--config", "-c", type=click.Path(path_type=Path), help="settings file [default: steelyard.yaml here, if any]"
)


def main() -> None:
    """The entry point of `steelyard`."""
    try:
        cli(prog_name="steelyard")
    except SettingsError as error:
        for finding in error.findings:
            click.echo(finding, err=True)
        count = len(error.findings)
        click.echo(f"\n{count} {'thing is' if count == 1 else 'things are'} wrong; nothing was started.", err=True)
        sys.exit(2)
    except GatewayError as error:
        click.echo(error.message, err=True)
        sys.exit(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def cli() -> None:
    """Steelyard weighs every model of the catalog for each request and carries it to the winner."""


@cli.command()
@CONFIG
@click.option("--host", help="listen address [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="listen port, 0 for a free one [default: 8080]")
def serve(config: Path | None, host: str | None, port: int | None) -> None:
    """Serve. Without any provider key the built-in simulator answers."""
    options = bootstrap.Options(config, host, port)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(bootstrap.serve(options, lambda running: click.echo(announcement(running))))


@cli.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--schema", is_flag=True, help="print the JSON schema of the settings instead, for editors")
def check(file: Path | None, schema: bool) -> None:
    """Validate a settings FILE (default: steelyard.yaml here) offline, whole: every finding with line and column."""
    from gateway.cli.render import counted, print_providers
    from gateway.settings.reference import json_schema

    if schema:
        click.echo(json_schema())
        return
    loaded, path = bootstrap.read_settings(file, os.environ)
    snapshot = bootstrap.compile_snapshot(loaded.settings, bootstrap.known_catalog(loaded.settings), os.environ, None)
    print_providers(snapshot)
    for warning in (*loaded.warnings, *(w for policy in snapshot.policies.values() for w in policy.warnings)):
        click.echo(f"warning: {warning}")
    targets = counted(len(snapshot.targets.ids), "target")
    if not snapshot.providers:
        targets = "no provider is live, so the built-in simulator would answer"
    click.echo(f"{path or 'built-in defaults'}: good, {counted(len(snapshot.policies), 'router')}, {targets}")


@cli.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path("steelyard.yaml"))
@click.option("--force", is_flag=True, help="overwrite an existing file")
def init(file: Path, force: bool) -> None:
    """Write a commented settings FILE, with the providers switched on whose keys are in the environment."""
    from gateway.providers.table import found_keys
    from gateway.settings.template import commented_settings

    if file.exists() and not force:
        raise click.ClickException(f"{file} exists; use --force to overwrite it")
    file.write_text(commented_settings(found_keys(os.environ)))
    click.echo(f"wrote {file}; check it with: steelyard check {file}")


@cli.command()
@CONFIG
@click.argument("prompt")
@click.option("--model", "-m", default="", help="what a request would send as `model` [default: the default router]")
@click.option("--all", "everything", is_flag=True, help="as if every provider of the table were live")
@click.option(
    "--url", default="http://127.0.0.1:8080", show_default=True, help="running server, for a decision id (dec_…)"
)
@click.option("--key", envvar="STEELYARD_API_KEY", default="", help="your key at that server")
@click.option("--limit", default=12, help="candidates to show")
@click.option("--json", "as_json", is_flag=True, help="print the whole record as JSON")
def explain(
    config: Path | None, prompt: str, model: str, everything: bool, url: str, key: str, limit: int, as_json: bool
) -> None:
    """Say which model would answer PROMPT, and why; or explain a past decision by its id (dec_…)."""
    from gateway.cli import explain as explaining

    if prompt.startswith("dec_"):
        record = explaining.fetch(url, key, prompt)
    else:
        record = explaining.offline(config, prompt, model, everything)
    explaining.show(record, limit, as_json)


@cli.group()
def catalog() -> None:
    """What models exist, what they cost, and where each figure comes from."""


@catalog.command("list")
@CONFIG
@click.argument("pattern", default="")
@click.option("--provider", help="only offers of this provider")
@click.option("--json", "as_json", is_flag=True)
def catalog_list(config: Path | None, pattern: str, provider: str | None, as_json: bool) -> None:
    """List models and who sells them, cheapest host first."""
    from gateway.cli.render import print_catalog

    print_catalog(settings_catalog(config), pattern, provider, as_json)


@catalog.command("show")
@CONFIG
@click.argument("model")
@click.option("--json", "as_json", is_flag=True)
def catalog_show(config: Path | None, model: str, as_json: bool) -> None:
    """Every figure of MODEL (or of a target, model@provider) with its source and date."""
    from gateway.cli.render import print_card

    print_card(settings_catalog(config), model, as_json)


@catalog.command("diff")
@CONFIG
@click.option("--json", "as_json", is_flag=True)
def catalog_diff(config: Path | None, as_json: bool) -> None:
    """What the refreshed catalog says otherwise than the bundled one."""
    from gateway.catalog.snapshot import bundled
    from gateway.cli.render import print_diff

    loaded, _ = bootstrap.read_settings(config, os.environ)
    print_diff(bundled(), bootstrap.known_catalog(loaded.settings), as_json)


@catalog.command("refresh")
@CONFIG
@click.option("--accept", multiple=True, metavar="TARGET", help="take over large price moves of this target; repeat")
def catalog_refresh(config: Path | None, accept: tuple[str, ...]) -> None:
    """Pull the public sources now and keep what passes for the next start (a running server does so by itself)."""
    from gateway.cli.render import print_report

    loaded, _ = bootstrap.read_settings(config, os.environ)
    report = asyncio.run(bootstrap.refresh_catalog(loaded.settings, accept))
    print_report(report)


@cli.command()
@CONFIG
@click.option("--by", type=click.Choice(get_args(Grouping)), default="model", help="what a line is about")
@click.option("--since", default="7d", help="7d, 24h, 90m, or an ISO date")
@click.option("--json", "as_json", is_flag=True)
def usage(config: Path | None, by: Grouping, since: str, as_json: bool) -> None:
    """What was used and what it cost, from the ledger."""
    from gateway.accounting.sqlite_ledger import SqliteLedger
    from gateway.accounting.usage_report import parse_since, report
    from gateway.cli.render import print_usage

    loaded, _ = bootstrap.read_settings(config, os.environ)
    now = time()
    start = parse_since(since, now)
    ledger = SqliteLedger(Path(loaded.settings.ledger.path))
    rows, total = ledger.usage(start, now, by), ledger.usage(start, now, "total")
    print_usage(report(by, start, now, rows, total), as_json)


@cli.group()
def keys() -> None:
    """Keys for your callers."""


@keys.command("new")
@click.argument("name")
def keys_new(name: str) -> None:
    """Make a key for NAME: prints it once, and the lines for the settings file, which hold only its SHA-256."""
    from gateway.server.auth import new_key

    key, digest = new_key()
    click.echo(f"{key}\n\nGive it to the caller now, it is not stored. Into steelyard.yaml:\n")
    click.echo(f"keys:\n  - name: {name}\n    sha256: '{digest}'")


@keys.command("hash")
def keys_hash() -> None:
    """The SHA-256 of a key typed (not shown) or piped in."""
    import hashlib

    key = click.prompt("key", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    click.echo(hashlib.sha256(key.encode()).hexdigest())


@cli.command()
@click.option(
    "--provider", "providers", multiple=True, type=click.Choice(PROVIDERS), help="repeat for several [default: all]"
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="first port; 0 takes free ones")
@click.option("--pace", default=1.0, help="1 is real time, 0 as fast as possible")
@click.option("--seed", default=0)
@click.option("--coalesce", is_flag=True, help="with --pace 0: a whole stream in one write")
def simulator(providers: tuple[str, ...], port: int, pace: float, seed: int, coalesce: bool) -> None:
    """Run the simulated providers by themselves."""
    from gateway.simulator import run

    run.main(providers or PROVIDERS, port=port, pace=pace, seed=seed, coalesce=coalesce)


def settings_catalog(config: Path | None) -> Catalog:
    """The catalog that a server with these settings would serve: the simulator's models too if it stands in."""
    loaded, _ = bootstrap.read_settings(config, os.environ)
    return bootstrap.served_catalog(loaded.settings, os.environ)
