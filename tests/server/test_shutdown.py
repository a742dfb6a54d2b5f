"""What callers see of a gateway that is being stopped."""

import json
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.running import Gateway, stopped_after

STALLED = {"x-steelyard-simulate": "F56;after=3"}  # three words, then nothing
BODIES = {
    "/v1/chat/completions": {"model": "auto", "stream": True, "messages": [{"role": "user", "content": "hello"}]},
    "/v1/messages": {
        "model": "auto",
        "stream": True,
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "hello"}],
    },
}


def receipts(folder: Path) -> list[tuple[str, str]]:
    """Outcome and the last attempt's fault of each request in the ledger."""
    with sqlite3.connect(folder / ".steelyard" / "ledger.db") as ledger:
        rows = ledger.execute("SELECT json FROM detail").fetchall()
    told = [json.loads(row[0]) for row in rows]
    return [(one["outcome"], one["attempts"][-1].get("fault", "")) for one in told]


@pytest.mark.parametrize("path", BODIES)
def test_a_stream_that_outlasts_the_drain_ends_with_an_error_and_is_billed(tmp_path: Path, path: str) -> None:
    gateway = Gateway(tmp_path, "server: {drain_seconds: 0.1}", environ={"STEELYARD_SIMULATOR_PACE": "0"})
    with stopped_after(gateway), gateway.http.stream("POST", path, json=BODIES[path], headers=STALLED) as answer:
        pieces = answer.iter_text()
        told = next(pieces)
        gateway.child.send_signal(signal.SIGTERM)
        told += "".join(pieces)
        assert gateway.stop() == 0
    last = json.loads([line for line in told.splitlines() if line.startswith("data: ")][-1].removeprefix("data: "))
    assert "stopped" in json.dumps(last["error"])
    assert "[DONE]" not in told
    assert receipts(tmp_path) == [("cut", "stopped")]
    assert [line for line in gateway.lines if "1 in flight are ended: server.drain_seconds are over" in line]
