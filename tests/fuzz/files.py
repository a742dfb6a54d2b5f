"""The target that reads settings."""

from gateway.errors import SettingsError
from gateway.settings.load import load_text
from gateway.settings.nodes import MAX_NODES
from tests.fuzz.seeds import settings_files
from tests.fuzz.target import Target

LONGEST_SEED = 600  # bytes: a mistake needs no long file, and reading YAML is the slowest thing here
LONGEST_FINDING = 4_000  # characters, beside the line that it shows
ENVIRON = {"OPENAI_API_KEY": "test-value"}
PROVIDERS = ("openai", "groq", "anthropic")
SEEDS = tuple(text for text in settings_files() if len(text) <= LONGEST_SEED)


def check_settings(data: bytes) -> None:
    """Settings, or a list of findings with places; not more of them than a file has values, none of them a book."""
    text = data.decode("utf-8", "replace")
    try:
        told = list(load_text(text, "s.yaml", ENVIRON, PROVIDERS).warnings)
    except SettingsError as error:
        told = error.findings
        assert told
    assert len(told) <= MAX_NODES
    for finding in told:
        assert finding.startswith("s.yaml:")
        assert len(finding) <= LONGEST_FINDING + 2 * len(text)


TARGETS = (Target("settings", check_settings, SEEDS),)
