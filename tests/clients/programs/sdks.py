"""The SDKs of other languages and frameworks, told of Steelyard by `steelyard setup`, play a loop of two tool calls.

Each script is run behind what `setup` prints: as code before it, or as environment variables around it.
`make clients` runs this where the SDKs are installed; `make test` does not. tests/clients has Python's own SDKs.
"""

from pathlib import Path

import pytest
from msgspec import Struct

from tests.clients.actor import Call
from tests.clients.programs.stage import FOLDER, HERE, MODULES, Stage

ASKED = "Append two lines and say what the file holds."
SCRIPTS = HERE / "scripts"
PYTHON = FOLDER / "sdks" / "bin" / "python"


class Sdk(Struct, frozen=True):
    """One SDK: who of `steelyard setup` it is, where it is installed, what is played with it."""

    client: str
    installed: Path
    script: str  # below scripts/
    dialect: str
    session: str = ""  # what the script sends
    refused: int = 0  # requests that the SDK then sends in another form by itself

    @property
    def is_installed(self) -> bool:
        return self.installed.exists()


SDKS = [
    Sdk("openai", MODULES / "openai", "openai_chat.mjs", "openai_chat", "a-session"),
    Sdk("openai", MODULES / "openai", "openai_responses.mjs", "openai_responses", "a-session"),
    Sdk("anthropic", MODULES / "@anthropic-ai" / "sdk", "anthropic.mjs", "anthropic_messages", "a-session", 1),
    Sdk("google-genai", MODULES / "@google" / "genai", "google_genai.mjs", "gemini"),
    Sdk("vercel-ai", MODULES / "ai", "vercel_ai.mjs", "openai_chat"),
    Sdk("langchain", PYTHON, "langchain.py", "openai_chat"),
    Sdk("pydantic-ai", PYTHON, "pydantic_ai.py", "openai_chat"),
]


@pytest.mark.parametrize("sdk", [sdk for sdk in SDKS if sdk.is_installed], ids=lambda sdk: sdk.script)
def test_an_sdk_plays_a_loop_of_tools_through_a_router(sdk: Sdk, tmp_path: Path) -> None:
    with Stage(tmp_path) as stage:
        stage.actor.play(Call("append", {"line": "one"}), Call("append", {"line": "two"}), "It holds: {result}")
        (stage.project / "node_modules").symlink_to(MODULES)
        said = run(sdk, stage, stage.setup(sdk.client))
        assert stage.made.read_text() == "one\ntwo\n"
        assert said.split() == ["It", "holds:", "one", "two"]
        receipts = stage.receipts()
    answered = [receipt for receipt in receipts if receipt.outcome != "refused"]
    assert len(receipts) - len(answered) == sdk.refused
    assert [(receipt.outcome, receipt.dialect, receipt.router, receipt.session) for receipt in answered] == [
        ("ok", sdk.dialect, "auto", sdk.session)
    ] * 3


def run(sdk: Sdk, stage: Stage, told: str) -> str:
    """What the script says."""
    text = (SCRIPTS / sdk.script).read_text()
    script = stage.project / f"loop{Path(sdk.script).suffix}"  # a script of an SDK's own name would be what it imports
    script.write_text(told + text if sdk.client == "vercel-ai" else text)
    if script.suffix == ".py":
        (stage.project / "told.py").write_text(told)
        return stage.run([str(PYTHON), str(script), str(stage.made), ASKED])
    words = ["node", str(script), str(stage.made), ASKED]
    return stage.run(words if sdk.client == "vercel-ai" else ["sh", "-c", f'{told}exec "$@"', "sh", *words])
