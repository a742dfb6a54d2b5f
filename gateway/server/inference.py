"""One request from its first byte to its receipt: the only place that shows all of it."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic, time

from msgspec.structs import replace

from gateway.accounting.receipt import Receipt
from gateway.dialects.checked_calls import CallsOfStream, is_malformed_in
from gateway.dialects.codec import Asked, Identity
from gateway.dialects.contract import CallerFormat
from gateway.dialects.formats import GEMINI, GEMINI_ARRAY
from gateway.errors import GatewayError, MethodNotAllowed, Overloaded, Unauthorized
from gateway.execution.attempt import Begun, Whole
from gateway.execution.errand import Arrival, Errand
from gateway.execution.lines import lossless
from gateway.execution.outcome import learn, receipt_of_answer, receipt_of_failure, receipt_of_refusal, spent_by
from gateway.execution.partial import partial_of
from gateway.execution.resume import resume
from gateway.execution.run import carry
from gateway.execution.spending import Spent
from gateway.execution.stream import pump
from gateway.live import Market
from gateway.providers.faults import Fault, FaultKind
from gateway.routing.describe import Profile
from gateway.routing.plan import Decision, make_plan, preferring
from gateway.routing.session import NOTHING, Recollection, Thread, column_of, thread_of, with_cache
from gateway.routing.wishes import narrowed, without_suffix
from gateway.server.clients import is_told_usage
from gateway.server.limits import CallerGone, Message, Receive, Scope, Send, read_body
from gateway.server.metadata import cost_header, headers_of, loss_header, metadata_of, request_ids
from gateway.server.protocol import EXTENSION
from gateway.server.replays import (
    ANSWERED,
    LONGEST_REQUEST_SECONDS,
    PACK,
    REPLAY,
    Claim,
    Repeated,
    claim_of,
    fingerprint,
    key_of,
    reused,
)
from gateway.server.replies import Headers, retry_headers, send_json, start_stream
from gateway.server.sessions import session_of
from gateway.server.shadow_calls import Sample
from gateway.server.state import State
from gateway.server.understanding import Describe, Parse, understand
from gateway.wire.prompt import Prompt

log = logging.getLogger("steelyard")

STOPPED = Fault(FaultKind.STOPPED, None, None, "the gateway is being shut down", b"", "")
STOPPED_SECONDS = 5.0  # a restart is over by then
REPLAYED = (b"x-steelyard-replayed", b"true")
METADATA_OFF = (b"x-steelyard-metadata", b"off")
METADATA_ON = {(b"x-steelyard-metadata", b"on"), (b"x-openrouter-metadata", b"enabled")}  # OpenRouter's clients send it


class Generation:
    """An endpoint that answers what callers of one format ask, also below /routers/{router}."""

    def __init__(self, state: State, inbound: CallerFormat) -> None:
        self._state = state
        self._inbound = inbound

    def exchange(self, scope: Scope, send: Send) -> "Exchange":
        """A new one, knowing the caller's format and how to read a body of it."""
        parse = partial(self._inbound.parse, default_model=default_model(scope, self._state))
        return Exchange(self._state, scope, send, self._inbound, parse)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = self.exchange(scope, send)
        try:
            await exchange.serve(receive)
        except GatewayError as error:
            await exchange.refuse(error)
        except CallerGone:
            exchange.abandon()
        except asyncio.CancelledError:
            if exchange.caller_left:
                exchange.abandon()
            else:
                await exchange.interrupt()
                raise
        except Exception:
            log.exception("decision %s ended in a fault of ours", exchange.arrival.id)
            await exchange.refuse(GatewayError("Steelyard made a mistake; the decision's id finds it in the log"))


class GeminiGeneration(Generation):
    """Google's way: the URL names the model and whether to stream, "/models/auto:streamGenerateContent"."""

    def exchange(self, scope: Scope, send: Send) -> "Exchange":
        """Without `alt=sse` a stream is a JSON array."""
        model = scope["path_params"]["call"] or default_model(scope, self._state)
        is_stream = scope["path"].endswith(":streamGenerateContent")
        inbound = GEMINI_ARRAY if is_stream and b"alt=sse" not in scope["query_string"] else GEMINI
        parse = partial(inbound.parse, default_model=model, stream=is_stream)
        return Exchange(self._state, scope, send, inbound, parse)


