"""The load as locust runs it: requests arrive when they are due, whether or not earlier ones have been answered.

`python -m loadtest.run` calls this twice, straight at the simulator and through the gateway. By itself:

    locust -f loadtest/locustfile.py --headless --host http://127.0.0.1:8080 --model auto -u 100 -r 100
"""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import msgspec
from geventhttpclient.response import HTTPParseError, HTTPSocketResponse
from locust import FastHttpUser, constant, events, task
from locust.env import Environment
from locust.exception import StopUser

from loadtest.reading import Reading, Sample, fault_of_answer, read_stream
from loadtest.traffic import Arrival, arrivals, load_payloads

PATH = "/v1/chat/completions"
LEAD_SECONDS = 1.0  # until all users are there
OVERHEAD = "x-steelyard-overhead-ms"


class Desk:
    """Hands out the arrivals in their order, and collects what they experienced."""

    def __init__(self, environment: Environment) -> None:
        options = environment.parsed_options
        assert options is not None
        seconds = options.warm_up_seconds + options.seconds
        self.queue: Iterator[Arrival] = arrivals(load_payloads(), options.per_second, seconds, options.seed)
        self.start = perf_counter() + LEAD_SECONDS
        self.model: str = options.model
        self.samples: list[Sample] = []
        self._environment = environment
        self._warm_up_seconds: float = options.warm_up_seconds
        self._under_way = 0
        self._file: Path | None = options.samples

    def take(self) -> Arrival | None:
        """The next arrival; None when there are no more."""
        arrival = next(self.queue, None)
        self._under_way += arrival is not None
        return arrival

    def is_warm(self, arrival: Arrival) -> bool:
        return arrival.due_seconds >= self._warm_up_seconds

    def give_back(self, sample: Sample) -> None:
        self.samples.append(sample)
        self._under_way -= 1

    def close_if_idle(self) -> None:
        """End the test when nothing is left to wait for."""
        if not self._under_way and self._environment.runner is not None:
            self._environment.runner.quit()

    def save(self) -> None:
        if self._file is not None:
            self._file.write_bytes(msgspec.json.encode(self.samples))


desk: Desk


def add_options(parser: ArgumentParser, **_: object) -> None:
    parser.add_argument("--model", default="auto", help="what to ask for")
    parser.add_argument("--per-second", type=float, default=40.0, help="requests a second, on average")
    parser.add_argument("--seconds", type=float, default=15.0, help="of load, after the warm-up")
    parser.add_argument("--warm-up-seconds", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--samples", type=Path, help="file for what every request experienced")


def open_desk(environment: Environment, **_: object) -> None:
    global desk
    desk = Desk(environment)


def close_desk(environment: Environment, **_: object) -> None:
    desk.save()


events.init_command_line_parser.add_listener(add_options)  # type: ignore[no-untyped-call]
events.test_start.add_listener(open_desk)  # type: ignore[no-untyped-call]
events.quitting.add_listener(close_desk)  # type: ignore[no-untyped-call]


class Client(FastHttpUser):
    """One of many hands: it takes the next arrival, waits until it is due, sends it and reads the answer."""

    wait_time = constant(0)
    network_timeout = 30.0
    connection_timeout = 5.0

    @task
    def ask(self) -> None:
        arrival = desk.take()
        if arrival is None:
            desk.close_if_idle()
            raise StopUser
        due = desk.start + arrival.due_seconds
        sleep(max(0.0, due - perf_counter()))  # of gevent, which locust has put in its place
        desk.give_back(self._exchange(arrival, due))

    def _exchange(self, arrival: Arrival, due: float) -> Sample:
        payload = arrival.payload
        with self.client.post(
            PATH,
            name=payload.name,
            data=payload.body(desk.model, arrival.number),  # type: ignore[arg-type]  # bytes are taken
            headers=payload.headers,
            stream=True,
            catch_response=True,
        ) as answer:
            try:
                reading = read(answer.stream, payload.stream) if answer.status_code == 200 else refused(answer)
            except (OSError, HTTPParseError) as error:
                reading = Reading(None, [], f"{type(error).__name__}: {error}")
            total_ms = (perf_counter() - due) * 1e3
            answer.request_meta["response_time"] = total_ms
            if reading.error:
                answer.failure(reading.error)
            overhead = answer.headers.get(OVERHEAD) if answer.headers else None
        return Sample(
            number=arrival.number,
            payload=payload.name,
            stream=payload.stream,
            is_warm=desk.is_warm(arrival),
            total_ms=total_ms,
            first_token_ms=None if reading.first_token is None else (reading.first_token - due) * 1e3,
            gaps_ms=[
                round((later - earlier) * 1e3, 4)
                for earlier, later in zip(reading.chunks, reading.chunks[1:], strict=False)
            ],
            overhead_ms=None if overhead is None else float(overhead),
            error=reading.error,
        )


def read(body: Any, stream: bool) -> Reading:
    """The answer behind the headers."""
    source: HTTPSocketResponse = body
    if stream:
        return read_stream(lambda: source.readline(b"\n\n"), perf_counter)
    return Reading(None, [], fault_of_answer(source.read()))


def refused(answer: Any) -> Reading:
    """An answer with another status than 200, or none at all (status 0)."""
    return Reading(None, [], f"status {answer.status_code}: {(answer.text or str(answer.error))[:300]}")
