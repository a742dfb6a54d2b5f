"""The instruments of the closed-loop measurement measure what they say."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest import payload
from loadtest.children import free_port, python, running
from loadtest.closed_loop import spread
from loadtest.procstat import stat_fields, usage_of
from loadtest.stream_client import run

BURN = """
import time
until = time.process_time() + {seconds}
while time.process_time() < until:
    pass
print("burnt", flush=True)
input()
"""


def test_the_messages_have_the_sizes_that_the_figures_are_quoted_for() -> None:
    assert len(payload.request(stream=False)) == 288
    assert len(payload.answer()) == 566
    assert {len(event) for event in payload.events(50)[:50]} == {270}


OUTER = """
import subprocess, sys
inner = subprocess.Popen([sys.executable, "-c", {burn!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
inner.stdout.readline()
if {buried}:
    inner.communicate()
print("burnt", flush=True)
input()
"""


@pytest.mark.parametrize("buried", [False, True], ids=["alive", "buried"])
def test_what_a_child_has_used_counts(buried: bool) -> None:
    outer = OUTER.format(burn=BURN.format(seconds=0.2), buried=buried)
    process = subprocess.Popen([sys.executable, "-c", outer], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"burnt\n"
        usage = usage_of(process.pid)
        process.communicate(b"\n")
    assert usage.cpu_seconds >= 0.2
    assert usage.resident_bytes > 2**20


def test_a_process_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ProcessLookupError):
        usage_of(2**22 + 1)


def test_a_command_name_with_spaces_and_parentheses_does_not_shift_the_fields(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text("7 (a) b (c)) S 1 7 7 0 -1 4194560 1 0 0 0 12 34 5 6 20 0 1 0 9 1000 55 0\n")
    fields = stat_fields(tmp_path)
    assert (fields[0], fields[1], fields[11], fields[12], fields[21]) == ("S", "1", "12", "34", "55")
    assert stat_fields(tmp_path / "gone") == []


@pytest.mark.parametrize("gap_ms", ["0", "1"])
def test_every_event_of_every_stream_arrives(tmp_path: Path, gap_ms: str) -> None:
    port = free_port()
    command = python("loadtest.stream_upstream", "--port", str(port), "--events", "5", "--gap-ms", gap_ms)
    with running("upstream", command, port, None, tmp_path):
        tally = asyncio.run(run(port, "/v1/chat/completions", concurrency=3, streams=10))
    assert (tally.streams, tally.broken) == (10, 0)
    assert tally.events == 10 * len(payload.events(5))
    assert len(tally.first_event_seconds) == 10


def test_a_stream_that_breaks_off_is_counted_as_broken() -> None:
    async def scenario() -> int:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\ndata: \r\n")
            writer.close()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return (await run(port, "/", concurrency=2, streams=4)).broken

    assert asyncio.run(scenario()) == 2


def test_a_server_that_never_answers_says_what_it_logged(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such file')"]
    with pytest.raises(RuntimeError, match="no such file"), running("broken", command, free_port(), None, tmp_path):
        pass


def test_a_spread_is_median_and_range() -> None:
    assert spread([3.0, 1.0, 2.0], "{:.1f}") == "2.0 (1.0-3.0)"