class Exchange:
    """One request and its answer."""

    def __init__(self, state: State, scope: Scope, send: Send, inbound: CallerFormat, parse: Parse) -> None:
        now = monotonic()
        self.inbound = inbound
        self.parse = parse
        self.state = state
        self.snapshot = state.live.current  # one for the request's whole life, even across a reload
        self.market: Market = self.snapshot.chat
        self.describe: Describe = self.snapshot.describe
        self.scope = scope
        self.send = send
        self.arrival = Arrival(state.ids.next(), time(), now, now, "")
        self.prompt: Prompt | None = None
        self.errand: Errand | None = None
        self.begun: Begun | None = None
        self.recorded = False
        self.caller_left = False
        self.listens = False
        self.claim: Claim | None = None  # of a request with an Idempotency-Key
        self.messages: list[Message] = []  # what went to the caller of such a request
        self.is_answered = False
        self.thread: Thread | None = None  # the conversation that the request continues
        self.sample: Sample | None = None  # for a shadow evaluation

    async def serve(self, receive: Receive) -> None:
        """From the body to the last byte of the answer; raises what the caller must be told instead."""
        scope, state = self.scope, self.state
        if scope["method"] != "POST":
            raise MethodNotAllowed(scope["method"], scope["path"], "POST")
        caller = state.callers.identify(scope["headers"], scope["query_string"])
        state.gate.enter()
        try:
            body = await read_body(scope, receive, self.snapshot.settings.server.max_body_bytes)
            self.arrival = replace(self.arrival, received=monotonic(), key=caller.name)
            if (key := key_of(scope)) and await self.repeated(claim_of(scope, caller.name, key), body):
                return
            if state.neighbours.exist:
                await self.prepare(body)
            prompt, profile = await understand(self.completed(body), self.parse, self.describe)
            errand = self.errand = self.decide(prompt, profile, caller.may_use)
            if state.shadows.share and self.market is self.snapshot.chat:
                self.sample = state.shadows.sample(self.snapshot, errand)
                self.send = self.send if self.sample is None else self.sample.copying(self.send)
            self.hear_when_caller_leaves()
            answer = await carry(errand)
            await (self.reply_stream(errand, answer) if isinstance(answer, Begun) else self.reply(errand, answer))
        finally:
            if self.begun is not None:
                self.begun.close()
            if self.claim is not None:
                is_whole = self.is_answered and not self.messages[-1].get("more_body", True)
                state.replays.settle(self.claim, self.messages if is_whole else [])
            if self.sample is not None:
                state.shadows.answered(self.sample)
            self.stop_listening()
            state.gate.leave()

    async def repeated(self, claim: Claim, body: bytes) -> bool:
        """Whether this request has had its answer before, and has it again now. Else it is noted for the next time."""
        earlier = await self.state.replays.claim(claim, body)
        if not earlier:
            self.claim = claim
            earlier = await self.answered_elsewhere(claim, body)
        if not earlier:
            self.send = keeping(self.send, self.messages)
            return False
        self.recorded = True
        first, *rest = earlier
        await self.send({**first, "headers": [*first["headers"], REPLAYED]})
        for message in rest:
            await self.send(dict(message))
        return True

    async def answered_elsewhere(self, claim: Claim, body: bytes) -> list[Message]:
        """The answer that another worker of this host gave to the same request, or is about to give."""
        replays, neighbours = self.state.replays, self.state.neighbours
        if not neighbours.exist:
            return []
        with replays.asking(claim):
            question = PACK(Repeated(claim, fingerprint(body)))
            told = await neighbours.ask(REPLAY, question, LONGEST_REQUEST_SECONDS)
        for answered in map(ANSWERED, told):
            if answered.is_other:
                raise reused()
            messages: list[Message] = list(answered.messages)
            replays.settle(claim, messages)
            self.claim = None
            return messages
        return []

    async def prepare(self, body: bytes) -> None:
        """Get from the other workers what the body only names."""

    def completed(self, body: bytes) -> bytes:
        """The body with everything that it only names. Raises InvalidRequest."""
        return body

    def answered(self, body: bytes) -> None:
        """Take note of a whole answer, or of the last events of a stream, as the caller gets them."""

    def decide(self, prompt: Prompt, profile: Profile, may_use: Callable[[str], None]) -> Errand:
        """Prompt to plan: one synchronous call, no I/O."""
        snapshot, headers = self.snapshot, self.scope["headers"]
        session = session_of(headers, prompt.session)
        self.prompt = prompt = replace(prompt, session=session) if session != prompt.session else prompt
        if is_told_usage(prompt, headers, snapshot.settings.metadata.stream_usage) and not prompt.wants_usage:
            self.prompt = prompt = replace(prompt, wants_usage=True)
        asked = Asked(prompt, self.inbound, Identity(self.arrival.id, int(self.arrival.unix)))
        now = monotonic()
        if self.market is snapshot.chat:
            self.thread = thread_of(prompt, profile.figures.input_tokens, self.arrival.key)
        found = NOTHING if self.thread is None else self.state.sessions.recall(self.thread, now)
        decision = decide(self.market, asked, profile, router_of(self.scope), may_use, found)
        return Errand(
            arrival=self.arrival,
            asked=asked,
            decision=decision,
            lines=self.market.lines,
            health=self.market.health,
            transport=self.state.transport,
            fallback=decision.policy.settings.fallback,
            caller_headers=headers,
            catalog_version=snapshot.catalog.version,
            standings=1 + snapshot.settings.metadata.alternatives,
            retries=self.state.retries,
            hedges=self.state.hedges,
            packer=self.market.packer,
            recollection=found,
        )

    async def reply(self, errand: Errand, answer: Whole) -> None:
        """A whole answer, with what it cost and why it came from where it did."""
        spent = spent_by(errand, answer)
        learn(errand, answer, spent)
        self.remember(errand, answer, spent)
        errand.answered_at = answer.timing.ended
        is_malformed = self.looks_at_calls(errand) and is_malformed_in(answer.body, self.inbound.name)
        receipt = receipt_of_answer(errand, answer, spent, "ok", malformed_call=is_malformed)
        body = self.inbound.attach(answer.body, metadata_of(receipt)) if self.wants_metadata() else answer.body
        self.record(receipt)
        self.is_answered = True
        self.answered(body)
        extra = (*cost_header(receipt.cost_nano_usd), *loss_header(receipt.losses))
        await send_json(self.send, 200, body, [*answer_headers(receipt), *extra])

    async def reply_stream(self, errand: Errand, begun: Begun) -> None:
        """A stream past its commit point: from here on no fault can be hidden."""
        self.begun = begun
        calls = begun.calls = CallsOfStream(self.inbound.name) if self.looks_at_calls(errand) else None
        await start_stream(self.send, stream_headers(errand, begun), of_events=self.inbound is not GEMINI_ARRAY)
        while (fault := await pump(begun, errand.fallback, self.write)) is not None:
            errand.health.failed(begun.call.column, monotonic(), fault, begun.call.key)
            begun.is_settled = True
            if held := begun.release():
                await self.write(held)
            following = await resume(errand, begun, spent_by(errand, begun), fault)
            if following is None:
                break
            self.begun = begun = following
            begun.calls = calls
        spent = spent_by(errand, begun)
        if fault is None:
            learn(errand, begun, spent)
            self.remember(errand, begun, spent)
        is_malformed = calls is not None and fault is None and calls.is_malformed()
        receipt = receipt_of_answer(errand, begun, spent, "ok" if fault is None else "cut", fault, is_malformed)
        metadata = metadata_of(receipt) if self.wants_metadata() else None
        whole = spent.with_earlier(errand.earlier)
        last = begun.closing(metadata, whole.usage) if fault is None else cut_off(errand, begun, fault, metadata)
        self.record(receipt)
        self.is_answered = fault is None
        self.answered(last)
        self.stop_listening()  # what the connection hears from here on is the next request's
        await self.send({"type": "http.response.body", "body": last, "more_body": False})
        if fault is None:
            await begun.read_rest()

    def looks_at_calls(self, errand: Errand) -> bool:
        """Whether anybody learns from it."""
        learning = self.snapshot.settings.learning
        return learning.implicit and learning.enabled and errand.prompt.tool_count > 0

    def remember(self, errand: Errand, answer: Whole | Begun, spent: Spent) -> None:
        """Note who has answered, for the next turn of the conversation, and for a judge."""
        if self.sample is not None and not errand.earlier:
            self.sample.column = answer.call.column
        if self.thread is not None:
            line = errand.lines[answer.call.column]
            ratio = float(errand.decision.targets.matrix.token_ratio[line.column])
            self.state.sessions.keep(
                self.thread, line.target, answer.call.key, spent.usage, line.caching, ratio, monotonic()
            )

    def write(self, piece: bytes) -> Awaitable[None]:
        return self.send({"type": "http.response.body", "body": piece, "more_body": True})

    async def refuse(self, error: GatewayError) -> None:
        """The error, in the caller's dialect, with the headers that every answer has."""
        if self.recorded:
            return
        if self.begun is not None and self.errand is not None:  # too late for a status; the connection just ends
            self.give_up(self.errand, self.begun, "cut")
            return
        if isinstance(error, Unauthorized | MethodNotAllowed):  # no trace in the ledger, or strangers could fill it
            body = self.inbound.error_body(error, None)
            await send_json(self.send, error.status, body, [*request_ids(self.arrival.id), *retry_headers(error)])
            return
        receipt = self.receipt_of(error)
        self.record(receipt)
        if self.errand is not None and self.wants_metadata():
            body = self.inbound.attach(self.inbound.error_body(error, None), metadata_of(receipt))
        else:
            body = self.inbound.error_body(error, receipt.id)
        await send_json(self.send, error.status, body, [*answer_headers(receipt), *retry_headers(error)])

    def receipt_of(self, error: GatewayError) -> Receipt:
        if self.errand is not None:
            return receipt_of_failure(self.errand, error.status, "refused" if error.status < 500 else "failed")
        return receipt_of_refusal(self.arrival, error, self.inbound.name, self.prompt)

    def abandon(self) -> None:
        """The caller hung up, or we are stopped: what was delivered is billed, nothing more is fetched."""
        if self.recorded or self.errand is None:
            return
        if self.begun is None:
            self.record(receipt_of_failure(self.errand, 499, "disconnected"))
        else:
            self.give_up(self.errand, self.begun, "disconnected")

    async def interrupt(self) -> None:
        """We are stopped: the caller is told, as far as he can be, and what was delivered is billed."""
        if self.recorded:
            return
        self.stop_listening()
        if self.begun is None or self.errand is None:
            await self.refuse(Overloaded("This server is being shut down", retry_after_seconds=STOPPED_SECONDS))
            return
        begun = self.begun
        self.let_go(self.errand, begun)
        receipt = receipt_of_answer(self.errand, begun, spent_by(self.errand, begun), "cut", STOPPED)
        self.record(receipt)
        last = cut_off(self.errand, begun, STOPPED, metadata_of(receipt) if self.wants_metadata() else None)
        await self.send({"type": "http.response.body", "body": last, "more_body": False})

    def give_up(self, errand: Errand, begun: Begun, outcome: str) -> None:
        """A stream that ends for no reason of its provider's."""
        self.let_go(errand, begun)
        self.record(receipt_of_answer(errand, begun, spent_by(errand, begun), outcome))

    def let_go(self, errand: Errand, begun: Begun) -> None:
        """Free the place that it has had, unless that is done: while somebody is looked for who goes on."""
        if not begun.is_settled:
            begun.is_settled = True
            errand.health.given_up(begun.call.column, begun.call.key)

    def record(self, receipt: Receipt) -> None:
        self.recorded = True
        self.state.record(receipt, None if self.errand is None else self.errand.decision)

    def wants_metadata(self) -> bool:
        headers = self.scope["headers"]
        if self.snapshot.settings.metadata.body:
            return METADATA_OFF not in headers
        return not METADATA_ON.isdisjoint(headers)

    def hear_when_caller_leaves(self) -> None:
        """Ask the connection to cancel this request when it is lost. Without our protocol nobody tells.

        Raises CallerGone when that has happened while a long body was read.
        """
        connection = self.scope.get("extensions", {}).get(EXTENSION)
        task = asyncio.current_task()
        if connection is None or task is None:
            return
        if connection.is_gone:
            raise CallerGone

        def leave() -> None:
            self.caller_left = True
            task.cancel()

        connection.on_gone = leave
        self.listens = True

    def stop_listening(self) -> None:
        if self.listens:
            self.listens = False
            self.scope["extensions"][EXTENSION].on_gone = None


