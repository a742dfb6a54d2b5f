"""A request on its way along the plan: who is asked, who is not, and what the caller hears when nobody can."""

import json
from collections.abc import Mapping
from time import monotonic
from typing import Any

import pytest

from gateway.errors import GatewayError
from gateway.execution.exhaustion import exhausted
from gateway.execution.health import Cooldown
from gateway.live import Snapshot
from gateway.providers.faults import Fault, FaultKind
from gateway.server.sessions import MAX_LENGTH
from gateway.simulator.cards import SIMULATE_HEADER
from tests.execution.providers import Visit, raw, simulated
from tests.execution.spine import ALPHA, BRAVO, DELTA, Spine, opened, snapshot_of

NOW = 1_000.0
EVERYBODY = ("sim-alpha", "sim-bravo", "sim-delta")


def fault(kind: FaultKind, wait: float | None = None) -> Fault:
    return Fault(kind, 500, wait, "words", b"", "")


def put_out(spine: Spine, target: str, kind: FaultKind, times: int = 1, wait: float | None = None) -> None:
    """Have this target fail so often."""
    column = spine.snapshot.chat.targets.ids.index(target)
    for _ in range(times):
        spine.live.current.chat.health.failed(column, monotonic(), fault(kind, wait))


async def test_no_more_targets_are_tried_than_the_router_allows() -> None:
    async with simulated(*EVERYBODY) as simulator, opened(snapshot_of(simulator.ports, {"max_attempts": 2})) as spine:
        reply = await spine.ask(ALPHA, BRAVO, DELTA, simulate="F29")
        assert (reply.status, reply.faults) == (502, ["server_error", "server_error"])
        assert reply.headers["x-steelyard-fallback"] == "true"
        assert await simulator.log("sim-delta") == []


async def test_one_attempt_switches_fallback_off() -> None:
    async with simulated(*EVERYBODY) as simulator, opened(snapshot_of(simulator.ports, {"max_attempts": 1})) as spine:
        reply = await spine.ask(ALPHA, BRAVO, simulate="sim-alpha=F29")
        assert (reply.status, reply.faults) == (502, ["server_error"])
        assert reply.headers["x-should-retry"] == "false"
        assert reply.headers["x-steelyard-fallback"] == "false"


async def test_the_total_time_ends_the_travelling() -> None:
    limits = {"first_token_seconds": 0.3, "total_seconds": 0.3}
    async with simulated(*EVERYBODY) as simulator, opened(snapshot_of(simulator.ports, limits)) as spine:
        reply = await spine.ask(ALPHA, BRAVO, DELTA, simulate="F08")
        assert (reply.status, reply.faults) == (504, ["header_timeout"])
        assert reply.json["error"]["code"] == "upstream_timeout"


@pytest.mark.parametrize(("stream", "first_seconds"), [(False, 0.1), (True, 0.3)], ids=["whole", "stream"])
async def test_a_target_that_gets_only_what_the_others_left_is_not_blamed(stream: bool, first_seconds: float) -> None:
    limits = {"first_token_seconds": first_seconds, "total_seconds": 0.6}  # a whole answer of one token gets 0.2 s more
    async with simulated(*EVERYBODY) as simulator, opened(snapshot_of(simulator.ports, limits)) as spine:
        reply = await spine.ask(ALPHA, BRAVO, stream=stream, simulate="F08", max_tokens=1)
        assert (reply.status, reply.faults) == (504, ["header_timeout", "header_timeout"])
        first, second = (spine.snapshot.chat.targets.ids.index(target) for target in (ALPHA, BRAVO))
        known, prior = spine.health.view(monotonic()).availability, spine.snapshot.chat.targets.prior.availability
        assert known[first] < 0.99 * prior[first]
        assert known[second] == pytest.approx(prior[second])


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_provider_that_stated_a_wait_is_not_called_inside_it(stream: bool) -> None:
    async with simulated("sim-alpha", "sim-bravo") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        await spine.ask(ALPHA, BRAVO, simulate="sim-alpha=F11;ra=30", stream=stream)
        for _ in range(5):
            reply = await spine.ask(ALPHA, BRAVO, stream=stream)
            assert (reply.status, reply.faults) == (200, [""])
        only = await spine.ask(ALPHA, stream=stream)
        assert (only.status, only.json["error"]["code"]) == (429, "rate_limit_exceeded")
        assert 25 <= int(only.headers["retry-after"]) <= 30
        assert len(await simulator.log("sim-alpha")) == 1


