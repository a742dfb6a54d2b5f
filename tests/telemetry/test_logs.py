"""Logging that neither waits nor can be forged."""

import fcntl
import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.accounting.receipt import AttemptRecord, Receipt
from gateway.telemetry.logs import (
    REQUESTS,
    LogWriter,
    escaped,
    json_line,
    log_request,
    plain_line,
    request_line,
    set_up,
)
from gateway.wire.delta import Usage
from tests.accounting.receipts import a_receipt

ANSWERED = a_receipt(stream=True, first_token_seconds=0.31)
FIRST_CHOICE = replace(ANSWERED, fallback=False)
NOBODY = replace(
    FIRST_CHOICE, target="", model="", provider="", first_token_seconds=None, usage=Usage(), cost_nano_usd=0
)
HOSTILE = 'x\n{"level":"ERROR"}\r\x1b[31m\u202egpj.exe\u2066\u2028\x00\x85\ud800'


@pytest.mark.parametrize(
    ("receipt", "line"),
    [
        (
            ANSWERED,
            "200 auto → openai/gpt-5-mini@openai  0.84 s (first token 0.31)  412→180 tokens  $0.000463"
            "  overhead 0.4 ms  fallback after groq 429  dec_1",
        ),
        (
            replace(
                FIRST_CHOICE,
                attempts=ANSWERED.attempts[1:],
                usage=Usage(400, output_tokens=150, estimated=True),
                cost_estimated=True,
            ),
            "200 auto → openai/gpt-5-mini@openai  0.84 s (first token 0.31)  ~400→150 tokens  ~$0.000463"
            "  overhead 0.4 ms  dec_1",
        ),
        (
            replace(FIRST_CHOICE, attempts=(AttemptRecord("a@b", "outpaced", 1.0),), cost_estimated=True),
            "200 auto → openai/gpt-5-mini@openai  0.84 s (first token 0.31)  412→180 tokens  ~$0.000463"
            "  overhead 0.4 ms  1 attempt: b outpaced  dec_1",
        ),
        (
            replace(FIRST_CHOICE, outcome="cut", cost_nano_usd=None, attempts=(AttemptRecord("a@b", "cut", 1.0),)),
            "200 cut auto → openai/gpt-5-mini@openai  0.84 s (first token 0.31)  412→180 tokens  cost unknown"
            "  overhead 0.4 ms  1 attempt: b cut  dec_1",
        ),
        (
            replace(
                NOBODY, status=502, outcome="failed", attempts=(AttemptRecord("a@b", "failed", 1.0, fault="timeout"),)
            ),
            "502 failed auto  0.84 s  overhead 0.4 ms  1 attempt: b timeout  dec_1",
        ),
        (
            replace(NOBODY, status=404, outcome="refused", router="", requested="gpt-99\n200 auto", attempts=()),
            r"404 refused gpt-99\n200 auto  0.84 s  dec_1",
        ),
    ],
    ids=["fallback", "estimated", "outpaced", "cut", "failed", "refused"],
)
def test_a_request_is_one_line(receipt: Receipt, line: str) -> None:
    assert request_line(receipt) == line


def record(message: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord("steelyard.test", logging.WARNING, "", 0, message, args, exc_info)


@pytest.mark.parametrize("render", [json_line, plain_line])
def test_hostile_text_stays_one_printable_line(render: Callable[[logging.LogRecord], str]) -> None:
    assert render(record("model %s", HOSTILE)).isprintable()


def test_json_gives_the_text_back_as_it_was() -> None:
    entry = json.loads(json_line(record("model %s", HOSTILE)))
    assert (entry["message"], entry["level"], entry["logger"]) == (f"model {HOSTILE}", "warning", "steelyard.test")


def test_a_traceback_cannot_pose_as_a_line() -> None:
    line = plain_line(record("failed", error=ValueError(f"boom\n12:00:00 info {HOSTILE}")))
    assert all(rest.startswith("    ") and rest.isprintable() for rest in line.split("\n")[1:])
    assert "boom" in json.loads(json_line(record("failed", error=ValueError("boom"))))["exception"]


def test_printable_text_is_left_alone() -> None:
    assert escaped("200 auto → größe · 0.84 s 模型") == "200 auto → größe · 0.84 s 模型"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4_096)
    yield read, write
    os.close(read)
    os.close(write)


