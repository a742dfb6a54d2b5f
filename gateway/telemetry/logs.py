"""Logging that never waits: lines are formatted and written by a thread of their own, and dropped when nobody reads.

On a terminal a line is for people; anywhere else it is a JSON object. One event is one line: whatever could forge
another, or turn the reading direction, is escaped.
"""

import atexit
import json
import logging
import os
import sys
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Thread
from typing import TextIO

from gateway.accounting.cost import format_usd
from gateway.accounting.receipt import AttemptRecord, Receipt

REQUESTS = logging.getLogger("steelyard.requests")
LEVELS = {"error": logging.ERROR, "warning": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}
CAPACITY = 10_000  # records waiting to be written
GATHER_SECONDS = 0.05  # lines of this long go out in one write


class RequestMessage:
    """A receipt as a log message, put into words only when it is written."""

    __slots__ = ("receipt",)

    def __init__(self, receipt: Receipt) -> None:
        self.receipt = receipt

    def __str__(self) -> str:
        return request_line(self.receipt)


def log_request(receipt: Receipt) -> None:
    """Log one finished request at level info."""
    if REQUESTS.isEnabledFor(logging.INFO):
        REQUESTS.info(RequestMessage(receipt))


def set_up(level: str, line_format: str = "auto", stream: TextIO | None = None) -> "LogWriter":
    """Send all logging to `stream` (stderr if None). Returns the writer, to close it.

    level: a key of LEVELS. line_format: "text", "json" or "auto", which is text on a terminal.
    """
    stream = sys.stderr if stream is None else stream
    is_text = line_format == "text" or (line_format == "auto" and stream.isatty())
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # not shown, so not collected
    writer = LogWriter(stream.fileno(), plain_line if is_text else json_line)
    logging.getLogger().addHandler(writer)
    set_level(level)
    return writer


def set_level(level: str) -> None:
    """Log no less than this of our own; of others warnings and worse, or everything at "debug"."""
    logging.getLogger().setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    logging.getLogger("steelyard").setLevel(LEVELS[level])


class LogWriter(logging.Handler):
    """Queues records and writes them from a thread. A blocked or broken sink costs log lines, never a request."""

    def __init__(self, descriptor: int, render: Callable[[logging.LogRecord], str], capacity: int = CAPACITY) -> None:
        super().__init__()
        self.dropped = 0  # lines that found the queue full or the sink broken
        self._announced = 0  # of those, how many the log itself has mentioned
        self._descriptor = descriptor
        self._render = render
        self._capacity = capacity
        self._queue: deque[logging.LogRecord] = deque()
        self._filled = Event()
        self._closing = Event()
        self._thread = Thread(target=self._run, name="log writer", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def emit(self, record: logging.LogRecord) -> None:
        if len(self._queue) >= self._capacity:
            self.dropped += 1
            return
        self._queue.append(record)
        if not self._filled.is_set():
            self._filled.set()

    def close(self, timeout: float = 1.0) -> None:
        """Write what waits, for at most `timeout` seconds."""
        atexit.unregister(self.close)
        logging.getLogger().removeHandler(self)
        self._closing.set()
        self._filled.set()
        self._thread.join(timeout)
        super().close()

    def _run(self) -> None:
        while not (self._closing.is_set() and not self._queue):
            self._filled.wait()
            self._closing.wait(GATHER_SECONDS)  # let more lines gather
            self._filled.clear()
            self._write_queue()

    def _write_queue(self) -> None:
        records = [self._queue.popleft() for _ in range(len(self._queue))]
        if (dropped := self.dropped) > self._announced:
            text = f"{dropped - self._announced} log lines were dropped: the log was not read"
            records.append(logging.LogRecord("steelyard.logs", logging.WARNING, "", 0, text, None, None))
            self._announced = dropped
        data = "".join(self._line(record) for record in records).encode(errors="backslashreplace")
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            self.dropped += len(records)

    def _line(self, record: logging.LogRecord) -> str:
        try:
            return self._render(record) + "\n"
        except Exception as error:  # a log call with wrong arguments must not end the log
            return f"a log record of {record.name} cannot be shown: {type(error).__name__}\n"


def json_line(record: logging.LogRecord) -> str:
    """A record as one JSON object in ASCII: json.dumps escapes control, bidi and lone surrogate characters."""
    entry: dict[str, object] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
    }
    if isinstance(record.msg, RequestMessage):
        entry["request"] = request_fields(record.msg.receipt)
    if record.exc_info:
        entry["exception"] = logging.Formatter().formatException(record.exc_info)
    return json.dumps(entry)


