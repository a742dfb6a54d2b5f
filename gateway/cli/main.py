"""Every command, each a few lines: read, ask a lower floor, render."""

import asyncio
import json
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
from gateway.cli.words import counted
from gateway.errors import GatewayError, SettingsError
from gateway.simulator.models import PROVIDERS

LAST_PORT = 65_535
# A file that cannot be read is told of with the rest of what can be wrong with it.
FILE = click.Path(path_type=Path, readable=False)
CONFIG = click.option("--config", "-c", type=FILE, help="settings file [default: steelyard.yaml here, if any]")
JSON = click.option("--json", "as_json", is_flag=True, help="print it as JSON, with everything in it")


def main() -> None:
    """The entry point of `steelyard`."""
    try:
        cli(prog_name="steelyard")
    except SettingsError as error:
        for finding in error.findings:
            click.echo(finding, err=True)
        if len(error.findings) > 1:
            click.echo(f"\n{len(error.findings)} things are wrong; nothing was done.", err=True)
        sys.exit(2)
    except GatewayError as error:
        click.echo(f"Error: {error.message}", err=True)
        sys.exit(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
@click.pass_context
def cli(context: click.Context) -> None:
    """Steelyard weighs every model of the catalog for each request and carries it to the winner."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        context.color = False


@cli.command(short_help="Serve; without any provider key the built-in simulator answers.")
@CONFIG
@click.option("--host", help="listen address [default: the settings', else 127.0.0.1]")
@click.option(
    "--port",
    type=click.IntRange(0, LAST_PORT),
    help="listen port, 0 for a free one [default: the settings', else 8080]",
)
@click.option(
    "--workers", type=click.IntRange(1, 64), help="processes that share the port [default: the settings', else 1]"
)
@click.option("--take-over", is_flag=True, help="take the port of the running server, without losing a connection")
@click.option(
    "--allow-root",
    is_flag=True,
    envvar="STEELYARD_ALLOW_ROOT",
    show_envvar=True,
    help="serve as root, as in a container, on any address",
)
def serve(
    config: Path | None,
    host: str | None,
    port: int | None,
    workers: int | None,
    take_over: bool,
    allow_root: bool,
) -> None:
    """Serve until SIGTERM or SIGINT (Ctrl-C). Without any provider key the built-in simulator answers.

    The first signal lets requests that are being answered end; a second one ends them. SIGHUP reads the settings again.
    """
    from gateway.cli.workers import serve_with_workers

    options = bootstrap.Options(config, host, port, take_over, allow_root)
    is_worker = bootstrap.own_place(os.environ) is not None
    count = 1 if is_worker else workers or bootstrap.settings_for(options, os.environ).server.workers
    if count > 1:
        sys.exit(asyncio.run(serve_with_workers(options, count)))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(bootstrap.serve(options, lambda running: click.echo(announcement(running))))


@cli.command(short_help="Validate a settings file offline.")
@CONFIG
@click.argument("file", type=FILE, required=False)
@click.option("--schema", is_flag=True, help="print the JSON schema of the settings instead, for editors")
def check(config: Path | None, file: Path | None, schema: bool) -> None:
    """Validate a settings FILE (default: steelyard.yaml here) offline, whole: every finding with line and column."""
    from gateway.cli.render import print_providers
    from gateway.settings.reference import json_schema

    if schema:
        click.echo(json_schema())
        return
    loaded, path = bootstrap.read_settings(file or config, os.environ)
    snapshot = bootstrap.first_snapshot(loaded.settings, os.environ)
    print_providers(snapshot)
    for warning in (*loaded.warnings, *snapshot.warnings):
        click.echo(f"warning: {warning}")
    routers, targets = counted(len(snapshot.chat.policies), "router"), counted(len(snapshot.chat.targets.ids), "target")
    embedding = len(snapshot.embeddings.targets.ids)
    targets += f" and {embedding} for embeddings" if embedding else ""
    stands_in = any(provider.simulated for provider in snapshot.providers.values())
    why = " of the built-in simulator, which stands in because no provider is live" if stands_in else ""
    click.echo(f"{path or 'built-in defaults'}: good, {routers}, {targets}{why}")


@cli.command(short_help="Write a commented settings file.")
@click.argument("file", type=FILE, default=Path("steelyard.yaml"))
@click.option("--force", is_flag=True, help="overwrite an existing file")
def init(file: Path, force: bool) -> None:
    """Write a settings FILE (default: steelyard.yaml) in which everything is commented out: it changes nothing yet.

    Providers whose keys are in the environment are named in it.
    """
    from gateway.providers.table import found_keys
    from gateway.settings.template import commented_settings

    if file.is_dir():
        raise click.ClickException(f"{file} is a folder; name a file in it: steelyard init {file / 'steelyard.yaml'}")
    if file.exists() and not force:
        raise click.ClickException(f"{file} exists; use --force to overwrite it")
    try:
        file.write_text(commented_settings(found_keys(os.environ)))
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}; name another place") from error
    click.echo(f"wrote {file}; check it with: steelyard check {file}")


@cli.command(short_help="Say which model would answer a prompt, and why.")
@CONFIG
@click.argument("prompt")
@click.option("--model", "-m", default="", help="what a request would send as `model` [default: the default router]")
@click.option("--all", "everything", is_flag=True, help="as if every provider of the table were live")
@click.option(
    "--url",
    default="http://127.0.0.1:8080",
    show_default=True,
    help="running server, for PROMPT = a decision id (dec_…)",
)
@click.option("--key", envvar="STEELYARD_API_KEY", show_envvar=True, default="", help="your key at that server")
@click.option("--limit", type=click.IntRange(1), default=12, show_default=True, help="candidates to show")
@click.option("--grounds", is_flag=True, help="what each figure rests on, and how surely")
@JSON
def explain(
    config: Path | None,
    prompt: str,
    model: str,
    everything: bool,
    url: str,
    key: str,
    limit: int,
    grounds: bool,
    as_json: bool,
) -> None:
    """Say which model would answer PROMPT, and why; or explain a past decision by its id (dec_…).

    A prompt is weighed offline, as a server with these settings would on its first request. A decision is asked for at
    the running server that made it (--url).
    """
    from gateway.cli import explain as explaining

    if prompt.startswith("dec_"):
        record = explaining.fetch(url, key, prompt)
    else:
        record = explaining.offline(config, prompt, model, everything)
    explaining.show(record, limit, as_json, grounds)


@cli.group()
def catalog() -> None:
    """What models exist, what they cost, who says so."""


@catalog.command("list", short_help="List models and who sells them.")
@CONFIG
@click.argument("pattern", default="")
@click.option("--provider", default="", help="only offers of this provider")
@JSON
def catalog_list(config: Path | None, pattern: str, provider: str, as_json: bool) -> None:
    """List models and who sells them, the cheapest host of each first.

    PATTERN is a part of model@provider, or a pattern with *: 'anthropic/*@bedrock'. Without any provider key the
    built-in simulator's models are listed too.
    """
    from gateway.cli.render import print_catalog

    print_catalog(served_catalog(config), pattern, provider, as_json)


@catalog.command("show", short_help="Show every figure of a model with its source.")
@CONFIG
@click.argument("model")
@JSON
def catalog_show(config: Path | None, model: str, as_json: bool) -> None:
    """Every figure of MODEL (or of a target, model@provider) with its source and date."""
    from gateway.cli.render import print_card

    print_card(served_catalog(config), model, as_json)


@catalog.command("diff", short_help="Show what a refresh has changed.")
@CONFIG
@JSON
def catalog_diff(config: Path | None, as_json: bool) -> None:
    """What the refreshed catalog says otherwise than the bundled one."""
    from gateway.catalog.snapshot import bundled
    from gateway.cli.render import print_diff

    loaded, _ = bootstrap.read_settings(config, os.environ)
    print_diff(bundled(), bootstrap.known_catalog(loaded.settings), as_json)


@catalog.command("refresh", short_help="Pull the public sources now.")
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
@click.option(
    "--by", type=click.Choice(get_args(Grouping)), default="model", show_default=True, help="what a line is about"
)
@click.option("--since", default="7d", show_default=True, help="30m, 24h, 7d, 2w, or an ISO date, in UTC")
@JSON
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
    print_usage(report(by, start, now, rows, total), loaded.settings.ledger.path, as_json)


@cli.command(short_help="Decide past requests again, by other rules.")
@CONFIG
@click.option("--router", default="", help="whose requests [default: the default router's]")
@click.option("--since", default="7d", show_default=True, help="30m, 24h, 7d, 2w, or an ISO date, in UTC")
@click.option("--weights", default="", metavar="cost=.5,quality=.5", help="weights for the router")
@click.option("--settings", "other", type=FILE, help="another settings file to decide by")
@click.option("--catalog", "other_catalog", type=FILE, help="another catalog file to decide by")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=100_000, show_default=True, help="the latest ones")
@click.option("--caller", help="only those of this caller's key, by its name")
@JSON
def replay(
    config: Path | None,
    router: str,
    since: str,
    weights: str,
    other: Path | None,
    other_catalog: Path | None,
    limit: int,
    caller: str | None,
    as_json: bool,
) -> None:
    """What past requests would have gone to, cost and taken by other weights, settings or another catalog."""
    from gateway.cli import replaying

    replaying.run_replay(config, router, since, weights, other, other_catalog, limit, caller, as_json)


@cli.command(short_help="Look for better weights for a router.")
@CONFIG
@click.option("--router", default="", help="which one [default: the default router]")
@click.option("--since", default="7d", show_default=True, help="30m, 24h, 7d, 2w, or an ISO date, in UTC")
@click.option("--limit", type=click.IntRange(1, 100_000), default=2_000, show_default=True, help="the latest ones")
@JSON
def tune(config: Path | None, router: str, since: str, limit: int, as_json: bool) -> None:
    """Draw the front of cost, latency and quality over past requests, and propose weights."""
    from gateway.cli import replaying

    replaying.run_tune(config, router, since, limit, as_json)


@cli.command("learn", short_help="Learn from own outcomes how good each model is.")
@CONFIG
@click.option("--since", default="90d", show_default=True, help="30m, 24h, 7d, 2w, or an ISO date, in UTC")
@click.option("--dry-run", is_flag=True, help="only say what would be learned")
@JSON
def learn(config: Path | None, since: str, dry_run: bool, as_json: bool) -> None:
    """Fit what feedback says of each model, compare it on the latest days, and use it if it is better for sure."""
    from gateway.cli import learning

    learning.run(config, since, dry_run, as_json)


@cli.group()
def weights() -> None:
    """Versions of what was learned."""


@weights.command("list", short_help="List the versions.")
@CONFIG
@JSON
def weights_list(config: Path | None, as_json: bool) -> None:
    """Every version with what it was made from; an asterisk marks the one in use."""
    from gateway.cli import learning

    learning.list_versions(config, as_json)


@weights.command("use", short_help="Take a version into use.")
@CONFIG
@click.argument("name")
def weights_use(config: Path | None, name: str) -> None:
    """Take the version NAME into use, or `none` for the catalog alone. A running server follows within two seconds."""
    from gateway.cli import learning

    learning.use(config, name)


@cli.group()
def keys() -> None:
    """Keys for your callers."""


@keys.command("new", short_help="Make a key for a caller.")
@click.argument("name")
def keys_new(name: str) -> None:
    """Make a key for NAME: prints it once, and the lines for the settings file, which hold only its SHA-256."""
    from gateway.server.auth import new_key

    if not name.strip() or not name.isprintable():
        raise click.BadParameter("a name that can be printed is expected", param_hint="NAME")
    key, digest = new_key()
    click.echo(f"{key}\n\nGive it to the caller now, it is not stored. Into steelyard.yaml:\n")
    click.echo(f"keys:\n  - name: {json.dumps(name, ensure_ascii=False)}\n    sha256: '{digest}'")


@keys.command("hash", short_help="Print the SHA-256 of a key.")
def keys_hash() -> None:
    """The SHA-256 of a key typed (not shown) or piped in."""
    import hashlib

    key = (click.prompt("key", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()).strip()
    if not key:
        raise click.ClickException("no key came in; type one, or pipe one: steelyard keys hash < FILE")
    click.echo(hashlib.sha256(key.encode()).hexdigest())


@cli.command(short_help="Tell a client program of this server.")
@click.argument("client", default="")
@click.option(
    "--url", default="http://127.0.0.1:8080", show_default=True, help="the server; …/routers/NAME for that router"
)
@click.option("--key", envvar="STEELYARD_API_KEY", show_envvar=True, default="unused", help="your key at that server")
@click.option("--model", default="auto", show_default=True, help="the router or model that the client asks for")
@click.option("--write", is_flag=True, help="write it into the client's own file, after a backup of that")
@click.option("--home", type=FILE, default=Path.home, help="where the client's files are [default: your home folder]")
def setup(client: str, url: str, key: str, model: str, write: bool, home: Path) -> None:
    """Print what a CLIENT needs to be told to use this server, or write it with --write. Without CLIENT: list them.

    What the client's file says besides stays as it is.
    """
    from gateway.cli import setup as setting_up
    from gateway.cli.explain import base_url

    if not client:
        setting_up.print_clients()
        return
    setting_up.run(setting_up.named(client), setting_up.place(base_url(url), key, model), home if write else None)


@cli.command(short_help="Run the simulated providers by themselves.")
@click.option(
    "--provider", "providers", multiple=True, type=click.Choice(PROVIDERS), help="repeat for several [default: all]"
)
@click.option(
    "--port",
    type=click.IntRange(0, LAST_PORT),
    default=0,
    help="of the first, others follow; 0 [default] takes free ones",
)
@click.option(
    "--pace", type=click.FloatRange(0), default=1.0, show_default=True, help="1 is real time, 0 as fast as possible"
)
@click.option("--seed", default=0, show_default=True, help="the same seed gives the same answers")
@click.option("--coalesce", is_flag=True, help="with --pace 0: a whole stream in one write")
def simulator(providers: tuple[str, ...], port: int, pace: float, seed: int, coalesce: bool) -> None:
    """Run the simulated providers by themselves, until SIGTERM or SIGINT (Ctrl-C).

    One line of JSON says on which ports they listen.
    """
    from gateway.simulator import run

    chosen = providers or PROVIDERS
    if port + len(chosen) - 1 > LAST_PORT:
        raise click.BadParameter(f"{port} leaves no room for {counted(len(chosen), 'provider')}", param_hint="--port")
    run.main(chosen, port=port, pace=pace, seed=seed, coalesce=coalesce)


def served_catalog(config: Path | None) -> Catalog:
    """What a server with these settings would weigh: models of the file's own and simulated ones included."""
    loaded, _ = bootstrap.read_settings(config, os.environ)
    return bootstrap.first_snapshot(loaded.settings, os.environ).catalog
