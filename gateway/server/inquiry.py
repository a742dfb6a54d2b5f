"""Questions about decisions and usage: the dry run, the full record of a decision, the caller's own spending."""

import asyncio
from collections.abc import Callable
from functools import partial
from time import monotonic, time
from typing import cast, get_args

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from core.scorer import Scorer
from gateway.accounting.ledger import Grouping, Ledger
from gateway.accounting.receipt import Receipt
from gateway.accounting.usage_report import parse_since, report
from gateway.dialects.anthropic.errors import count_tokens_body
from gateway.dialects.anthropic.prompt import parse_count
from gateway.dialects.codec import Asked, Identity
from gateway.dialects.contract import CallerFormat
from gateway.dialects.embeddings import EMBEDDINGS
from gateway.dialects.formats import CHAT, COMPLETIONS, GEMINI, MESSAGES, RESPONSES
from gateway.dialects.gemini.count import count_answer, counted_body
from gateway.errors import InvalidRequest, NotFound
from gateway.live import Snapshot
from gateway.routing.describe import describe, describe_inputs
from gateway.routing.explain import DecisionRecord, record
from gateway.routing.plan import Decision
from gateway.routing.session import NOTHING, thread_of
from gateway.server.auth import Caller
from gateway.server.inference import decide
from gateway.server.limits import read_body
from gateway.server.listings import anthropic_list, anthropic_row, clawrouter_catalog, gemini_list, gemini_row
from gateway.server.models import ModelIndex, ModelRow
from gateway.server.state import State
from gateway.server.understanding import understand
from gateway.telemetry.metrics import CONTENT_TYPE, Figures, text_of
from gateway.wire.prompt import Prompt

ENCODE = msgspec.json.Encoder().encode
FORMATS: dict[str, CallerFormat] = {
    "chat": CHAT,
    "completions": COMPLETIONS,
    "responses": RESPONSES,
    "messages": MESSAGES,
    "gemini": GEMINI,
    "embeddings": EMBEDDINGS,
}


class Remembrance(msgspec.Struct, frozen=True):
    """A decision with what came of it. `decision` is null once it has left the memory; the receipt stays."""

    id: str
    receipt: Receipt
    decision: DecisionRecord | None


class Found(msgspec.Struct, frozen=True, array_like=True):
    """A decision that another worker of this host has."""

    key: str  # name of the caller's key
    body: bytes  # the answer to whoever may see it


FOUND = msgspec.msgpack.Decoder(Found).decode
PACK = msgspec.msgpack.Encoder().encode
WORKER = msgspec.msgpack.Decoder(tuple[int, Figures]).decode
DECISION, METRICS = "decision", "metrics"


