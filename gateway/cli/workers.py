"""Several workers on one port: a small parent that starts them, replaces those that die, and passes on what they say.

The parent serves no request. It keeps every listening socket open, so that connections which wait for a worker that has
died are there for the one that takes its place.
"""

import asyncio
import contextlib
import logging
import math
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from time import monotonic

import msgspec
from msgspec import Struct

from gateway import bootstrap, child
from gateway.accounting.places import make_places
from gateway.bootstrap import PLACE, Options, Place
from gateway.counters.neighbours import Word, read_word, write_word
from gateway.providers.table import resolve
from gateway.server.handover import Offer, Taken, place_of
from gateway.server.lockdown import lock_down, refuse_root
from gateway.settings.rules import is_loopback
from gateway.settings.schema import Settings
from gateway.telemetry import logs

log = logging.getLogger("steelyard")

HASH_SEED = "PYTHONHASHSEED"  # conversations are known by hashes, which all workers have to make alike
SHORT_LIFE_SECONDS = 5.0  # a worker that dies sooner is replaced after a pause
LOOK_SECONDS = 1.0  # between questions whether a worker is alive
GRACE_LOOKS = 2  # after it was told to end with a word about where it is stuck
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 10.0
GO = (signal.SIGTERM, signal.SIGINT)


class Worker(Struct):
    """One child and the stream to it."""

    number: int
    sockets: tuple[socket.socket, ...]
    process: asyncio.subprocess.Process | None = None
    writer: asyncio.StreamWriter | None = None
    started: float = 0.0  # monotonic second
    short_lives: int = 0  # in a row
    ready: asyncio.Event | None = None  # set while it serves
    unanswered: int = 0  # questions in a row whether it is alive

    @property
    def is_ready(self) -> bool:
        """Whether it serves."""
        return self.ready is not None and self.ready.is_set()


