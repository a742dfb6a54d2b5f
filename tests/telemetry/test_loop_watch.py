"""A loop that is held up is noticed, with the place in the code, and said once in a while."""

import asyncio
import logging
import sys
from threading import Event, Thread

import pytest

from gateway.telemetry.loop_watch import LoopWatch, place


class Clock:
    """Monotonic seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_steps_are_counted_and_mentioned_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    watch = LoopWatch(clock)
    with caplog.at_level(logging.WARNING, "steelyard.loop"):
        for clock.now, seconds in ((0.0, 0.03), (1.0, 0.5), (59.0, 0.04), (60.0, 0.05)):
            watch.held_up(seconds, "app.py:1 work")
    assert (watch.long_steps, watch.longest_seconds) == (4, 0.5)
    assert [record.getMessage() for record in caplog.records] == [
        "the event loop was held up for 30 ms (1 times since the last word) in app.py:1 work",
        "the event loop was held up for 50 ms (3 times since the last word) in app.py:1 work",
    ]


async def test_the_culprit_is_named(caplog: pytest.LogCaptureFixture) -> None:
    watch = LoopWatch()
    seen = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            loop.call_soon_threadsafe(seen.set)

    listener = Listener()
    logging.getLogger("steelyard.loop").addHandler(listener)
    try:
        watch.start()
        while not seen.is_set():  # a step of half a second, ten times the pause, is never missed
            the_culprit(Event())
            await asyncio.sleep(0)
        assert "the_culprit" in caplog.text
        assert watch.longest_seconds > 0.02
    finally:
        logging.getLogger("steelyard.loop").removeHandler(listener)
        watch.stop()


def the_culprit(never: Event) -> None:
    never.wait(0.5)


def test_a_place_names_the_innermost_calls_and_no_values() -> None:
    frame = sys._getframe()
    assert place(frame).endswith("test_a_place_names_the_innermost_calls_and_no_values")
    assert len(place(frame).split(" > ")) <= 6


def test_a_closed_loop_ends_the_watch() -> None:
    async def make() -> LoopWatch:
        return LoopWatch()

    watch = asyncio.run(make())
    thread: Thread = watch._thread
    watch.start()
    thread.join(10.0)
    assert not thread.is_alive()
