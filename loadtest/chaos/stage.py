"""The processes of a run: simulated providers, those whose port itself fails, and the gateway in front of them."""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import Struct

from gateway.simulator.embedders import EmbedderOffer
from loadtest.chaos.cells import Cell, Places, Seat, seats
from loadtest.chaos.faults import Timer
from loadtest.chaos.formats import MOST_TOKENS
from loadtest.children import Child, free_port, python, running
from loadtest.cores import two_cores

# Of `gateway.execution.run`: what a whole answer may take for each of its tokens, on top of the first.
SECONDS_PER_TOKEN = 0.2
KEY = "sk-chaos-0123456789abcdefghijklmnop"  # of the gateway at its providers; nobody else may ever see it
PACE = "0.3"  # of streams that break: 4 ms from token to token, 0.3 s to the first
GATEWAY_BATCH = 300  # cells in front of one gateway: its settings may have 1 MiB


class Times(Struct, frozen=True):
    """The gateway's limits, in seconds."""

    connect: float
    first_token: float
    idle: float
    total: float

    def waits(self, cell: Cell) -> float:
        """How long one attempt of this cell is waited for in vain."""
        first = self.first_token
        tokens = MOST_TOKENS if cell.format.writes and not cell.stream else 0
        return {
            Timer.CONNECT: self.connect,
            Timer.PATIENCE: first + SECONDS_PER_TOKEN * tokens,
            Timer.IDLE: self.idle,
        }.get(cell.row.timer(cell.stream), 0.0)


SCALED = Times(connect=0.5, first_token=0.5, idle=0.5, total=15.0)
FULL = Times(connect=2.0, first_token=15.0, idle=60.0, total=600.0)


@contextlib.contextmanager
def simulators(folder: Path, cells: Sequence[Cell], seed: int, port: int = 0) -> Iterator[Places]:
    """All providers at once; if needed all at a pace, a port that drops SYNs, one that resets; and a closed port.

    port: of the first, the others follow; 0: free ones.
    """
    ports = [port + place if port else free_port() for place in range(4)]
    names = dict(zip(("providers", "paced", "choked", "resetting"), ports, strict=True))
    needed = {"providers", *(cell.row.place.value for cell in cells), *("paced" for cell in cells if cell.is_paced)}
    core = two_cores()[1]
    with contextlib.ExitStack() as up, socket.socket() as closed, ThreadPoolExecutor() as starters:
        started = [
            running(name, simulator(name, number, seed), number, core, folder)
            for name, number in names.items()
            if name in needed
        ]
        list(starters.map(up.enter_context, started))
        for name, fault in (("choked", "F03"), ("resetting", "F06")):
            if name in needed:
                script(names[name], fault)
        closed.bind(("127.0.0.1", port + 4 if port else 0))  # taken, but nobody listens
        places = [*ports, closed.getsockname()[1]]
        yield Places(*(f"127.0.0.1:{number}" for number in places))


def simulator(name: str, port: int, seed: int) -> list[str]:
    """The command. What a port does befalls one provider's, all others are behind one port."""
    who = ("--single-port",) if name in ("providers", "paced") else ("--provider", "sim-delta")
    pace = PACE if name == "paced" else "0"
    return python("gateway.simulator", *who, "--port", str(port), "--seed", str(seed), "--pace", pace)


def script(port: int, fault: str) -> None:
    """Let the whole port have this fault from now on."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/_sim/script", json.dumps({"provider": "*", "fault": fault}))
    with contextlib.suppress(http.client.RemoteDisconnected, ConnectionResetError):  # F03 ends open connections
        status = connection.getresponse().status
        if status != 200:
            raise RuntimeError(f"the simulator does not play {fault}: {status}")
    connection.close()


@contextlib.contextmanager
def gateway(batch: Sequence[Cell], places: Places, times: Times, full: bool, folder: Path) -> Iterator[Child]:
    """A gateway that knows these cells' candidates, in its own folder."""
    folder.mkdir()
    key = folder / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    chosen = [(cell, seat) for cell in batch for seat in seats(cell, places, full)]
    path = folder / "steelyard.yaml"
    path.write_text(json.dumps(settings(chosen, key, times)))  # JSON is YAML
    port = free_port()
    command = python("gateway", "serve", "--config", str(path), "--port", str(port))
    with running("gateway", command, port, two_cores()[0], folder) as child:
        yield child


def settings(chosen: Sequence[tuple[Cell, Seat]], key: Path, times: Times) -> dict[str, object]:
    """A provider for each seat. The router wants quality and speed, so the order of a cell's candidates is fixed."""
    fallback = {
        "connect_seconds": times.connect,
        "first_token_seconds": times.first_token,
        "idle_seconds": times.idle,
        "total_seconds": times.total,
    }
    return {
        "server": {"log": "error"},
        "providers": {
            seat.name: {
                "base_url": seat.base_url,
                "api_key": f"file:{key}",
                "headers": {seat.mark: "1"},
                "models": [model(cell, seat)],
            }
            for cell, seat in chosen
        },
        "routers": {"chaos": {"weights": {"quality": 0.5, "latency": 0.5}, "fallback": fallback}},
        "default_router": "chaos",
        "catalog": {"refresh": False},
    }


def model(cell: Cell, seat: Seat) -> dict[str, object]:
    """What the seat sells, at the simulator's own prices."""
    offer = seat.offer
    sold: dict[str, object] = {
        "id": cell.model,
        "upstream_name": seat.upstream_name,
        "input_price_usd": offer.input_usd,
        "first_token_seconds": 0.1 if seat.is_bad else 2.0,
    }
    if isinstance(offer, EmbedderOffer):
        return {**sold, "embeddings": True, "dimensions": offer.model.dimensions, "context_window": seat.context_window}
    return {
        **sold,
        "output_price_usd": offer.output_usd,
        "cached_input_price_usd": offer.cached_input_usd,
        "context_window": seat.context_window,
        "max_output_tokens": 4_000,
        "quality": 0.9 if seat.is_bad else 0.5,
        "output_tokens_per_second": 200 if seat.is_bad else 50,
        "abilities": ["tools", "json_mode"],
    }
