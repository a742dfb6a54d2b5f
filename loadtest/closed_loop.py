"""CPU per request and per streamed event, of the gateway and of a bare nginx proxy in the same run.

`python -m loadtest.closed_loop` starts, for each of three loads, an upstream, the proxy and the gateway; ties the two
to one core and everything else to another; loads them in turn, five rounds; and prints what each cost, and the ratio of
the two, round by round. Only ratios travel between machines.
"""

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import msgspec
from msgspec import Struct

from loadtest import bench_proxy, payload
from loadtest.children import ROOT, Child, free_port, python, running
from loadtest.cores import pinned, two_cores
from loadtest.procstat import usage_of
from loadtest.stream_client import Tally
from loadtest.wrk import Burst, run_wrk

OUT = Path(__file__).parent / "out" / "closed_loop.json"
NGINX, GATEWAY = "nginx", "gateway"
KEYS = ["whole", "unpaced", "paced"]
LONGEST_BURST_SECONDS = 30
UNPACED_TIMES = 10  # as many streams: an unpaced event costs so little that 10 ms clock ticks would show


class Plan(Struct, frozen=True):
    """How much is measured."""

    rounds: int
    requests: int  # at least this many whole requests a round
    connections: int
    streams: int  # this many paced streams a round
    concurrency: int  # of them at a time
    events: int  # with content, in each stream
    gap_ms: float  # between two events of a paced stream


class Sample(Struct, frozen=True):
    """One round of one proxy."""

    cpu_micros: float  # user + system, per request or per event
    per_second: float  # requests or events
    p50_ms: float  # whole answer, or a stream's first event
    p99_ms: float
    resident_mib: float


class Load(Struct, frozen=True):
    """A kind of traffic: what to put it on, and how to make one round of it."""

    key: str
    name: str
    unit: str
    stream: bool
    upstream: Callable[[Path, int], list[str]]  # folder, port -> command
    measure: Callable[[Path, Child], Sample]


class Outcome(Struct, frozen=True):
    """All rounds of one load."""

    load: str
    unit: str
    samples: dict[str, list[Sample]]  # by proxy
    ratios: list[float]  # gateway / nginx, CPU of the same round
    start_seconds: dict[str, float]


def loads(plan: Plan) -> list[Load]:
    """Whole answers; streams as fast as they go; streams at the pace of a model."""

    def static(folder: Path, port: int) -> list[str]:
        return bench_proxy.answering(folder, port, payload.answer())

    def streaming(gap_ms: float) -> Callable[[Path, int], list[str]]:
        arguments = ["--events", str(plan.events), "--gap-ms", str(gap_ms)]
        return lambda folder, port: python("loadtest.stream_upstream", "--port", str(port), *arguments)

    def whole(folder: Path, proxy: Child) -> Sample:
        return measure_whole(plan, folder, proxy)

    def streams(times: int) -> Callable[[Path, Child], Sample]:
        return lambda folder, proxy: measure_streams(plan, plan.streams * times, proxy)

    return [
        Load("whole", "whole answers", "request", False, static, whole),
        Load("unpaced", "streams, unpaced", "event", True, streaming(0.0), streams(UNPACED_TIMES)),
        Load("paced", "streams, paced", "event", True, streaming(plan.gap_ms), streams(1)),
    ]


def measure(load: Load, rounds: int, folder: Path) -> Outcome:
    """Interleave the rounds of both proxies; who goes first alternates."""
    samples: dict[str, list[Sample]] = {NGINX: [], GATEWAY: []}
    with contenders(load, folder) as proxies:
        for proxy in proxies:
            load.measure(folder, proxy)  # warms caches and connections, counts for nothing
        for number in range(rounds):
            for proxy in proxies if number % 2 == 0 else reversed(proxies):
                samples[proxy.name].append(load.measure(folder, proxy))
        starts = {proxy.name: proxy.start_seconds for proxy in proxies}
    ratios = [
        ours.cpu_micros / theirs.cpu_micros for ours, theirs in zip(samples[GATEWAY], samples[NGINX], strict=True)
    ]
    return Outcome(load.name, load.unit, samples, ratios, starts)


@contextmanager
def contenders(load: Load, folder: Path) -> Iterator[list[Child]]:
    """The upstream and, in front of it, both proxies, each running while the others idle."""
    proxy_core, other_core = two_cores()
    upstream_port, nginx_port, gateway_port = free_port(), free_port(), free_port()
    with ExitStack() as stack:
        upstream = load.upstream(folder / "upstream", upstream_port)
        stack.enter_context(running("upstream", upstream, upstream_port, other_core, folder))
        proxy = bench_proxy.forwarding(folder / "proxy", nginx_port, upstream_port, load.stream)
        settings = gateway_settings(folder, upstream_port)
        gateway = python("gateway", "serve", "--config", str(settings), "--port", str(gateway_port))
        yield [
            stack.enter_context(running(NGINX, proxy, nginx_port, proxy_core, folder)),
            stack.enter_context(running(GATEWAY, gateway, gateway_port, proxy_core, folder)),
        ]


def gateway_settings(folder: Path, upstream_port: int) -> Path:
    """The settings of a gateway with one provider and one model; all else is as by default, ledger and metadata too."""
    settings = {
        "providers": {
            "bench": {
                "base_url": f"http://127.0.0.1:{upstream_port}/v1",
                "models": [
                    {"id": payload.MODEL, "input_price_usd": 1.0, "output_price_usd": 2.0, "context_window": 128000}
                ],
            }
        },
        "catalog": {"refresh": False, "path": str(folder / "catalog.json")},
        "ledger": {"path": str(folder / "ledger.db"), "journal": str(folder / "journal")},
    }
    path = folder / "steelyard.yaml"
    path.write_text(json.dumps(settings, indent=2))  # JSON is YAML
    return path


