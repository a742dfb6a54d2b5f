"""Requests in numbers: what to send and what came of each; the sending is a process of its own, `chaos.sender`."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from loadtest.children import ROOT, environment, python
from loadtest.cores import pinned, two_cores

TOKENS = 12  # of an answer, unless it is said otherwise
DRAIN_SECONDS = 30.0  # for the sender to end after its last request was given up


class Load(Struct, frozen=True):
    """What the sender does, for `seconds` or `requests`: open loop with `per_second`, closed with `at_once`."""

    port: int
    models: dict[str, float]  # name -> share of the requests
    text: str = ""  # that a good answer must have; "": not compared
    stream: bool = False
    max_tokens: int = TOKENS  # of each answer; 0: not said
    per_second: float = 0.0
    at_once: int = 0  # connections of the closed loop
    seconds: float = 0.0  # 0: until `requests` are sent
    requests: int = 0  # 0: until `seconds` are over
    leaving_share: float = 0.0  # of the requests, which hang up after a random number of bytes
    leaving_bytes: int = 4000  # the largest such number
    read_bytes_per_second: int = 0  # 0: as fast as it comes
    gap_seconds: float = 0.0  # between the tokens of a stream, to see how late each is; 0: not looked at
    patience_seconds: float = 120.0
    path: str = "/v1/chat/completions"
    seed: int = 1


class Sent(Struct, frozen=True, array_like=True):
    """One request. Times are seconds since the epoch, so that they compare with the simulator's."""

    due: float
    started: float
    first: float  # first byte of the body; 0: none
    ended: float
    status: int  # 0: none came
    is_whole: bool  # ended as its format says, without an error, with the text that was due
    has_error: bool  # an error event in the stream, or an error document
    left: bool  # hung up by us
    decision: str = ""
    retry_after: str = ""
    received_bytes: int = 0
    model: str = ""
    answer_id: str = ""  # as the provider gave it, where the gateway hands it on
    wrong: str = ""  # what was odd, in a few words

    @property
    def seconds(self) -> float:
        """From when it was due to its end."""
        return self.ended - self.due

    @property
    def is_answered(self) -> bool:
        """200 and all that belongs to it."""
        return self.status == 200 and self.is_whole


class Sendings(Struct, frozen=True):
    """All of a load."""

    sent: list[Sent]
    lateness_ms: list[float] = []  # of tokens, against their stream's own pace

    @property
    def answered(self) -> list[Sent]:
        return [one for one in self.sent if one.is_answered]

    @property
    def failed(self) -> list[Sent]:
        """Neither answered nor left by us."""
        return [one for one in self.sent if not one.is_answered and not one.left]


class Flood:
    """A sender at work."""

    def __init__(self, process: "subprocess.Popen[bytes]", load: Load, result: Path, log: Path) -> None:
        self._process = process
        self._load = load
        self._result = result
        self._log = log

    @property
    def is_over(self) -> bool:
        """Whether every request has ended."""
        return self._process.poll() is not None

    def sendings(self) -> Sendings:
        """Wait for the end. Raises RuntimeError when the sender fails."""
        self._process.wait(self._load.seconds + self._load.patience_seconds + DRAIN_SECONDS)
        if self._process.returncode:
            raise RuntimeError(f"the sender failed: {self._log.read_text(errors='replace')[-1500:]}")
        return msgspec.json.decode(self._result.read_bytes(), type=Sendings)


@contextlib.contextmanager
def flooding(load: Load, folder: Path, name: str = "flood") -> Iterator[Flood]:
    """The load, from now on; ended with the block."""
    asked, result, log = (folder / f"{name}{ending}" for ending in (".asked.json", ".json", ".log"))
    asked.write_bytes(msgspec.json.encode(load))
    command = pinned(two_cores()[1], python("loadtest.chaos.sender", str(asked), str(result)))
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment(), cwd=ROOT)
    try:
        yield Flood(process, load, result, log)
    finally:
        process.kill()
        process.wait()


def flood(load: Load, folder: Path, name: str = "flood") -> Sendings:
    """The load, from its beginning to its end."""
    with flooding(load, folder, name) as one:
        return one.sendings()
