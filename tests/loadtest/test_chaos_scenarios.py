"""The scenarios of the matrix: what was sent is told as it went, figures are judged, and small ones reach theirs."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from gateway.simulator.log import Entry
from loadtest.chaos.copies import Copy, read, tear
from loadtest.chaos.flood import Load, Sent
from loadtest.chaos.parts import PARTS, played
from loadtest.chaos.populations import most_at_once, one_key_dead, ratio
from loadtest.chaos.process import overlaps, stopped
from loadtest.chaos.scenario import Figure, NotHere, Scenario, Size, Stage, at_least, at_most, exactly, quantile
from loadtest.chaos.section import section
from loadtest.chaos.sender import Sender, lateness_ms
from loadtest.chaos.vitals import slope_per_hour

EVENT = 'data: {"id":"a-1","choices":[{"delta":{"content":"well"}}]}\n\n'
DONE = "data: [DONE]\n\n"
ERROR = 'data: {"error":{"message":"broke"},"choices":[]}\n\n'
WHOLE = '{"id":"a-1","choices":[{"message":{"content":"well"}}]}'


async def sent_to(answer: str, load: Load, status: str = "200 OK", missing_bytes: int = 0) -> list[Sent]:
    """What the sender tells of a server that gives every request this answer.

    missing_bytes: that the answer promises and does not bring before the connection ends.
    """

    served: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(asyncio.current_task())
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
                length = len(answer) + missing_bytes
                writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{answer}".encode())
                if missing_bytes:
                    return
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        told = await Sender(replace(load, port=port)).send_all()
        await asyncio.gather(*(task for task in served if task is not None))
        return told.sent


STREAM = Load(0, {"m": 1.0}, text="well", stream=True, at_once=2, requests=4, patience_seconds=5)


@pytest.mark.parametrize(
    ("answer", "stream", "is_whole", "has_error", "wrong"),
    [
        (EVENT + DONE, True, True, False, ""),
        (EVENT, True, False, False, "data:"),
        (EVENT + ERROR, True, False, True, "broke"),
        (EVENT + EVENT + DONE, True, False, False, "another text"),
        (WHOLE, False, True, False, ""),
        ("<html>", False, False, False, "<html>"),
    ],
)
async def test_what_came_of_a_request_is_told(
    answer: str, stream: bool, is_whole: bool, has_error: bool, wrong: str
) -> None:
    told = await sent_to(answer, replace(STREAM, stream=stream))
    assert len(told) == 4
    assert {(one.is_answered, one.has_error) for one in told} == {(is_whole, has_error)}
    assert all(wrong in one.wrong for one in told)


async def test_a_refusal_is_no_answer() -> None:
    (one,) = await sent_to("{}", replace(STREAM, requests=1, at_once=1), status="503 Service Unavailable")
    assert (one.status, one.is_answered, one.has_error) == (503, False, True)


async def test_a_connection_that_breaks_is_told() -> None:
    (one,) = await sent_to(EVENT, replace(STREAM, requests=1, at_once=1), missing_bytes=5)
    assert (one.is_answered, one.wrong) == (False, "the connection was closed")


async def test_who_hangs_up_is_neither_answered_nor_failed() -> None:
    load = replace(STREAM, requests=3, at_once=1, leaving_share=1.0, leaving_bytes=1)
    told = await sent_to(EVENT + DONE, load)
    assert [(one.left, one.received_bytes) for one in told] == [(True, 0)] * 3


async def test_an_open_loop_sends_as_many_as_are_asked_for() -> None:
    told = await sent_to(WHOLE, replace(STREAM, stream=False, at_once=0, per_second=500, requests=7))
    assert [one.is_answered for one in told] == [True] * 7


def test_tokens_are_late_by_the_pace_of_their_own_stream() -> None:
    assert lateness_ms([10.5, 11.0, 12.25], 1.0) == [500.0, 0.0, 250.0]
    assert lateness_ms([10.5, 11.0], 0.0) == []


def test_figures_are_judged_by_what_is_due() -> None:
    judged = [at_least("a", 99.0, 98.5), at_most("b", 5, 5.0), exactly("c", 0, 1)]
    assert [figure.passed for figure in judged] == [False, True, False]
    assert [figure.measured for figure in judged] == ["98.5", "5", "1"]
    assert quantile([4.0, 1.0, 3.0, 2.0], 0.5) == 3.0


def test_the_slope_is_that_of_the_line_through_all_points() -> None:
    assert slope_per_hour([(0, 5.0), (1800, 6.0), (3600, 7.0)]) == pytest.approx(2.0)
    assert slope_per_hour([(0, 5.0)]) == 0.0


def called(started: float, milliseconds: float) -> Entry:
    return Entry(1, "sim-alpha", 1, started=started, ended_ms=milliseconds)


def test_calls_at_once_are_counted_by_their_own_times() -> None:
    assert most_at_once([called(0, 1000), called(0.5, 1000), called(1.2, 100)]) == 2
    assert ratio([1.5, 2.5, 9.0], [1.0, 2.0, 3.0, 4.0], 0.0, 5.0) == 0.5


def request(started: float, ended: float, decision: str = "dec_1") -> Sent:
    return Sent(started, started, started, ended, 200, True, False, False, decision)


def test_a_kill_explains_the_loss_of_what_was_open_then_only() -> None:
    assert overlaps(request(1.0, 2.0), [(1.5, 1.7)])
    assert not overlaps(request(1.0, 1.2), [(1.5, 1.7)])


def test_a_copy_misses_what_was_answered_long_before_it() -> None:
    copy = Copy(taken=10.0, integrity="ok", known={"dec_1"})
    sent = [request(1, 2, "dec_1"), request(1, 3, "dec_2"), request(9, 9.5, "dec_3")]
    assert copy.missing(sent) == {"dec_2"}


def test_a_torn_journal_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    segment = tmp_path / "journal" / "1-a" / "00000001.jsonl"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(b'{"id":"dec_2"}\n{"id":"dec_3"}\n')
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("CREATE TABLE receipt (id TEXT)")
        connection.execute("INSERT INTO receipt VALUES ('dec_1')")
    connection.close()
    tear(tmp_path / "journal", {"1-a/00000001.jsonl": 20}, Random(1))
    assert 20 <= segment.stat().st_size <= 30
    assert {"dec_1", "dec_2"} <= read(tmp_path, 1.0).known
    (tmp_path / "ledger.db").write_bytes(b"no database at all, however long it may be" * 99)
    assert read(tmp_path, 1.0).integrity != "ok"


def test_every_scenario_has_figures_only_its_real_size_may_be_larger() -> None:
    for scenarios in PARTS.values():
        assert any(one.in_short for one in scenarios)
        for one in scenarios:
            assert all(getattr(one.scaled, name) <= getattr(one.full, name) for name in Size.__struct_fields__)


def missing(stage: Stage) -> list[Figure]:
    raise NotHere("no clock that can be turned")


def breaking(stage: Stage) -> list[Figure]:
    raise RuntimeError("the provider is gone")


def reached(stage: Stage) -> list[Figure]:
    return [at_least("requests answered", 99, 100, " %"), exactly("lost", 0, 2)]


def test_the_page_tells_what_was_missed_what_broke_off_and_what_was_not_played() -> None:
    rows = [
        played("process", Scenario(name, "what happens", Size(requests=5), Size(), play, note=note), 1, False)
        for name, play, note in (("F1", missing, ""), ("F2", breaking, ""), ("F3", reached, "why it is so"))
    ]
    assert [one.passed for one in rows] == [True, False, False]
    text = section("process", rows, seed=7)
    assert "**1 of 2 figures reached.**" in text
    assert "seed 7" in text
    assert "| F1 | what happens | 5 requests | not played here: no clock that can be turned | | | - |" in text
    assert "broke off: RuntimeError: the provider is gone" in text
    assert "| | | | lost | 0 | 2 | **miss** |" in text
    assert "- F3: why it is so" in text


def test_a_miss_that_is_known_is_shown_and_fails_no_run() -> None:
    known = Scenario("F3", "what happens", Size(), Size(), reached, known_misses=("lost", "requests answered"))
    one = played("process", known, 1, False)
    assert (one.passed, [figure.is_known for figure in one.figures]) == (True, [False, True])
    assert "| 0 | 2 | miss, see below |" in section("process", [one], seed=7)


@pytest.mark.long
@pytest.mark.parametrize(
    ("play", "size"),
    [(one_key_dead, Size(requests=100, at_once=4)), (stopped, Size(at_once=3, seconds=1))],
    ids=["a dead key", "a stop"],
)
def test_a_small_scenario_reaches_its_figures(play: Callable[[Stage], list[Figure]], size: Size) -> None:
    one = played("any", Scenario("F", "what happens", size, size, play), 1, False)
    assert (one.broken, [figure for figure in one.figures if not figure.passed]) == ("", [])
    assert one.figures