class Inquiry:
    """The endpoints that answer questions; none of them calls a provider."""

    def __init__(self, state: State, ledger: Ledger, metrics: Callable[[], Figures]) -> None:
        self._state = state
        self._metrics = metrics
        self._ledger = ledger
        self._models = ModelIndex(state.live.current)
        state.live.on_swap(self._follow)
        state.neighbours.on(DECISION, self._asked_by_another)
        state.neighbours.on(METRICS, self._measured_for_another)

    async def models(self, request: Request) -> Response:
        """GET /v1/models, in the shape of the caller's API: Google's SDKs come here too."""
        if "x-goog-api-client" in request.headers:
            return await self.gemini_models(request)
        self._caller(request)
        is_anthropic = "anthropic-version" in request.headers
        return answer(anthropic_list(self._models.writers) if is_anthropic else self._models.all)

    async def gemini_models(self, request: Request) -> Response:
        """GET /v1beta/models"""
        self._caller(request)
        return answer(gemini_list(self._models.writers))

    async def gemini_model(self, request: Request) -> Response:
        """GET /v1beta/models/{id}"""
        return answer(ENCODE(gemini_row(self._model(request))))

    async def catalog(self, request: Request) -> Response:
        """GET /v1/catalog, for OpenClaw's ClawRouter plugin."""
        self._caller(request)
        return answer(clawrouter_catalog(self._models.writers))

    async def count_tokens(self, request: Request) -> Response:
        """POST /v1/messages/count_tokens: our own count, within a few percent of the provider's."""
        self._caller(request)
        return answer(count_tokens_body(await self._count(parse_count, await self._body(request))))

    async def gemini_count_tokens(self, request: Request) -> Response:
        """POST /v1beta/models/{model}:countTokens"""
        self._caller(request)
        return answer(count_answer(await self._count(GEMINI.parse, counted_body(await self._body(request)))))

    async def _body(self, request: Request) -> bytes:
        limit = self._state.live.current.settings.server.max_body_bytes
        return await read_body(request.scope, request.receive, limit)

    async def _count(self, parse: Callable[[bytes, str], Prompt], body: bytes) -> int:
        _, profile = await understand(body, lambda body: parse(body, "any"), describe)
        return round(profile.figures.input_tokens)

    async def model(self, request: Request) -> Response:
        """GET /v1/models/{id}: an id of the list, or any other name that a request may have as its `model`."""
        if "x-goog-api-client" in request.headers:
            return await self.gemini_model(request)
        row = self._model(request)
        return answer(ENCODE(anthropic_row(row) if "anthropic-version" in request.headers else row))

    def _model(self, request: Request) -> ModelRow:
        self._caller(request)
        return self._models.one(request.path_params["model_id"], request.path_params.get("router", ""))

    async def route(self, request: Request) -> Response:
        """POST /v1/route?api=chat: the decision for this body of that API, in full, without calling anybody."""
        caller = self._caller(request)
        snapshot = self._state.live.current
        inbound = format_named(request.query_params.get("api", "chat"))
        market, describes = (
            (snapshot.embeddings, describe_inputs) if inbound is EMBEDDINGS else (snapshot.chat, snapshot.describe)
        )
        body = await read_body(request.scope, request.receive, snapshot.settings.server.max_body_bytes)
        router = request.path_params.get("router", "")
        parse = partial(inbound.parse, default_model=router or snapshot.settings.default_router)
        prompt, profile = await understand(body, parse, describes)
        asked = Asked(prompt, inbound, Identity("", 0))
        thread = thread_of(prompt, profile.figures.input_tokens, caller.name) if market is snapshot.chat else None
        found = NOTHING if thread is None else self._state.sessions.recall(thread, monotonic())
        decision = decide(market, asked, profile, router, caller.may_use, found)
        return answer(ENCODE(await self._record(decision, "")))

    async def decision(self, request: Request) -> Response:
        """GET /v1/decisions/{id}: every candidate's figures, every exclusion's reason, and the receipt."""
        caller = self._caller(request)
        decision_id = request.path_params["decision_id"]
        kept = self._state.decisions.find(decision_id)
        if kept is None and (elsewhere := await self._state.neighbours.ask(DECISION, decision_id.encode())):
            found = FOUND(elsewhere[0])
            if found.key == caller.name:
                return answer(found.body)
        receipt = kept.receipt if kept is not None else await asyncio.to_thread(self._ledger.find, decision_id)
        if receipt is None or receipt.key != caller.name:
            raise NotFound(f"There is no decision {decision_id[:64]} of yours; its id is in x-steelyard-decision")
        return answer(await self._told(decision_id, receipt, None if kept is None else kept.decision))

    async def _told(self, decision_id: str, receipt: Receipt, decision: Decision | None) -> bytes:
        full = None if decision is None else await self._record(decision, decision_id)
        return ENCODE(Remembrance(decision_id, receipt, full))

    async def _asked_by_another(self, said: bytes, sender: int) -> bytes:
        """The decision for another worker, whose caller wants to see it."""
        decision_id = said.decode()
        kept = self._state.decisions.find(decision_id)
        if kept is None:
            return b""
        return PACK(Found(kept.receipt.key, await self._told(decision_id, kept.receipt, kept.decision)))

    async def usage(self, request: Request) -> Response:
        """GET /v1/usage?by=model&since=7d: what the caller's own key has used."""
        caller = self._caller(request)
        now = time()
        by = grouping(request.query_params.get("by", "model"))
        since = parse_since(request.query_params.get("since", "30d"), now)
        rows = await asyncio.to_thread(self._ledger.usage, since, now, by, caller.name)
        total = await asyncio.to_thread(self._ledger.usage, since, now, "total", caller.name)
        return answer(ENCODE(report(by, since, now, rows, total)))

    async def metrics(self, request: Request) -> Response:
        """GET /metrics, of all workers, for who has a key where there are keys."""
        self._caller(request)
        neighbours = self._state.neighbours
        workers = dict(map(WORKER, await neighbours.ask(METRICS, b"")))
        workers[neighbours.number] = self._metrics()
        return Response(text_of(workers), headers={"content-type": CONTENT_TYPE})

    def _measured_for_another(self, said: bytes, sender: int) -> bytes:
        return PACK((self._state.neighbours.number, self._metrics()))

    async def health(self, request: Request) -> Response:
        """GET /healthz: the process is alive."""
        return answer(b'{"status":"ok"}')

    async def ready(self, request: Request) -> Response:
        """GET /readyz: requests can be served."""
        targets = len(self._state.live.current.chat.targets.ids)
        is_ready = self._state.is_ready and targets > 0
        body = ENCODE({"status": "ready" if is_ready else "not ready", "targets": targets})
        return Response(body, 200 if is_ready else 503, media_type="application/json")

    async def _record(self, decision: Decision, decision_id: str) -> DecisionRecord:
        # A Scorer is for one thread only, so the thread gets its own.
        alone = replace(decision, scorer=Scorer(decision.targets.matrix))
        return await asyncio.to_thread(record, alone, decision_id)

    def _caller(self, request: Request) -> Caller:
        """Who asks. Below a router's path there has to be that router."""
        caller = self._state.callers.identify(request.scope["headers"], request.scope["query_string"])
        router = request.path_params.get("router", "")
        if router:
            self._state.live.current.chat.selector.router(router)
        return caller

    def _follow(self, snapshot: Snapshot) -> None:
        self._models = ModelIndex(snapshot)


def format_named(api: str) -> CallerFormat:
    """The format of an API by the last word of its path, or InvalidRequest."""
    if api not in FORMATS:
        raise InvalidRequest(f"api is {api[:40]!r}; one of {', '.join(FORMATS)} is expected", param="api")
    return FORMATS[api]


def grouping(text: str) -> Grouping:
    """What usage can be grouped by, or InvalidRequest."""
    for known in get_args(Grouping):
        if text == known:
            return cast("Grouping", known)
    raise InvalidRequest(f"by is {text[:40]!r}; one of {', '.join(get_args(Grouping))} is expected", param="by")


def answer(body: bytes) -> Response:
    return Response(body, media_type="application/json")
