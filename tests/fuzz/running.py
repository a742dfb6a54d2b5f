"""Runs inputs through a target, and keeps those that fail: `corpus/<target>/<name>`, replayed by a test for ever."""

import hashlib
import signal
import traceback
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from types import FrameType

from msgspec import Struct

from tests.fuzz.mutation import Mutator
from tests.fuzz.target import Target

CORPUS = Path(__file__).parent / "corpus"
LONGEST_CPU_SECONDS = 10.0  # of one input; one takes a millisecond, so this is no matter of a slow machine
MOST_KINDS = 20  # of failures, after which a target is left alone
MOST_CUTS = 400  # tries to make a failing input shorter


class Hung(BaseException):
    """An input took longer than any may. No Exception, so that nothing under test catches it."""


class Failure(Struct, frozen=True):
    """An input that broke a promise."""

    target: str
    data: bytes
    kind: str  # what was raised, and where: failures of one kind are one failure
    message: str

    @property
    def path(self) -> Path:
        return CORPUS / self.target / hashlib.sha256(self.data).hexdigest()[:16]


class Outcome(Struct, frozen=True):
    """What came of one target."""

    target: str
    inputs: int
    seconds: float
    failures: tuple[Failure, ...] = ()


def run(target: Target, count: int, number: int) -> Outcome:
    """`count` inputs, always the same for one number; of each kind of failure the first one, made short."""
    started = perf_counter()
    failures: dict[str, Failure] = {}
    done = 0
    mutator = Mutator(target.seeds, zlib.crc32(target.name.encode()) + number)
    with watched():
        for data in mutator.inputs(count):
            done += 1
            failure = tried(target, data)
            if failure is not None and failure.kind not in failures:
                failures[failure.kind] = shortened(target, failure)
                if len(failures) == MOST_KINDS:
                    break
    return Outcome(target.name, done, perf_counter() - started, tuple(failures.values()))


def tried(target: Target, data: bytes) -> Failure | None:
    """What is wrong with this target at this input; None when it keeps its promises. Only inside `watched`."""
    signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST_CPU_SECONDS)
    try:
        target.check(data)
    except (Exception, Hung) as error:
        return Failure(target.name, data, kind_of(error), "".join(traceback.format_exception(error)))
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return None


@contextmanager
def watched() -> Iterator[None]:
    """While this lasts, `tried` stops what hangs. Only in the main thread."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hung(f"still at work after {LONGEST_CPU_SECONDS} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGVTALRM, before)


def kind_of(error: BaseException) -> str:
    """What, and the last line of ours or of the test where it happened."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"


def shortened(target: Target, failure: Failure) -> Failure:
    """A shorter input that fails in the same way: pieces are left out, large ones first."""
    tries, size = 0, len(failure.data) // 2
    while size and tries < MOST_CUTS:
        for start in range(0, len(failure.data), size):
            tries += 1
            shorter = tried(target, failure.data[:start] + failure.data[start + size :])
            if shorter is not None and shorter.kind == failure.kind:
                failure = shorter
                break
        else:
            size //= 2
    return failure


def keep(failures: Iterable[Failure]) -> None:
    """Write them to the corpus."""
    for failure in failures:
        failure.path.parent.mkdir(parents=True, exist_ok=True)
        failure.path.write_bytes(failure.data)


def corpus(target: str) -> list[bytes]:
    """What has once failed."""
    return [path.read_bytes() for path in sorted((CORPUS / target).glob("*"))]
