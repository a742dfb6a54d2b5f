"""A server that follows a live feed ranks by it, and one that does not asks nobody."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.commands import steelyard
from tests.running import DEADLINE_SECONDS, Gateway, stopped_after

MODEL = "openai/gpt-oss-120b"
KEYS = {"GROQ_API_KEY": "gsk-1", "OPENROUTER_API_KEY": "sk-or-1"}
ENDPOINT = {"tag": "groq", "latency_last_30m": {"p50": 40_000}, "uptime_last_30m": 75.0}


class Feed(BaseHTTPRequestHandler):
    """Knows one model."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.headers.get("authorization", ""))
        is_known = self.path == f"/api/v1/models/{MODEL}/endpoints"
        body = json.dumps({"data": {"endpoints": [ENDPOINT]}}).encode() if is_known else b"{}"
        self.send_response(200 if is_known else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def feed() -> Iterator[tuple[int, list[str]]]:
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Known", (Feed,), {"asked": asked}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1], asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def availability(gateway: Gateway) -> float:
    """What is expected of Groq, as a decision says."""
    body = {"model": f"{MODEL}@groq", "messages": [{"role": "user", "content": "hello"}]}
    candidate = gateway.http.post("/v1/route", json=body).json()["candidates"][0]
    assert candidate["target"] == f"{MODEL}@groq"
    found: float = candidate["dimensions"]["availability"]["figure"]
    return found


def test_what_a_feed_says_is_what_is_expected_of_a_target_that_nobody_has_used(
    tmp_path: Path, feed: tuple[int, list[str]]
) -> None:
    port, asked = feed
    settings = (
        "providers:\n"
        f"  openrouter: {{base_url: 'http://127.0.0.1:{port}/api/v1', api_key: 'env:OPENROUTER_API_KEY'}}\n"
        "catalog: {refresh: false, live_feed: openrouter, live_feed_seconds: 0.001}\n"
    )
    gateway = Gateway(tmp_path, "\n" + settings, KEYS)
    with stopped_after(gateway):
        deadline = time.monotonic() + DEADLINE_SECONDS
        while (found := availability(gateway)) != pytest.approx(0.75) and time.monotonic() < deadline:
            pass
    assert found == pytest.approx(0.75)
    assert set(asked) == {"Bearer sk-or-1"}


def test_without_its_key_check_says_that_nobody_is_asked(tmp_path: Path) -> None:
    (tmp_path / "steelyard.yaml").write_text("catalog: {live_feed: openrouter}\n")
    told = steelyard(tmp_path, "check")
    assert "live_feed: openrouter is not asked, for it is not live: set OPENROUTER_API_KEY" in told.stdout + told.stderr