def measure_whole(plan: Plan, folder: Path, proxy: Child) -> Sample:
    """One round of whole answers: long enough for the requests asked for."""
    core = two_cores()[1]
    body = payload.request(stream=False)
    bursts: list[Burst] = []
    answered = 0
    before = usage_of(proxy.pid)
    while answered < plan.requests:
        bursts.append(run_wrk(folder, body, proxy.port, plan.connections, burst_seconds(plan.requests, bursts), core))
        answered += bursts[-1].requests
        if bursts[-1].errors or not bursts[-1].requests:
            raise RuntimeError(f"{proxy.name}: {bursts[-1]}; the figures of a run with errors mean nothing")
    after = usage_of(proxy.pid)
    return Sample(
        cpu_micros=(after.cpu_seconds - before.cpu_seconds) * 1e6 / answered,
        per_second=answered / sum(burst.seconds for burst in bursts),
        p50_ms=bursts[-1].p50_ms,
        p99_ms=bursts[-1].p99_ms,
        resident_mib=after.resident_bytes / 2**20,
    )


def burst_seconds(wanted: int, bursts: list[Burst]) -> int:
    """How long to go on for the requests that are still missing, at the pace so far; one second to find the pace."""
    if not bursts:
        return 1
    answered = sum(burst.requests for burst in bursts)
    seconds = sum(burst.seconds for burst in bursts)
    return min(math.ceil(1.1 * (wanted - answered) * seconds / answered), LONGEST_BURST_SECONDS)


def measure_streams(plan: Plan, streams: int, proxy: Child) -> Sample:
    """One round of streams. Every one must bring all its events and its end."""
    arguments = ["--port", str(proxy.port), "--concurrency", str(plan.concurrency), "--streams", str(streams)]
    before = usage_of(proxy.pid)
    command = pinned(two_cores()[1], python("loadtest.stream_client", *arguments))
    output = subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout
    after = usage_of(proxy.pid)
    tally = msgspec.json.decode(output, type=Tally)
    # What the upstream sent is what is divided by, whatever a proxy leaves out or adds.
    sent = streams * len(payload.events(plan.events))
    if tally.broken or tally.events < streams * plan.events:
        raise RuntimeError(f"{proxy.name}: {tally.broken} broken streams, {tally.events} events of about {sent}")
    first = sorted(tally.first_event_seconds)
    return Sample(
        cpu_micros=(after.cpu_seconds - before.cpu_seconds) * 1e6 / sent,
        per_second=sent / tally.seconds,
        p50_ms=first[len(first) // 2] * 1e3,
        p99_ms=first[int(len(first) * 0.99)] * 1e3,
        resident_mib=after.resident_bytes / 2**20,
    )


def report(outcomes: list[Outcome]) -> str:
    """What was measured, as a table: medians, with the range of the rounds."""
    lines = [f"{'':20}{'CPU µs':>24}{'per second':>14}{'p50 ms':>9}{'p99 ms':>9}{'RSS MiB':>9}{'ratio to nginx':>22}"]
    for outcome in outcomes:
        lines.append(f"{outcome.load}, per {outcome.unit}")
        for name, samples in outcome.samples.items():
            ratio = spread(outcome.ratios, "{:.2f}") if name == GATEWAY else ""
            lines.append(
                f"  {name:18}{spread([s.cpu_micros for s in samples], '{:.1f}'):>24}"
                f"{median(s.per_second for s in samples):>14,.0f}{median(s.p50_ms for s in samples):>9.2f}"
                f"{median(s.p99_ms for s in samples):>9.2f}{median(s.resident_mib for s in samples):>9.1f}{ratio:>22}"
            )
    starts = [outcome.start_seconds[GATEWAY] for outcome in outcomes]
    lines.append(f"gateway start to first answer: {spread(starts, '{:.2f}')} s")
    return "\n".join(lines)


def spread(values: list[float], form: str) -> str:
    """Median and range: "17.1 (16.4-19.0)"."""
    return f"{form.format(median(values))} ({form.format(min(values))}-{form.format(max(values))})"


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "machine": platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "cores": sorted(os.sched_getaffinity(0)),
        "load_average": os.getloadavg(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=20_000, help="whole requests a round, at least")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--streams", type=int, default=640, help="paced streams a round")
    parser.add_argument("--concurrency", type=int, default=64, help="streams at a time")
    parser.add_argument("--events", type=int, default=50, help="events with content in a stream")
    parser.add_argument("--gap-ms", type=float, default=10.0, help="between two events of a paced stream")
    parser.add_argument("--loads", nargs="+", choices=KEYS, default=KEYS)
    parser.add_argument("--json", type=Path, default=OUT, help="where the samples go")
    given = vars(parser.parse_args())
    chosen, out = given.pop("loads"), given.pop("json")
    plan = Plan(**given)
    outcomes = []
    before = machine()
    for load in loads(plan):
        if load.key in chosen:
            with tempfile.TemporaryDirectory(prefix="closed-loop-") as folder:
                outcomes.append(measure(load, plan.rounds, Path(folder)))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(msgspec.json.format(msgspec.json.encode({"on": before, "plan": plan, "outcomes": outcomes})))
    sys.stdout.write(report(outcomes) + f"\nsamples: {out}\n")


if __name__ == "__main__":
    main()