def plain_line(record: logging.LogRecord) -> str:
    """A record for people. The lines of a traceback are indented: none of them can pose as a line of its own."""
    time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
    line = f"{time} {record.levelname.lower():7} {escaped(record.getMessage())}"
    if record.exc_info:
        traceback = logging.Formatter().formatException(record.exc_info).split("\n")
        line = "\n    ".join([line, *map(escaped, traceback)])
    return line


def escaped(text: str) -> str:
    """The text with every character that is not printable (control, bidi, line separators) as an escape."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)


def request_line(receipt: Receipt) -> str:
    """A receipt in one line.

    200 auto → openai/gpt-5-mini@openai  0.84 s (first token 0.31)  412→180 tokens  $0.000463  overhead 0.4 ms
    fallback after groq 429  dec_1
    """
    parts = [head(receipt), duration(receipt)]
    if receipt.target:
        about = "~" if receipt.usage.estimated else ""
        parts.append(f"{about}{receipt.usage.input_tokens}→{receipt.usage.output_tokens} tokens")
        parts.append(cost_of(receipt))
    if receipt.attempts:
        parts.append(f"overhead {receipt.overhead_seconds * 1000:.1f} ms")
    if went := detour(receipt):
        parts.append(went)
    return escaped("  ".join([*parts, receipt.id]))


def head(receipt: Receipt) -> str:
    asked = receipt.router or receipt.requested[:80] or "?"
    outcome = "" if receipt.outcome == "ok" else f" {receipt.outcome}"
    return f"{receipt.status}{outcome} {asked}" + (f" → {receipt.target}" if receipt.target else "")


def duration(receipt: Receipt) -> str:
    first = receipt.first_token_seconds
    return f"{receipt.seconds:.2f} s" + ("" if first is None else f" (first token {first:.2f})")


def cost_of(receipt: Receipt) -> str:
    if receipt.cost_nano_usd is None:
        return "cost unknown"
    return f"{'~' if receipt.cost_estimated else ''}${format_usd(receipt.cost_nano_usd)}"


def detour(receipt: Receipt) -> str:
    """What came before, or instead of, the answer: "fallback after groq 429"; "" when the first choice answered."""
    faults = ", ".join(fault_of(attempt) for attempt in receipt.attempts if attempt.outcome != "ok")
    if receipt.fallback:
        return f"fallback after {faults}" if faults else "fallback"
    return f"{len(receipt.attempts)} attempt{'s'[: len(receipt.attempts) > 1]}: {faults}" if faults else ""


def fault_of(attempt: AttemptRecord) -> str:
    """ "groq 429": who failed, and how."""
    return f"{attempt.target.rpartition('@')[2]} {attempt.status or attempt.fault or attempt.outcome}"


def request_fields(receipt: Receipt) -> dict[str, object]:
    """A receipt's figures for machines; no prompt, no answer, no key but its name."""
    cost = receipt.cost_nano_usd
    return {
        "id": receipt.id,
        "key": receipt.key,
        "router": receipt.router,
        "requested": receipt.requested[:200],
        "target": receipt.target,
        "status": receipt.status,
        "outcome": receipt.outcome,
        "stream": receipt.stream,
        "fallback": receipt.fallback,
        "attempts": [
            f"{attempt.target} {attempt.status or attempt.fault or attempt.outcome}" for attempt in receipt.attempts
        ],
        "input_tokens": receipt.usage.input_tokens,
        "output_tokens": receipt.usage.output_tokens,
        "estimated": receipt.usage.estimated,
        "cost_usd": None if cost is None else format_usd(cost),
        "seconds": round(receipt.seconds, 6),
        "first_token_seconds": receipt.first_token_seconds,
        "overhead_seconds": round(receipt.overhead_seconds, 6),
        "task": receipt.task,
    }
