"""Real bytes to begin with: the cases of the translations, recorded streams, providers' answers, settings files."""

from collections.abc import Iterator
from pathlib import Path

from tests.dialects.cases import ROOT as DIALECTS
from tests.dialects.cases import load_cases

FIXTURES = Path(__file__).parents[1] / "fixtures"
# Whose recorded streams and answers a format shares that is another's at another host.
SPOKEN_AS = {
    "anthropic_bedrock": "anthropic_messages",
    "anthropic_vertex": "anthropic_messages",
    "gemini_vertex": "gemini",
}
CASES = load_cases()


def given(format_: str, operation: str) -> tuple[bytes, ...]:
    """What the cases of this format and operation are given, as they are written down."""
    spoken = SPOKEN_AS.get(format_, format_)
    found = tuple(case.given.encode() for case in CASES if (case.format, case.operation) == (spoken, operation))
    assert found, f"no case of {operation} for {spoken} below {DIALECTS}"
    return found


def expected(format_: str, operation: str) -> tuple[bytes, ...]:
    """What the cases lead to."""
    return tuple(case.expected.encode() for case in CASES if (case.format, case.operation) == (format_, operation))


def recorded(format_: str) -> tuple[bytes, ...]:
    """Streams of this format in server-sent events or lines, as providers send them."""
    streams = tuple(stream + b"\n\n" for stream in given(format_, "read_stream"))
    return streams + tuple(chat_streams()) if format_ == "openai_chat" else streams


def chat_streams() -> Iterator[bytes]:
    for path in sorted((FIXTURES / "streams").glob("*.sse")):
        yield path.read_bytes()


def settings_files() -> tuple[bytes, ...]:
    """Right and wrong ones."""
    paths = sorted((FIXTURES / "settings").glob("*.case"))
    return tuple(path.read_text().partition("----------\n")[0].encode() for path in paths)


def refusals() -> tuple[bytes, ...]:
    """Answers of providers that failed: a line of JSON with status and body each."""
    lines = (FIXTURES / "providers" / "answers.jsonl").read_bytes().splitlines()
    return tuple(line for line in lines if line.startswith(b"{"))