def keeping(send: Send, messages: list[Message]) -> Send:
    """Sends, and takes note of what was sent."""

    async def send_and_keep(message: Message) -> None:
        messages.append(message)
        await send(message)

    return send_and_keep


def router_of(scope: Scope) -> str:
    """That of the base URL, or ""."""
    router: str = scope.get("path_params", {}).get("router", "")
    return router


def default_model(scope: Scope, state: State) -> str:
    """What a request that names no model asks for."""
    return router_of(scope) or state.live.current.settings.default_router


def decide(
    market: Market, asked: Asked, profile: Profile, router: str, may_use: Callable[[str], None], found: Recollection
) -> Decision:
    """Rank every target of the market for this request; those that would lose something of it come last.

    router: that of the base URL, or "". found: what is known of the conversation that the request continues.
    Raises UnknownModel, Forbidden (by `may_use`), NothingEligible, ContextTooLong.
    """
    prompt = without_suffix(asked.prompt)
    selection = market.selector.select(prompt.model, prompt.chain, router)
    if prompt.wishes is not None:
        selection = narrowed(selection, prompt.wishes, market.targets, market.policies)
    for name in selection.routers:
        may_use(name)
    live = market.health.view(monotonic(), profile.figures.input_tokens)
    stay = None
    if found.branches and selection.legs[0].policy.settings.sessions:
        profile = replace(profile, figures=with_cache(profile.figures, found, market.targets))
        stay = column_of(found.stay, market.targets)
    pick = random.random()  # noqa: S311
    may_explore = not prompt.is_in_tool_loop
    decision = make_plan(selection, profile, market.targets, market.scorer, live, pick, stay, may_explore)
    preferred = lossless(market.lines, asked)
    return preferring(decision, preferred) if preferred else decision


def answer_headers(receipt: Receipt) -> Headers:
    return headers_of(
        receipt.id,
        receipt.router,
        receipt.model,
        receipt.provider,
        len(receipt.attempts),
        receipt.fallback,
        receipt.overhead_seconds,
    )


def stream_headers(errand: Errand, begun: Begun) -> Headers:
    """As of the commit point: what comes later (cost, usage) is in the `steelyard` object of the last chunk."""
    column = begun.call.column
    offer = errand.decision.targets.offers[column]
    headers = headers_of(
        errand.arrival.id,
        errand.decision.policy.name,
        offer.model,
        offer.provider,
        len(errand.attempts) + 1,
        errand.is_fallback(column),
        errand.overhead_seconds(),
    )
    return headers + loss_header(begun.call.losses)


def cut_off(errand: Errand, begun: Begun, fault: Fault, metadata: bytes | None) -> bytes:
    """The last chunk of a stream that broke: every SDK raises on it."""
    message = f"The answer broke off ({fault.kind.value}): {fault.message}"
    spent = spent_by(errand, begun).with_earlier(errand.earlier)
    return begun.cut(message, 502, fault.kind.value, metadata, partial_of(errand, begun, spent, fault))
