"""What a person needs to know when the server is up."""

import textwrap

from gateway import __version__
from gateway.bootstrap import Running


def announcement(running: Running) -> str:
    """URL, routers, providers, and a curl line that works as pasted."""
    snapshot = running.snapshot
    has_keys = bool(snapshot.settings.keys)
    live = [name for name, provider in snapshot.providers.items() if not provider.simulated]
    lines = [
        f"Steelyard {__version__} serves {running.url}/v1",
        "",
        row("Settings", str(running.config) if running.config else "built-in defaults (steelyard init writes a file)"),
        row("Routers", "  ".join(snapshot.policies)),
        row("Providers", providers_text(live, running.simulated)),
        row("Not live", absent_text(dict(snapshot.absent))),
        row("Targets", f"{len(snapshot.targets.ids)} models at providers, scored by the {running.scorer} kernel"),
        "",
        "Try it, with a key of yours in STEELYARD_API_KEY:" if has_keys else "Try it:",
        f"  curl {running.url}/v1/chat/completions -H 'content-type: application/json' \\",
        *(["""    -H "authorization: Bearer $STEELYARD_API_KEY" \\"""] if has_keys else []),
        """    -d '{"model":"auto","messages":[{"role":"user","content":"Say hello in five words"}]}'""",
        "",
    ]
    return "\n".join(lines)


def providers_text(live: list[str], simulated: bool) -> str:
    if simulated:
        return "none: no provider key is set, so the built-in SIMULATOR answers, with made-up text at made-up prices"
    return ", ".join(live)


def absent_text(absent: dict[str, str]) -> str:
    shown = [f"{name}: {reason}" for name, reason in list(absent.items())[:6]]
    more = len(absent) - len(shown)
    return "; ".join(shown) + (f"; {more} more (steelyard check lists them)" if more > 0 else "") if shown else "-"


def row(name: str, text: str) -> str:
    return textwrap.fill(text, 100, initial_indent=f"  {name:<10} ", subsequent_indent=" " * 13)
