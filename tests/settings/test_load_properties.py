"""Whatever becomes of a valid file, it is refused in order or accepted, and its key is never shown."""

import traceback

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.errors import SettingsError
from gateway.settings.load import load_text

SECRET = "sk-canary-Zq8vT2mX5cR7nB4w"
PARTS = (SECRET, SECRET[3:], "Zq8vT2mX5cR7nB4w")
VALID = f"""\
server:
  host: 127.0.0.1
  port: 8080
keys:
  - name: bot
    sha256: {"a1" * 32}
    routers: [cheap]
providers:
  openai:
    api_key: env:OPENAI_API_KEY
    headers: {{x-team: "{SECRET}"}}
  my-vllm:
    base_url: http://127.0.0.1:8000/v1
    models:
      - {{id: qwen/qwen3-32b, abilities: [tools]}}
routers:
  cheap: &cheap
    weights: {{cost: 0.8, quality: 0.2}}
    anchors:
      cost: {{good: 0.0001, bad: 0.1}}
    limits: {{max_cost_usd: 0.5}}
  other: *cheap
default_router: cheap
aliases: {{gpt-4o: openai/gpt-5-mini}}
"""
ENVIRON = {"OPENAI_API_KEY": SECRET}
SIGNS = [
    "\n  ",
    "- ",
    ": ",
    "&a ",
    "*a",
    "*cheap",
    "<<: ",
    "!!str ",
    "---\n",
    "...\n",
    "${X}",
    *"\n\t:[]{},&*!|>'\"%@`#?~0",
]
VALUES = [".nan", "1e999", "null", "true", "2026-01-01", "0777", "9" * 20, "\x00", "\ud800", "\ufeff"]
KEYS = [template.format(SECRET) for template in ("{}", "api_key: {}\n", "env:{}", "*{}", "!{} ", "&{} ", "\n{}: ")]
PIECES = st.sampled_from([*SIGNS, *VALUES, *KEYS]) | st.text(max_size=3)


@st.composite
def mutants(draw: st.DrawFn) -> str:
    """The valid file with up to six cuts and insertions anywhere, the key itself among what is inserted."""
    text = VALID.replace("env:OPENAI_API_KEY", draw(st.sampled_from(["env:OPENAI_API_KEY", SECRET, f'"{SECRET}"'])))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(PIECES) + text[start + draw(st.integers(0, 12)) :]
    return text


@st.composite
def reordered(draw: st.DrawFn) -> str:
    """The lines of the valid file, some left out, doubled or moved."""
    lines = VALID.replace("env:OPENAI_API_KEY", SECRET).splitlines()
    return "\n".join(draw(st.lists(st.sampled_from(lines), max_size=30)))


def told(text: str) -> str:
    """Everything that people see of it: findings, warnings and the traceback."""
    try:
        return "\n".join(load_text(text, "s.yaml", ENVIRON, ["openai"]).warnings)
    except SettingsError as error:
        return "\n".join((*error.findings, *traceback.format_exception(error)))


def test_the_file_that_the_mutants_come_from_is_valid() -> None:
    assert told(VALID) == ""


@settings(max_examples=300, derandomize=True)
@given(mutants() | reordered())
@example(VALID.replace("env:OPENAI_API_KEY", SECRET))
@example(VALID.replace("    api_key: env:OPENAI_API_KEY", f"    {SECRET}"))
@example(VALID.replace("default_router: cheap", f"default_router: {SECRET}"))
@example(VALID.replace("127.0.0.1\n", f"{SECRET}\n"))
@example(VALID.replace("cost: 0.8", f"{SECRET}: 0.8"))
def test_a_damaged_file_raises_nothing_but_settings_errors_and_never_shows_a_key(text: str) -> None:
    shown = told(text)
    assert not any(part in shown for part in PARTS)


@settings(max_examples=200, derandomize=True)
@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_text_is_refused_in_order_or_accepted(text: str) -> None:
    told(text)