class Workers:
    """All of them, from `run` to the end."""

    def __init__(
        self, sockets: Sequence[socket.socket], count: int, ports: dict[str, int] | None, silence_seconds: float
    ) -> None:
        """ports: of the built-in simulator, when it stands in. silence_seconds: of a worker that is replaced then."""
        self._most_unanswered = math.ceil(silence_seconds / LOOK_SECONDS)
        self._sockets = sockets
        self._ports = ports
        self._workers = [Worker(number, dealt(sockets, number, count)) for number in range(count)]
        self._environ = {
            **child.environment(),
            HASH_SEED: os.environ.get(HASH_SEED, str(1 + secrets.randbelow(2**32 - 1))),
        }
        self._is_up = False  # all have served once
        self._stopping = asyncio.Event()
        self.when_ready: Callable[[], None] = lambda: None

    async def run(self) -> int:
        """Serve until told to stop; the exit code. A first worker that does not come up ends it, with its code."""
        async with asyncio.TaskGroup() as tasks:
            kept: list[asyncio.Task[int]] = []
            for worker in self._workers:
                await self._start(worker, tasks)
                kept.append(tasks.create_task(self._keep(worker, tasks)))
                if not await self._until_ready(worker, kept[-1]):
                    if not self._stopping.is_set():
                        self.stop()
                    break
            else:
                self._tell(self._workers[0], Word("announce"))
                self._is_up = True
                self.when_ready()
                tasks.create_task(self._watch())
            codes = await asyncio.gather(*kept)
        return max(codes)

    def stop(self) -> None:
        """Let what is being answered end; asked again, end it."""
        # The same signal twice would be one to a worker that had no time for the first yet.
        number = signal.SIGINT if self._stopping.is_set() else signal.SIGTERM
        self._stopping.set()
        for listener in self._sockets:
            listener.close()
        for worker in self._workers:
            self._send(worker, number)

    def reload(self) -> None:
        """Have the settings read again."""
        for worker in self._workers:
            if worker.is_ready:  # one that is not reads them anyway, and SIGHUP would end it
                self._send(worker, signal.SIGHUP)

    def _send(self, worker: Worker, number: signal.Signals) -> None:
        if worker.process is not None and worker.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                worker.process.send_signal(number)

    async def _start(self, worker: Worker, tasks: asyncio.TaskGroup) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        descriptors = tuple(listener.fileno() for listener in worker.sockets)
        place = Place(worker.number, len(self._workers), descriptors, theirs.fileno(), self._ports)
        with theirs:
            worker.process = await asyncio.create_subprocess_exec(
                *child.command("gateway", *sys.argv[1:]),
                pass_fds=(*descriptors, theirs.fileno()),
                env={**self._environ, PLACE: msgspec.json.encode(place).decode()},
                start_new_session=True,  # a Ctrl-C at the terminal is for us, and we pass it on once
            )
        worker.started, worker.ready, worker.unanswered = monotonic(), asyncio.Event(), 0
        reader, worker.writer = await asyncio.open_connection(sock=ours)
        tasks.create_task(self._pass_on(worker, reader))

    async def _watch(self) -> None:
        """End a worker that hangs; `_keep` replaces it. Looks are counted, not seconds: we may have stood still too."""
        while not await is_set_within(self._stopping, LOOK_SECONDS):
            for worker in self._workers:
                if not worker.is_ready:
                    continue
                if worker.unanswered >= self._most_unanswered + GRACE_LOOKS:
                    self._send(worker, signal.SIGKILL)
                elif worker.unanswered == self._most_unanswered:
                    told = "worker %d of %d has said nothing for %g s and is ended; where it hangs is told next"
                    log.error(told, worker.number, self.count, self._most_unanswered * LOOK_SECONDS)
                    self._send(worker, signal.SIGABRT)
                worker.unanswered += 1
                self._tell(worker, Word("alive"))

    async def _keep(self, worker: Worker, tasks: asyncio.TaskGroup) -> int:
        """Wait for its end and begin again, until all is to end; its last exit code."""
        while True:
            process = worker.process
            code = await process.wait() if process is not None else 0
            if worker.writer is not None:
                worker.writer.close()
            worker.ready = None
            self._tell_all(Word("gone", worker.number), worker)
            if self._stopping.is_set():
                return 0 if -code in GO else abs(code)  # one that had not begun yet goes by the signal itself
            if not self._is_up:
                return abs(code)
            lived = monotonic() - worker.started
            worker.short_lives = worker.short_lives + 1 if lived < SHORT_LIFE_SECONDS else 0
            log.warning("worker %d of %d ended with %d; another takes its place", worker.number, self.count, code)
            if worker.short_lives > 1:
                pause = min(FIRST_PAUSE_SECONDS * 2.0**worker.short_lives, LONGEST_PAUSE_SECONDS)
                await is_set_within(self._stopping, pause)
            if self._stopping.is_set():
                return 0
            await self._start(worker, tasks)

    @property
    def count(self) -> int:
        """How many there are to be."""
        return len(self._workers)

    async def _until_ready(self, worker: Worker, kept: "asyncio.Task[int]") -> bool:
        """Whether it serves; False when it has ended instead. kept: ends with it."""
        if worker.ready is None:
            return False
        waiting = asyncio.ensure_future(worker.ready.wait())
        await asyncio.wait({waiting, kept}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        return worker.is_ready

    async def _pass_on(self, worker: Worker, reader: asyncio.StreamReader) -> None:
        """What this worker says goes to whom it concerns, until it ends."""
        while (word := await read_word(reader)) is not None:
            worker.unanswered = 0
            if word.kind == "alive":
                continue
            if word.kind == "ready":
                if worker.ready is not None:
                    worker.ready.set()
            elif word.kind == "answer":
                self._tell(self._workers[word.receiver], word)
            elif word.kind == "ask":
                asked = [other for other in self._workers if other is not worker and other.is_ready]
                numbers = tuple(other.number for other in asked)
                self._tell(worker, Word("asked", question=word.question, workers=numbers))
                for other in asked:
                    self._tell(other, word)
            else:
                self._tell_all(word, worker)

    def _tell_all(self, word: Word, sender: Worker) -> None:
        for worker in self._workers:
            if worker is not sender:  # one that is about to begin hears it when it does
                self._tell(worker, word)

    def _tell(self, worker: Worker, word: Word) -> None:
        if worker.writer is not None:
            write_word(worker.writer, word)


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for it, but no longer than that."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


def dealt(sockets: Sequence[socket.socket], number: int, count: int) -> tuple[socket.socket, ...]:
    """The sockets of one worker among `count`. Where there are fewer than workers, some share one."""
    own = tuple(listener for place, listener in enumerate(sockets) if place % count == number)
    return own or (sockets[number % len(sockets)],)


async def serve_with_workers(options: Options, count: int) -> int:
    """Serve with `count` workers until SIGTERM or SIGINT; the exit code. Raises SettingsError as `serve` does.

    Not on uvloop, which closes what it passes on to a child.
    """
    settings = bootstrap.settings_for(options, os.environ)
    host = settings.server.host
    refuse_root(os.geteuid(), host, is_loopback(host), options.allow_root)
    lock_down()
    async with contextlib.AsyncExitStack() as stack:
        sockets, taken = bootstrap.sockets_for(settings, options, count)
        stack.callback(close_all, sockets)
        make_places(settings.ledger)
        stack.callback(logs.set_up(settings.server.log, settings.server.log_format).close)
        needed = not resolve(settings, os.environ).live
        simulator = await stack.enter_async_context(bootstrap.simulator_if(needed))
        ports = None if simulator is None else simulator.ports
        workers = Workers(sockets, count, ports, settings.server.worker_silence_seconds)
        await stack.enter_async_context(signals_for(workers))
        workers.when_ready = lambda: offer_when_ready(settings, sockets, taken, workers, stack)
        return await workers.run()


def offer_when_ready(
    settings: Settings,
    sockets: Sequence[socket.socket],
    taken: Taken | None,
    workers: Workers,
    stack: contextlib.AsyncExitStack,
) -> None:
    """All workers serve: whoever had the sockets may stop, and the next one may ask for them."""
    if taken is not None:
        taken.confirm()
    port = sockets[0].getsockname()[1]
    offer = Offer(place_of(Path(settings.ledger.path), port), sockets, workers.stop)
    offer.open()
    stack.callback(offer.close)


@contextlib.asynccontextmanager
async def signals_for(workers: Workers) -> AsyncIterator[None]:
    """SIGTERM and SIGINT stop, SIGHUP reloads."""
    loop = asyncio.get_running_loop()
    for number in GO:
        loop.add_signal_handler(number, workers.stop)
    loop.add_signal_handler(signal.SIGHUP, workers.reload)
    yield


def close_all(sockets: Sequence[socket.socket]) -> None:
    for listener in sockets:
        listener.close()
