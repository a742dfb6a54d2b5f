"""What a person needs to know when the server is up."""

import shlex
import shutil
import textwrap

from gateway import __version__
from gateway.bootstrap import Running
from gateway.cli.words import counted
from gateway.settings.schema import CallerKey

LONGEST = 100  # characters of a line; curl's excepted, which must stay whole


def announcement(running: Running) -> str:
    """URL, routers, providers, and a curl line that works as pasted."""
    snapshot = running.snapshot
    live = [name for name, provider in snapshot.providers.items() if not provider.simulated]
    targets = counted(len(snapshot.chat.targets.ids), "target")
    embedding = len(snapshot.embeddings.targets.ids)
    beside = f"; {embedding} more for embeddings" if embedding else ""
    lines = [
        f"Steelyard {__version__} serves {running.url}/v1",
        "",
        row("Settings", str(running.config) if running.config else "built-in defaults (steelyard init writes a file)"),
        row("Routers", "  ".join(snapshot.chat.policies)),
        row("Providers", providers_text(live, running.simulated)),
        row("Not live", absent_text(dict(snapshot.absent))),
        *([row("Workers", f"{running.workers} processes share the port")] if running.workers > 1 else []),
        row("Targets", f"{targets} (a model at a provider each), scored by the {running.scorer} kernel{beside}"),
        "",
        *trial(running.url, snapshot.settings.keys),
        "",
    ]
    return "\n".join(lines)


def trial(url: str, keys: tuple[CallerKey, ...]) -> list[str]:
    """A first request, as lines for a shell."""
    curl = f"  curl {shlex.quote(f'{url}/v1/chat/completions')} -H 'content-type: application/json' \\"
    if not keys:
        return ["Try it:", curl, body("auto")]
    key = next((key for key in keys if not key.routers), keys[0])
    return [
        f"Try it, with the key of {key.name} (steelyard keys new printed it) in place of KEY:",
        "  export STEELYARD_API_KEY=KEY",
        curl,
        '    -H "authorization: Bearer $STEELYARD_API_KEY" \\',
        body(key.routers[0] if key.routers else "auto"),
    ]


def body(model: str) -> str:
    return f"""    -d '{{"model":"{model}","messages":[{{"role":"user","content":"Say hello in five words"}}]}}'"""


def providers_text(live: list[str], simulated: bool) -> str:
    if simulated:
        return "none: no provider key is set, so the built-in SIMULATOR answers, with made-up text at made-up prices"
    return ", ".join(live)


def absent_text(absent: dict[str, str]) -> str:
    shown = [f"{name}: {reason}" for name, reason in list(absent.items())[:6]]
    more = len(absent) - len(shown)
    return "; ".join(shown) + (f"; {more} more (steelyard check lists them)" if more > 0 else "") if shown else "-"


def row(name: str, text: str) -> str:
    return textwrap.fill(
        text,
        min(LONGEST, shutil.get_terminal_size((LONGEST, 1)).columns),
        initial_indent=f"  {name:<10} ",
        subsequent_indent=" " * 13,
        break_long_words=False,
        break_on_hyphens=False,
    )
