"""Whole programs, set up by `steelyard setup`, carry out two tool calls in turn and say what came of them.

`make clients` runs this where the programs are installed; `make test` does not.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import Struct

from tests.clients.actor import Call, Line
from tests.clients.programs.stage import FOLDER, MODULES, Stage

ASKED = "Write two lines into made.txt and say what it holds."
SAID = "It holds: {result}"


class Ending(Struct, frozen=True):
    """What a program reports at its end."""

    words: str
    session: str  # as it stands in the receipts; "" when the program sends none


class Agent(Struct, frozen=True):
    """One program: how it is started without a person, what it calls its shell, how it reports."""

    client: str  # of `steelyard setup`
    program: Path
    words: tuple[str, ...]
    dialect: str
    lines: Callable[[Path], tuple[Line, ...]]  # of the file that is to be made
    ending: Callable[[str], Ending]  # of what it has printed
    variables: dict[str, str] = {}

    @property
    def is_installed(self) -> bool:
        return self.program.exists()


def shell(tool: str, argument: str, **more: str) -> Callable[[Path], tuple[Line, ...]]:
    """Two calls of a shell, then words."""

    def lines(made: Path) -> tuple[Line, ...]:
        commands = (f"echo one >> {made}", f"echo two >> {made} && cat {made}")
        return (*(Call(tool, {argument: command, **more}) for command in commands), SAID)

    return lines


def edits(made: Path) -> tuple[Line, ...]:
    """Aider has no tools: it carries out blocks of text, and comes back when its test command fails."""
    fence = "```"
    block = f"{made.name}\n{fence}\n<<<<<<< SEARCH\n{{}}=======\n{{}}>>>>>>> REPLACE\n{fence}\n"
    return (block.format("", "one\n"), block.format("one\n", "one\ntwo\n") + SAID.format(result="one two"))


def events(printed: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in printed.splitlines()]


def of_openclaw(printed: str) -> Ending:
    said = json.loads(printed)
    return Ending(said["payloads"][0]["text"], f"{said['meta']['agentMeta']['sessionId']}:0")


def of_codex(printed: str) -> Ending:
    said = events(printed)
    words = [item["text"] for event in said if isinstance(item := event.get("item"), dict) and "text" in item]
    return Ending(words[-1], str(said[0]["thread_id"]))


def of_claude_code(printed: str) -> Ending:
    said = json.loads(printed)
    return Ending(said["result"], said["session_id"])


def of_opencode(printed: str) -> Ending:
    said = events(printed)
    words = [part["text"] for event in said if isinstance(part := event.get("part"), dict) and "text" in part]
    return Ending(words[-1], str(said[0]["sessionID"]))


def of_aider(printed: str) -> Ending:
    return Ending(printed, "")


BIN = MODULES / ".bin"
AGENTS = [
    Agent(
        "openclaw",
        BIN / "openclaw",
        ("agent", "--local", "--agent", "main", "-m", ASKED, "--json"),
        "openai_chat",
        shell("exec", "command"),
        of_openclaw,
    ),
    Agent(
        "codex",
        BIN / "codex",
        ("exec", "--profile", "steelyard", "--skip-git-repo-check", "--sandbox", "danger-full-access", "--json", ASKED),
        "openai_responses",
        shell("exec_command", "cmd"),
        of_codex,
        {"STEELYARD_API_KEY": "unused"},
    ),
    Agent(
        "claude-code",
        BIN / "claude",
        ("-p", ASKED, "--allowedTools", "Bash", "--output-format", "json"),
        "anthropic_messages",
        shell("Bash", "command", description="Write"),
        of_claude_code,
    ),
    Agent(
        "opencode",
        BIN / "opencode",
        ("run", ASKED, "--format", "json"),
        "openai_chat",
        shell("bash", "command", description="Write"),
        of_opencode,
    ),
    Agent(
        "aider",
        FOLDER / "aider" / "bin" / "aider",
        (
            *("--message", ASKED, "--yes-always", "--no-git", "--map-tokens", "0", "--edit-format", "diff"),
            *("--no-check-update", "--no-show-release-notes", "--no-show-model-warnings", "--analytics-disable"),
            *("--auto-test", "--test-cmd", "grep two made.txt", "made.txt"),
        ),
        "openai_chat",
        edits,
        of_aider,
    ),
]


@pytest.mark.parametrize("agent", [agent for agent in AGENTS if agent.is_installed], ids=lambda agent: agent.client)
def test_an_agent_does_its_work_through_a_router(agent: Agent, tmp_path: Path) -> None:
    with Stage(tmp_path) as stage:
        assert "wrote" in stage.setup(agent.client, "--write", "--home", str(stage.home))
        lines = agent.lines(stage.made)
        stage.actor.play(*lines)
        ending = agent.ending(stage.run([str(agent.program), *agent.words], agent.variables))
        assert stage.made.read_text() == "one\ntwo\n"
        assert "It holds:" in ending.words
        assert "two" in ending.words
        receipts = stage.receipts()
    assert len(receipts) >= len(lines)
    assert {receipt.outcome for receipt in receipts} == {"ok"}
    assert {receipt.dialect for receipt in receipts} == {agent.dialect}
    assert {receipt.router for receipt in receipts} == {"auto"}
    assert {receipt.session for receipt in receipts} == {ending.session}
