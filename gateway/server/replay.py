"""POST /v1/replay: what other weights would have chosen for the caller's own past requests.

A child process does it, by the command that an operator would type: seconds of arithmetic have no place in a process
that streams answers.
"""

import asyncio
import contextlib
import math
import os
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from core.dimensions import INDEX
from gateway import child
from gateway.errors import GatewayError, InvalidRequest, Overloaded
from gateway.server.inquiry import answer
from gateway.server.limits import read_body
from gateway.server.state import State

MAX_BYTES = 4_096
SECONDS = 60.0
MOST_REQUESTS = 100_000
EXPECTED = (
    '{"weights": {"cost": 0.5, "quality": 0.5}} is expected, with "router", "since" ("7d") and "limit" if you like'
)
ERROR = "Error: "


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """The body."""

    weights: dict[str, float] = {}  # none: by the rules of now
    router: str = ""  # whose requests; "": those of the default router
    since: str = "7d"
    limit: int = MOST_REQUESTS


WANTED = msgspec.json.Decoder(Wanted).decode


class ReplayDesk:
    """Replays one at a time."""

    def __init__(self, state: State, settings_file: Path | None) -> None:
        self._state = state
        self._settings_file = settings_file
        self._turn = asyncio.Lock()

    async def take(self, request: Request) -> Response:
        """The comparison, as `steelyard replay --json` prints it."""
        caller = self._state.callers.identify(request.scope["headers"], request.scope["query_string"])
        wanted = read(await read_body(request.scope, request.receive, MAX_BYTES))
        snapshot = self._state.live.current
        router = wanted.router or request.path_params.get("router", "") or snapshot.settings.default_router
        snapshot.chat.selector.router(router)
        caller.may_use(router)
        if self._turn.locked():
            raise Overloaded("Another replay is under way; they come one after the other", retry_after_seconds=5.0)
        words = ["replay", "--json", "--router", router, "--since", wanted.since, "--limit", str(wanted.limit)]
        words += ["--caller", caller.name]
        if wanted.weights:
            words += ["--weights", ",".join(f"{name}={weight:g}" for name, weight in wanted.weights.items())]
        if self._settings_file is not None:
            words += ["--config", str(self._settings_file)]
        async with self._turn:
            return answer(await printed(words))


async def printed(words: list[str]) -> bytes:
    """What our own command prints. Raises InvalidRequest with what it says is wrong."""
    process = await asyncio.create_subprocess_exec(
        *child.command("gateway", *words), stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=child.environment()
    )
    with contextlib.suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, process.pid, child.NICENESS)
    try:
        async with asyncio.timeout(SECONDS):
            output, said = await process.communicate()
    except TimeoutError as error:
        raise GatewayError(
            "The replay takes too long; ask for fewer requests with limit or since", status=503
        ) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        told = said.decode(errors="replace").strip().splitlines()[-1:] or ["it says nothing"]
        raise InvalidRequest(f"The replay cannot be made: {told[0].removeprefix(ERROR)}")
    return output


def read(body: bytes) -> Wanted:
    """Raises InvalidRequest, which says what is wrong with it."""
    try:
        wanted = WANTED(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"The replay cannot be read ({error}); {EXPECTED}") from error
    for name, weight in wanted.weights.items():
        if name not in INDEX or not 0 <= weight < math.inf:
            told = (
                f"weights.{name[:40]} is {weight:g}; a number of 0 or more is expected for each of {', '.join(INDEX)}"
            )
            raise InvalidRequest(told, param="weights")
    if not 1 <= wanted.limit <= MOST_REQUESTS:
        raise InvalidRequest(f"limit is {wanted.limit}; it is 1 to {MOST_REQUESTS:,}", param="limit")
    return wanted
