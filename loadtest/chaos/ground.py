"""The ground of a scenario: simulated providers, and a gateway in front of them that may be killed and restarted."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import TracebackType

from msgspec import Struct
from msgspec.structs import replace

from gateway.simulator.models import OFFERS
from loadtest.chaos.books import Books
from loadtest.chaos.calls import CallLog
from loadtest.chaos.flood import TOKENS, Load
from loadtest.chaos.scenario import Stage
from loadtest.chaos.sender import read, request
from loadtest.children import environment, free_port, python, running, wait_until_it_answers
from loadtest.cores import pinned, two_cores

MODEL = "chaos/model"
MARK = "x-candidate-"  # a header that only one candidate is sent, by which the log tells it from others
STOP_SECONDS = 20.0
OFFER = {offer.provider: offer for offer in OFFERS if offer.model.name == "coder-pro"}


class Candidate(Struct, frozen=True):
    """Somebody who sells the model; the first one of a list is the first choice."""

    seller: str  # of the simulator
    spec: str = ""  # what always befalls it, as the simulator reads it; "": what a script says
    keys: tuple[str, ...] = ("sk-chaos-one",)
    model: str = MODEL
    name: str = ""  # in the settings; "": the seller's

    @property
    def upstream_name(self) -> str:
        """Carries the wish."""
        name = OFFER[self.seller].upstream_name
        return f"{name}:{self.spec}" if self.spec else name


class Ground:
    """The processes. Its settings can be written anew while the gateway runs."""

    def __init__(
        self,
        stage: Stage,
        candidates: Sequence[Candidate],
        fallback: Mapping[str, object] | None = None,
        server: Mapping[str, object] | None = None,
        router: Mapping[str, object] | None = None,
        pace: float = 0.0,
    ) -> None:
        self.stage = stage
        self.folder = stage.folder
        self.port = free_port()
        self.simulator_port = free_port()
        self.candidates = list(candidates)
        self.fallback = {"first_token_seconds": 2.0, "idle_seconds": 20.0, **(fallback or {})}
        self.server = {"log": "warning", "drain_seconds": 10.0, **(server or {})}
        self.router = dict(router or {})
        self.pace = pace  # of the simulated models: 1 is their own
        self.environ: dict[str, str] = {}  # of the next gateway
        self.calls = CallLog(self.simulator_port)
        self.books = Books(self.folder / ".steelyard")
        self.settings_path = self.folder / "steelyard.yaml"
        self._up = contextlib.ExitStack()
        self._gateway: subprocess.Popen[bytes] | None = None
        self._starts = 0

    def __enter__(self) -> "Ground":
        command = python("gateway.simulator", "--single-port", "--port", str(self.simulator_port))
        command += ["--pace", str(self.pace), "--seed", str(self.stage.seed)]
        self._up.enter_context(running("simulator", command, self.simulator_port, two_cores()[1], self.folder))
        self.write_settings(self.settings())
        self._up.enter_context(self.calls)
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.stop(signal.SIGKILL)
        self._up.close()

    @property
    def pid(self) -> int:
        """Of the gateway."""
        assert self._gateway is not None
        return self._gateway.pid

    @property
    def logs(self) -> str:
        """All that every gateway of this ground has said."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("gateway-*.log")))

    def start(self) -> None:
        """Start the gateway, and wait until it answers."""
        self._starts += 1
        log = self.folder / f"gateway-{self._starts}.log"
        command = python("gateway", "serve", "--config", str(self.settings_path), "--port", str(self.port))
        with log.open("wb") as output:
            self._gateway = subprocess.Popen(
                pinned(two_cores()[0], command),
                stdout=output,
                stderr=output,
                env={**environment(), **self.environ},
                cwd=self.folder,
            )
        wait_until_it_answers(self.port, self._gateway, log)

    def send(self, number: int) -> None:
        """Send the gateway a signal."""
        os.kill(self.pid, number)

    def stop(self, number: int = signal.SIGTERM, seconds: float = STOP_SECONDS) -> int:
        """Signal it, and return its exit code."""
        assert self._gateway is not None
        if self._gateway.poll() is None:
            self.send(number)
        return self._gateway.wait(seconds)

    def load(self, **fields: object) -> Load:
        """A load for this gateway: one model, the text of its good answer."""
        return replace(Load(self.port, {MODEL: 1.0}, seed=self.stage.seed), **fields)

    def straight(self, candidate: Candidate, **fields: object) -> Load:
        """The same for the simulator itself."""
        path = f"/{candidate.seller}/v1/chat/completions"
        return replace(Load(self.simulator_port, {candidate.upstream_name: 1.0}, path=path), **fields)

    def good_text(self, spec: str = "", max_tokens: int = TOKENS) -> str:
        """What the model says when nothing goes wrong."""
        seller = self.candidates[0].seller
        body = request(Candidate(seller, spec).upstream_name, max_tokens, stream=False)
        _, is_whole, text = read(self.told_simulator(f"/{seller}/v1/chat/completions", body), 200, stream=False)
        if not is_whole:
            raise RuntimeError(f"the simulator does not answer {body!r}")
        return text

    def script(self, **rule: object) -> None:
        """Let the simulated providers have a fault."""
        self.told_simulator("/_sim/script", json.dumps(rule).encode())

    def told_simulator(self, path: str, body: bytes) -> bytes:
        """POST, for what must go well."""
        connection = http.client.HTTPConnection("127.0.0.1", self.simulator_port, timeout=30)
        with contextlib.closing(connection):
            connection.request("POST", path, body)
            answer = connection.getresponse()
            heard = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"the simulator refuses {body!r}: {heard[:200]!r}")
        return heard

    def write_settings(self, settings: object) -> None:
        """JSON is YAML. Replaced in one step, so that a reload never reads half of it."""
        fresh = self.settings_path.with_suffix(".new")
        fresh.write_text(settings if isinstance(settings, str) else json.dumps(settings))
        fresh.rename(self.settings_path)

    def settings(self) -> dict[str, object]:
        """The candidates in their order, which quality alone decides."""
        count = len(self.candidates)
        return {
            "server": self.server,
            "providers": {
                candidate.name or candidate.seller: self._provider(candidate, 0.9 - 0.5 * place / count)
                for place, candidate in enumerate(self.candidates)
            },
            # Every request of a load has the same words, and yet they are not one conversation.
            "routers": {
                "chaos": {"weights": {"quality": 1.0}, "sessions": False, "fallback": self.fallback, **self.router}
            },
            "default_router": "chaos",
            "catalog": {"refresh": False},
        }

    def _provider(self, candidate: Candidate, quality: float) -> dict[str, object]:
        offer = OFFER[candidate.seller]
        keys = self.folder / f"{candidate.name or candidate.seller}.key"
        keys.write_text(",".join(candidate.keys))
        keys.chmod(0o600)
        return {
            "base_url": f"http://127.0.0.1:{self.simulator_port}/{candidate.seller}/v1",
            "api_key": f"file:{keys}",
            "headers": {f"{MARK}{candidate.name or candidate.seller}": "1"},
            "models": [
                {
                    "id": candidate.model,
                    "upstream_name": candidate.upstream_name,
                    "input_price_usd": offer.input_usd,
                    "output_price_usd": offer.output_usd,
                    "cached_input_price_usd": offer.cached_input_usd,
                    "context_window": 200_000,
                    "max_output_tokens": 8_000,
                    "quality": quality,
                    "first_token_seconds": 0.1,
                    "output_tokens_per_second": 1000,
                }
            ],
        }