async def test_a_key_that_was_refused_is_told_as_such_also_while_it_cools() -> None:
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        first = await spine.ask(ALPHA, simulate="F21")
        second = await spine.ask("sim/swift-pro@sim-alpha")
        for reply in (first, second):
            assert (reply.status, reply.json["error"]["code"]) == (502, "upstream_credentials_exhausted")
        assert len(await simulator.log("sim-alpha")) == 1


async def test_after_a_fault_other_providers_go_first_also_those_beyond_the_plan() -> None:
    best = {"input_price_usd": 0.0, "output_price_usd": 0.0, "quality": 1.0, "first_token_seconds": 0.01}
    async with simulated("sim-alpha", "sim-charlie") as simulator:
        own = {
            "base_url": f"http://127.0.0.1:{simulator.ports['sim-alpha']}/v1",
            "models": [{"id": f"own/m{number}", **best} for number in range(20)],
            "headers": {SIMULATE_HEADER: "F29"},
        }
        snapshot = snapshot_of({"sim-charlie": simulator.ports["sim-charlie"]}, providers={"own": own})
        async with opened(snapshot) as spine:
            reply = await spine.ask(model="quality")
            providers = [attempt["target"].split("@")[1] for attempt in reply.json["steelyard"]["attempts"]]
            assert providers == ["own", "sim-charlie"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_two_broken_providers_do_not_use_up_the_attempts(stream: bool) -> None:
    providers = ("sim-alpha", "sim-bravo", "sim-charlie", "sim-delta")
    async with simulated(*providers) as simulator, opened(snapshot_of(simulator.ports)) as spine:
        for router in ("auto", "fast", "economy", "quality", "green"):
            reply = await spine.ask(model=router, simulate="sim-alpha=F29,sim-bravo=F29", stream=stream)
            assert reply.status == 200
            assert len(reply.faults) <= 3
            assert reply.headers["x-steelyard-provider"] in ("sim-charlie", "sim-delta")


async def test_an_explicit_chain_keeps_its_order_also_after_a_fault() -> None:
    async with simulated(*EVERYBODY) as simulator, opened(snapshot_of(simulator.ports)) as spine:
        second = "sim/swift-pro@sim-alpha"
        reply = await spine.ask(ALPHA, second, BRAVO, simulate=f"{ALPHA}=F29")
        assert [attempt["target"] for attempt in reply.json["steelyard"]["attempts"]] == [ALPHA, second]


async def test_a_model_that_is_gone_is_told_as_such_and_asked_for_again_when_there_is_no_other() -> None:
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        for attempts in (1, 2):
            reply = await spine.ask(ALPHA, simulate="F23")
            assert (reply.status, reply.json["error"]["code"]) == (404, "model_not_found")
            assert f"{ALPHA}: model_gone: " in reply.json["error"]["message"]
            assert len(await simulator.log("sim-alpha")) == attempts
        assert (await spine.ask(ALPHA)).status == 200


async def test_a_failed_requests_overhead_is_our_share_alone() -> None:
    async with simulated("sim-alpha") as simulator:
        patience = {"first_token_seconds": 0.5, "max_attempts": 1}
        async with opened(snapshot_of(simulator.ports, patience)) as spine:
            reply = await spine.ask(ALPHA, simulate="F08")
            assert reply.faults == ["header_timeout"]
            assert 0.0 < float(reply.headers["x-steelyard-overhead-ms"]) < 500.0


async def test_an_open_breaker_keeps_its_target_out_while_there_is_another() -> None:
    async with simulated("sim-alpha", "sim-bravo") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        put_out(spine, ALPHA, FaultKind.SERVER_ERROR, times=5)
        reply = await spine.ask(ALPHA, BRAVO)
        assert (reply.headers["x-steelyard-provider"], reply.faults) == ("sim-bravo", [""])
        assert await simulator.log("sim-alpha") == []


async def test_a_target_kept_out_is_tried_when_the_others_have_failed() -> None:
    async with simulated("sim-alpha", "sim-bravo") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        put_out(spine, ALPHA, FaultKind.SERVER_ERROR, times=5)
        reply = await spine.ask(ALPHA, BRAVO, simulate="sim-bravo=F29")
        assert (reply.status, reply.faults) == (200, ["server_error", ""])


async def test_when_every_breaker_is_open_the_best_target_is_tried_once() -> None:
    async with simulated("sim-alpha", "sim-bravo") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        for target in (ALPHA, BRAVO):
            put_out(spine, target, FaultKind.SERVER_ERROR, times=5)
        good = await spine.ask(ALPHA, BRAVO)
        assert (good.status, good.headers["x-steelyard-provider"]) == (200, "sim-alpha")
        for target in (ALPHA, BRAVO):
            put_out(spine, target, FaultKind.SERVER_ERROR, times=5)
        bad = await spine.ask(ALPHA, BRAVO, simulate="F29")
        assert (bad.status, bad.faults) == (502, ["server_error"])


async def test_the_callers_mistake_is_told_also_when_every_breaker_is_open() -> None:
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        put_out(spine, ALPHA, FaultKind.SERVER_ERROR, times=5)
        reply = await spine.ask(ALPHA, simulate="F26")
        assert (reply.status, reply.json["error"]["type"]) == (400, "invalid_request_error")


async def test_a_target_that_has_failed_is_not_asked_again_for_its_larger_window() -> None:
    async with simulated("sim-alpha", "sim-bravo") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        large = "sim/long-scroll@sim-bravo"
        reply = await spine.ask(large, ALPHA, simulate=f"{large}=F29,{ALPHA}=F27")
        assert reply.faults == ["server_error", "context_too_long"]
        assert (reply.status, reply.json["error"]["code"]) == (400, "context_length_exceeded")


async def test_only_headers_that_the_providers_row_names_travel_on() -> None:
    async def serve(visit: Visit) -> None:
        while True:
            await visit.request()
            await visit.answer()

    sent = [
        ("authorization", "Bearer sk-steelyard-caller"),
        ("x-api-key", "sk-steelyard-caller"),
        ("cookie", "session=1"),
        ("x-forwarded-for", "10.0.0.1"),
        ("openai-organization", "org-1"),
        ("x-steelyard-simulate", "OK"),
    ]
    async with raw(serve) as open_row, raw(serve) as closed_row:
        own = {"base_url": f"http://127.0.0.1:{closed_row.port}/v1", "models": [{"id": "own/model"}]}
        async with opened(snapshot_of({"sim-alpha": open_row.port}, providers={"own": own})) as spine:
            await spine.ask(ALPHA, headers=sent)
            await spine.ask("own/model@own", headers=sent)
        ours = ["content-length", "content-type", "host", "user-agent"]
        assert names(open_row.visits[0]) == sorted([*ours, "x-steelyard-simulate"])
        assert names(closed_row.visits[0]) == ours


def names(visit: Visit) -> list[str]:
    """The names of the first request's headers."""
    lines = visit.heads[0].decode().split("\r\n")[1:-2]
    return sorted(line.partition(":")[0].lower() for line in lines)


async def test_what_a_provider_got_is_the_callers_body_and_nothing_of_his_headers() -> None:
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        secret = ("authorization", "Bearer sk-steelyard-caller")
        reply = await spine.ask(ALPHA, headers=[secret], simulate="F78", user="me", max_tokens=500)
        echo = json.dumps(reply.text)
        assert "sk-steelyard-caller" not in echo
        assert "hello" in echo
        assert "me" in echo


@pytest.mark.parametrize(
    ("faults", "cooling", "status", "code", "retry_after"),
    [
        ("server_error", "", 502, "upstream_exhausted", None),
        ("server_error", "credentials=300", 502, "upstream_exhausted", None),
        ("connect no_answer broken_answer", "", 502, "upstream_exhausted", None),
        ("rate_limited=7 rate_limited=3", "", 429, "rate_limit_exceeded", 3.0),
        ("rate_limited", "", 429, "rate_limit_exceeded", 1.0),
        ("", "rate_limited=9 rate_limited=4", 429, "rate_limit_exceeded", 4.0),
        ("rate_limited=7", "rate_limited=2", 429, "rate_limit_exceeded", 2.0),
        ("rate_limited=7 server_error", "", 503, "overloaded", 7.0),
        ("server_error", "rate_limited=5", 503, "overloaded", 5.0),
        ("overloaded", "", 503, "overloaded", 5.0),
        ("overloaded=8 overloaded=6", "", 503, "overloaded", 6.0),
        ("", "model_gone=600", 502, "upstream_model_gone", None),
        ("model_gone", "", 502, "upstream_model_gone", None),
        ("quota_exhausted", "", 502, "upstream_quota_exhausted", None),
        ("", "quota_exhausted=300", 502, "upstream_quota_exhausted", None),
        ("credentials", "", 502, "upstream_credentials_exhausted", None),
        ("credentials permission quota_exhausted", "", 502, "upstream_credentials_exhausted", None),
        ("", "credentials=300", 502, "upstream_credentials_exhausted", None),
        ("credentials server_error", "", 502, "upstream_exhausted", None),
        ("header_timeout", "", 504, "upstream_timeout", None),
        ("connect_timeout first_token_timeout total_timeout", "", 504, "upstream_timeout", None),
        ("header_timeout server_error", "", 502, "upstream_exhausted", None),
        ("context_too_long", "", 400, "context_length_exceeded", None),
        ("context_too_long server_error", "", 400, "context_length_exceeded", None),
        ("too_large", "", 413, "payload_too_large", None),
        ("too_large server_error", "", 502, "upstream_exhausted", None),
    ],
)
def test_what_the_caller_hears_when_nobody_could(
    faults: str, cooling: str, status: int, code: str, retry_after: float | None
) -> None:
    def read(words: str) -> list[tuple[FaultKind, float | None]]:
        pairs = [word.partition("=") for word in words.split()]
        return [(FaultKind(kind), float(wait) if wait else None) for kind, _, wait in pairs]

    error: GatewayError = exhausted(
        [(f"failed/{place}@p", fault(kind, wait)) for place, (kind, wait) in enumerate(read(faults))],
        {f"cooling/{place}@p": Cooldown(NOW + (wait or 0.0), kind) for place, (kind, wait) in enumerate(read(cooling))},
        NOW,
    )
    assert (error.status, error.code, error.retry_after_seconds) == (status, code, retry_after)
    for place, (kind, _) in enumerate(read(faults)):
        assert f"failed/{place}@p: {kind.value}: words" in error.message
    for place, (kind, wait) in enumerate(read(cooling)):
        assert f"cooling/{place}@p: {kind.value} before, not asked again for {wait:.0f} s" in error.message


@pytest.mark.parametrize(
    ("change", "status"),
    [({}, 502), ({"key": "sk-new"}, 200), ({"path": "/v2"}, 200), ({"headers": {"x-org": "b"}}, 200)],
    ids=["nothing", "key", "base URL", "headers"],
)
async def test_after_a_reload_a_provider_cools_on_only_if_it_is_the_same(change: dict[str, Any], status: int) -> None:
    async def guard(visit: Visit) -> None:
        await visit.request()
        await visit.write(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{}")
        await visit.request()
        await visit.answer()

    def described(port: int, key: str = "sk-old", path: str = "/v1", headers: Mapping[str, str] = {}) -> Snapshot:
        url = f"http://127.0.0.1:{port}{path}"
        own = {"base_url": url, "api_key": "env:KEY", "headers": headers, "models": [{"id": "own/model"}]}
        return snapshot_of({}, providers={"own": own}, environ={"KEY": key})

    async with raw(guard) as server, opened(described(server.port)) as spine:
        assert (await spine.ask("own/model@own")).status == 502
        spine.live.swap(described(server.port, **change))
        assert (await spine.ask("own/model@own")).status == status


async def test_a_receipt_keeps_no_more_of_a_sessions_name_than_a_name_needs() -> None:
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        assert (await spine.ask(ALPHA, user="u" * 500_000)).status == 200
        assert (await spine.ask(ALPHA, prompt_cache_key="u" * 500_000)).status == 200
        names = [receipt.session for receipt in spine.receipts]
        assert 0 < len(names[0]) <= MAX_LENGTH
        assert names[0] == names[1], "what is the same stays the same"


async def test_who_had_no_time_left_to_ask_anybody_does_not_speak_of_rate_limits() -> None:
    at_once = {"total_seconds": 1e-9}
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports, at_once)) as spine:
        reply = await spine.ask(ALPHA)
        assert (reply.status, reply.json["error"]["code"]) == (504, "upstream_timeout")
        assert await simulator.log("sim-alpha") == []
