"""The load test: the same load straight at the simulator and through the gateway, and what the gateway adds.

`python -m loadtest.run` starts both, lets locust load them in turn, and fails when a request fails or is missing from
the ledger, or when the gateway adds more than 20 ms at the 99th percentile. The gateway has a core to itself; simulator
and locust share another, in both phases. Everything stays on loopback.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
from msgspec import Struct

from gateway.accounting.sqlite_ledger import SqliteLedger
from loadtest.children import ROOT, Child, environment, free_port, python, running
from loadtest.cores import pinned, two_cores
from loadtest.neighbours import Watch
from loadtest.picture import draw
from loadtest.procstat import usage_of
from loadtest.reading import Sample
from loadtest.report import Cost, Summary, compare, summarise, table

OUT = Path(__file__).parent / "out"
BASELINE = Path(__file__).parent / "baseline.json"
MODEL = "sim/coder-mini"  # 0.22 s to the first token, then 220 tokens a second
SELLER = "sim-alpha"
ROUTER = "loadtest"
# Providers whose models are weighed in every decision but allowed in none, so that it is as much work as in earnest.
ALSO_WEIGHED = ("openai", "anthropic", "groq", "mistral", "deepseek", "together", "fireworks", "openrouter", "xai")
NOWHERE = "http://127.0.0.1:9/v1"
GRACE_SECONDS = 60.0  # for locust to start, and to wait for the last answers


class Plan(Struct, frozen=True):
    """How much load, and how long."""

    per_second: float
    seconds: float  # of each round
    rounds: int  # of both phases, in turn
    warm_up_seconds: float
    users: int  # requests that can be open at a time
    seed: int


class Record(Struct, frozen=True):
    """A run, as it is kept."""

    date: str
    machine: dict[str, str]
    plan: Plan
    summary: Summary


def measure(plan: Plan, folder: Path) -> tuple[Summary, list[Sample], list[Sample]]:
    """Start everything, load both in turn, stop everything."""
    gateway_core, other_core = two_cores()
    simulator_port, gateway_port = free_port(), free_port()
    simulator_command = python("gateway.simulator", "--provider", SELLER, "--port", str(simulator_port))
    settings = gateway_settings(folder, simulator_port)
    gateway_command = python("gateway", "serve", "--config", str(settings), "--port", str(gateway_port))
    straight: list[Sample] = []
    through: list[Sample] = []
    cpu_seconds = 0.0
    with (
        running("simulator", simulator_command, simulator_port, other_core, folder) as simulator,
        running("gateway", gateway_command, gateway_port, gateway_core, folder) as gateway,
    ):
        watch = Watch()
        for number in range(plan.rounds):
            straight += load(plan, number, simulator, MODEL, folder)
            before = usage_of(gateway.pid)
            through += load(plan, number, gateway, ROUTER, folder)
            cpu_seconds += usage_of(gateway.pid).cpu_seconds - before.cpu_seconds
        others_share = watch.others_share()
        resident = usage_of(gateway.pid).resident_bytes
    cost = Cost(
        cpu_micros_per_request=cpu_seconds * 1e6 / max(len(through), 1),
        resident_mib=resident / 2**20,
        start_seconds=gateway.start_seconds,
        receipts=sum(row.requests for row in SqliteLedger(folder / "ledger.db").usage(0.0, 4e9, "total")),
    )
    return summarise(straight, through, cost, others_share), straight, through


def gateway_settings(folder: Path, simulator_port: int) -> Path:
    """A gateway in front of the simulator, with the catalog of some more providers in every decision."""
    key = folder / "key"
    key.write_text("not-a-key")
    key.chmod(0o600)
    model = {
        "id": MODEL,
        "input_price_usd": 0.2,
        "output_price_usd": 0.8,
        "context_window": 131_072,
        "max_output_tokens": 32_768,
        "abilities": ["tools", "json_mode", "json_schema", "logprobs"],
        "quality": 0.5,
        "first_token_seconds": 0.22,
        "output_tokens_per_second": 220,
    }
    settings = {
        "providers": {
            "simulated": {"base_url": f"http://127.0.0.1:{simulator_port}/v1", "models": [model]},
            **{name: {"base_url": NOWHERE, "api_key": f"file:{key}"} for name in ALSO_WEIGHED},
        },
        "routers": {ROUTER: {"preset": "auto", "allow": [f"{MODEL}@simulated"]}},
        "catalog": {"refresh": False, "path": str(folder / "catalog.json")},
        "ledger": {"path": str(folder / "ledger.db"), "journal": str(folder / "journal")},
    }
    path = folder / "steelyard.yaml"
    path.write_text(json.dumps(settings, indent=2))  # JSON is YAML
    return path


def load(plan: Plan, number: int, target: Child, model: str, folder: Path) -> list[Sample]:
    """One round of locust against one target. Its own exit code only says what the samples say better."""
    samples = folder / f"{target.name}-{number}.json"
    locustfile = str(Path(__file__).with_name("locustfile.py"))
    command = [
        *python("locust", "--headless", "--only-summary", "--loglevel", "ERROR", "--locustfile", locustfile),
        *("--host", f"http://127.0.0.1:{target.port}", "--model", model, "--samples", str(samples)),
        *("--users", str(plan.users), "--spawn-rate", str(plan.users), "--per-second", str(plan.per_second)),
        *("--seconds", str(plan.seconds), "--warm-up-seconds", str(plan.warm_up_seconds)),
        *("--seed", str(plan.seed + number), "--exit-code-on-error", "0"),
    ]
    patience = plan.warm_up_seconds + plan.seconds + GRACE_SECONDS
    done = subprocess.run(
        pinned(two_cores()[1], command), env=environment(), cwd=ROOT, capture_output=True, timeout=patience
    )
    if not samples.exists():
        raise RuntimeError(f"locust did not finish against the {target.name}:\n{done.stderr.decode()[-3000:]}")
    return msgspec.json.decode(samples.read_bytes(), type=list[Sample])


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    return {
        "machine": platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "cores": str(len(os.sched_getaffinity(0))),
    }


def compared(summary: Summary, baseline: Path) -> str:
    """The deltas to the baseline, if there is one."""
    if not baseline.exists():
        return "no baseline yet; --update-baseline writes one"
    before = msgspec.json.decode(baseline.read_bytes(), type=Record)
    deltas = compare(summary, before.summary)
    worse = [delta.name for delta in deltas if delta.is_worse]
    head = f"{f'against the baseline of {before.date}':34}{'then':>10}{'now':>10}"
    tail = [f"warning: more than 25 % worse than the baseline: {', '.join(worse)}"] if worse else []
    return "\n".join([head, *map(str, deltas), *tail])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-second", type=float, default=40.0, help="requests a second, on average")
    parser.add_argument("--seconds", type=float, default=15.0, help="of load in each round")
    parser.add_argument("--rounds", type=int, default=2, help="of both phases, in turn")
    parser.add_argument("--warm-up-seconds", type=float, default=3.0)
    parser.add_argument("--users", type=int, default=120, help="requests that can be open at a time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the figures and the picture")
    parser.add_argument("--baseline", type=Path, default=BASELINE)
    parser.add_argument("--update-baseline", action="store_true", help="keep this run as the one to compare with")
    given = vars(parser.parse_args())
    out, baseline, is_new_baseline = given.pop("out"), given.pop("baseline"), given.pop("update_baseline")
    plan = Plan(**given)
    with tempfile.TemporaryDirectory(prefix="loadtest-") as folder:
        summary, straight, through = measure(plan, Path(folder))
    date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    record = msgspec.json.format(msgspec.json.encode(Record(date, machine(), plan, summary)))
    out.mkdir(parents=True, exist_ok=True)
    (out / "loadtest.json").write_bytes(record)
    draw(summary, straight, through, out / "loadtest.svg")
    sys.stdout.write(f"{table(summary)}\n\n{compared(summary, baseline)}\n\nfigures and picture: {out}\n")
    if reasons := summary.verdict():
        sys.exit("\n".join(["the load test FAILED:", *reasons]))
    if is_new_baseline:
        baseline.write_bytes(record + b"\n")


if __name__ == "__main__":
    main()