def test_a_sink_that_nobody_reads_costs_lines_and_no_time(pipe: tuple[int, int]) -> None:
    read, write = pipe
    writer = LogWriter(write, plain_line, capacity=100)
    for number in range(1_000):  # returns although the pipe holds some forty lines
        writer.handle(record("line %d %s", number, "." * 80))
    assert writer.dropped >= 700, "the queue is bounded"
    log = ""
    while "log lines were dropped: the log was not read" not in log:
        log += os.read(read, 65_536).decode()
    writer.close()
    assert "line 0 ." in log


def test_a_broken_sink_is_counted() -> None:
    sink = os.open("/dev/full", os.O_WRONLY)
    writer = LogWriter(sink, plain_line)
    writer.handle(record("nobody will see this"))
    writer.close(60.0)
    os.close(sink)
    assert writer.dropped >= 1


def test_a_wrong_log_call_does_not_end_the_log(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file:
        writer = LogWriter(file.fileno(), plain_line)
        writer.handle(record("%d tokens", "many"))
        writer.handle(record("goes on"))
        writer.close(60.0)
    first, second = (tmp_path / "log").read_text().splitlines()
    assert first == "a log record of steelyard.test cannot be shown: TypeError"
    assert second.endswith("warning goes on")


@pytest.fixture
def undisturbed_logging() -> Iterator[None]:
    """Give the test run its own logging levels back."""
    loggers = [logging.getLogger(), logging.getLogger("steelyard")]
    levels = [logger.level for logger in loggers]
    flags = logging.logThreads, logging.logProcesses, logging.logMultiprocessing
    yield
    logging.logThreads, logging.logProcesses, logging.logMultiprocessing = flags
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.mark.usefixtures("undisturbed_logging")
def test_a_finished_request_is_logged_with_its_figures(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file:
        writer = set_up("info", stream=file)
        log_request(ANSWERED)
        logging.getLogger("elsewhere").info("not ours, not shown")
        logging.getLogger("elsewhere").warning("shown")
        writer.close(60.0)
    ours, theirs = map(json.loads, (tmp_path / "log").read_text().splitlines())
    assert ours["message"] == request_line(ANSWERED)
    assert ours["request"]["cost_usd"] == "0.000463"
    assert ours["request"]["attempts"] == ["meta-llama/llama-3.3-70b@groq 429", "openai/gpt-5-mini@openai 200"]
    assert theirs["message"] == "shown"


@pytest.mark.usefixtures("undisturbed_logging")
@pytest.mark.parametrize("line_format", ["auto", "text", "json"])
@pytest.mark.parametrize("on_terminal", [True, False], ids=["terminal", "file"])
def test_lines_are_for_people_on_a_terminal_unless_the_settings_say_otherwise(
    tmp_path: Path, line_format: str, on_terminal: bool
) -> None:
    reader, terminal = os.openpty()
    with open(terminal, "w") if on_terminal else (tmp_path / "log").open("w") as file:
        writer = set_up("info", line_format, file)
        log_request(ANSWERED)
        writer.close(60.0)
        line = os.read(reader, 4_096).decode() if on_terminal else (tmp_path / "log").read_text()
    os.close(reader)
    if not on_terminal:
        os.close(terminal)
    is_json = line_format == "json" or (line_format == "auto" and not on_terminal)
    assert line.startswith('{"time"') == is_json
    assert line.count("dec_1") == (2 if is_json else 1)


@pytest.mark.usefixtures("undisturbed_logging")
def test_requests_are_silent_at_level_warning(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file:
        writer = set_up("warning", "text", file)
        log_request(ANSWERED)
        REQUESTS.warning("shown")
        writer.close(60.0)
    assert (tmp_path / "log").read_text().endswith(" warning shown\n")
    assert "gpt-5-mini" not in (tmp_path / "log").read_text()
