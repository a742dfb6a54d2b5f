"""What arrives and when: requests that real clients sent, at random times, the same for the same seed."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import msgspec
from msgspec import Raw, Struct

PAYLOADS = Path(__file__).parent / "payloads"
# Agents send most of the requests and nearly all of the bytes; every other client has a share of 1.
SHARES = {"openclaw": 3, "opencode": 4, "pi": 4, "aider": 4}
NOT_SENT = {"authorization", "accept-encoding"}  # redacted; left to the load generator


class Recorded(Struct, frozen=True):
    """A request as it was recorded."""

    headers: list[tuple[str, str]]
    body: dict[str, Raw]


class Payload(Struct, frozen=True):
    """A recorded request, ready to be sent to any model."""

    name: str  # "openclaw-2026.9.6-completions/000"
    share: int  # of the traffic, relative to the others
    headers: dict[str, str]
    fields: dict[str, Raw]

    @property
    def stream(self) -> bool:
        """Whether its client asked for a stream."""
        return bytes(self.fields.get("stream", Raw(b"false"))) == b"true"

    def body(self, model: str, seed: int) -> bytes:
        """The body, for this model and with this seed."""
        return msgspec.json.encode({**self.fields, "model": model, "seed": seed})


class Arrival(Struct, frozen=True):
    """One request of the load."""

    number: int
    due_seconds: float  # after the load's start
    payload: Payload


def load_payloads(folder: Path = PAYLOADS) -> list[Payload]:
    """Every recorded request, in the order of their names."""
    return [payload_of(path, folder) for path in sorted(folder.glob("*/*.json"))]


def payload_of(path: Path, folder: Path) -> Payload:
    recorded = msgspec.json.decode(path.read_bytes(), type=Recorded)
    name = str(path.relative_to(folder).with_suffix(""))
    return Payload(
        name=name,
        share=SHARES.get(name.partition("-")[0], 1),
        headers={header: value for header, value in recorded.headers if header.lower() not in NOT_SENT},
        fields=recorded.body,
    )


def arrivals(payloads: list[Payload], per_second: float, seconds: float, seed: int) -> Iterator[Arrival]:
    """Requests that come independently of each other (a Poisson process), `per_second` on average, for `seconds`."""
    chance = Random(seed)
    shares = [payload.share for payload in payloads]
    number, due = 0, chance.expovariate(per_second)
    while due < seconds:
        yield Arrival(number, due, chance.choices(payloads, shares)[0])
        number += 1
        due += chance.expovariate(per_second)
