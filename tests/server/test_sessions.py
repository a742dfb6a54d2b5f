"""What agents send by themselves ends up as the session of the receipt."""

import json

import pytest

from gateway.server.sessions import DIGEST_BYTES, MAX_LENGTH, session_of
from tests.running import ROOT, Gateway

RECORDED = ROOT / "tests" / "fixtures" / "clients"
CLAUDE_CODE, CODEX, OPENCLAW = (
    "00000000-0000-4000-8000-03ba512a322a",
    "00000000-0000-4000-8000-75b54b092c65",
    "00000000-0000-4000-8000-5c9deb3f4545:0",
)


def session_in_receipt(gateway: Gateway, name: str, with_headers: bool, **members: object) -> str:
    """Of a recorded request, its model replaced by a router's name. A member that is None is left out."""
    recorded = json.loads((RECORDED / f"{name}.json").read_text())
    body = {key: value for key, value in {**recorded["body"], "model": "auto", **members}.items() if value is not None}
    headers = {key: value for key, value in recorded["headers"] if "session" in key.lower()} if with_headers else {}
    answer = gateway.http.post(recorded["path"], json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    session: str = gateway.http.get(f"/v1/decisions/{answer.headers['x-steelyard-decision']}").json()["receipt"][
        "session"
    ]
    return session


@pytest.mark.parametrize("with_headers", [True, False], ids=["headers", "body"])
@pytest.mark.parametrize(
    ("name", "session"),
    [("claude-code-tool", CLAUDE_CODE), ("codex-tool", CODEX), ("openclaw-chat-tool", OPENCLAW), ("pi-chat", "")],
)
def test_a_recorded_agent_is_known_by_its_session(
    keyless: Gateway, name: str, session: str, with_headers: bool
) -> None:
    assert session_in_receipt(keyless, name, with_headers) == session


def test_codex_is_known_by_its_metadata_too(keyless: Gateway) -> None:
    assert session_in_receipt(keyless, "codex-tool", False, prompt_cache_key=None) == CODEX


def test_the_strongest_header_wins_over_others_and_over_the_body() -> None:
    headers = [(b"x-session-id", b"weak"), (b"x-claude-code-session-id", b"strong"), (b"x-session-affinity", b"weaker")]
    assert session_of(headers, "body") == "strong"
    assert session_of([], "body") == "body"
    assert session_of([(b"helicone-session-id", b"h")], "") == "h"


@pytest.mark.parametrize("header", [b"", b"\xe9", b"a\tb", b"x" * (MAX_LENGTH + 1)])
def test_a_header_that_is_no_name_is_passed_over(header: bytes) -> None:
    assert session_of([(b"x-session-id", header)], "body") == "body"


@pytest.mark.parametrize("named", ["x" * (MAX_LENGTH + 1), "zoë", "a\nb", "\ud83d"], ids=["long", "é", "line", "half"])
def test_a_name_that_cannot_stand_in_a_receipt_becomes_a_digest_of_it(named: str) -> None:
    session = session_of([], named)
    assert len(session) == 2 * DIGEST_BYTES
    assert session == session_of([], named) != session_of([], named + "x")
