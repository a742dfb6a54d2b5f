"""A closed loop of whole requests, by wrk: a fixed number of connections, each with one request in flight."""

import json
import subprocess
from pathlib import Path

from msgspec import Struct

from loadtest.cores import pinned

SCRIPT = """
wrk.method = "POST"
wrk.path = "/v1/chat/completions"
wrk.body = [==[%s]==]
wrk.headers["Content-Type"] = "application/json"
function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format('\\nRESULT {"requests":%%d,"microseconds":%%d,"errors":%%d,"p50":%%d,"p99":%%d}\\n',
        summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
        latency:percentile(50), latency:percentile(99)))
end
"""


class Burst(Struct, frozen=True):
    """What one run of wrk saw."""

    requests: int
    seconds: float
    errors: int  # no connection, no answer, or a status other than 2xx and 3xx
    p50_ms: float
    p99_ms: float


def run_wrk(folder: Path, body: bytes, port: int, connections: int, seconds: int, core: int | None) -> Burst:
    """Load `port` for some seconds."""
    script = folder / "post.lua"
    script.write_text(SCRIPT % body.decode())
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    output = subprocess.run(pinned(core, command), check=True, capture_output=True, text=True).stdout
    said = json.loads(output.rpartition("RESULT ")[2])
    return Burst(said["requests"], said["microseconds"] / 1e6, said["errors"], said["p50"] / 1e3, said["p99"] / 1e3)
