"""One try of one target, up to the commit point. A fault is a value here, never an exception."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from time import monotonic, time

import aiohttp
from msgspec import Struct
from yarl import URL

from gateway.accounting.receipt import AttemptRecord
from gateway.dialects.checked_calls import CallsOfStream
from gateway.dialects.codec import AnswerFacts, Asked, Codec, Relay
from gateway.execution.headroom import Headroom
from gateway.providers.faults import Fault, FaultKind, classify_answer, classify_error_object
from gateway.providers.key_guard import Guarded, KeyGuard, Keys, prepared
from gateway.providers.unquoted import unquoted
from gateway.transport.logins import Login
from gateway.transport.send import Departure, Transport, TransportFailure, next_chunk, read_whole
from gateway.wire.conversation import Loss
from gateway.wire.delta import Usage
from gateway.wire.partial import Partial

log = logging.getLogger("steelyard")

LONG_ANSWER_BYTES = 2**20  # is read on a thread: the event loop has others to serve
MAX_ERROR_BYTES = 256 * 2**10
REST_SECONDS = 0.5  # the end of a body follows its last event at once, or somebody holds the connection open
MAX_PREAMBLE_BYTES = 2**20  # of a stream's events before its first content; a role and some settings are usual

KIND_OF_CAUSE: dict[str, FaultKind] = {
    "connect": FaultKind.CONNECT,
    "connect_timeout": FaultKind.CONNECT_TIMEOUT,
    "tls": FaultKind.TLS,
    "no_answer": FaultKind.NO_ANSWER,
    "broken": FaultKind.BROKEN_ANSWER,
    "credentials": FaultKind.CREDENTIALS,
}


class Call(Struct, frozen=True, gc=False):
    """Everything that one attempt needs to be sent."""

    column: int
    target: str
    provider: str
    model: str  # as the provider calls it
    url: URL
    proxy: URL | None
    headers: Mapping[str, str]
    codec: Codec
    asked: Asked
    body: bytes
    losses: tuple[Loss, ...]
    connect_seconds: float
    patience_seconds: float  # until the whole answer, or a stream's first content
    over_at: float  # monotonic second at which the whole request must be over, all attempts included
    is_first: bool  # no other attempt has taken of that time
    secrets: Sequence[str]  # never to be seen in a fault's message; grows while a login is renewed
    fixed_secrets: Sequence[str]  # the same, of what the settings say
    guarded: Guarded  # of the fixed ones, what no good answer may repeat either
    max_answer_bytes: int
    headroom: Headroom  # learns what good answers say of it
    key: int  # which of the provider's keys, from 0
    key_count: int
    login: Login | None = None  # what lets us in, where `headers` do not
    departure: Departure | None = None  # of a call that another may outpace

    def all_secrets(self) -> tuple[str, ...]:
        """As of now."""
        return (*self.secrets, *self.fixed_secrets)

    def keys(self) -> Keys | None:
        """What the answer that has come must not repeat; as of now."""
        return prepared((*self.guarded.texts, *self.secrets))

    def repeated(self) -> None:
        """The provider has put one of them into an answer. Told once, until the settings are read again."""
        if not self.guarded.is_told:
            self.guarded.is_told = True
            log.warning("%s repeats our key in its answers; it is replaced by *** there", self.provider)


class Timing(Struct, gc=False):
    """Monotonic seconds; filled in as the attempt goes."""

    started: float
    headers: float = 0.0
    first_token: float = 0.0
    ended: float = 0.0
    caller_seconds: float = 0.0  # a duration: how long a stream waited for its caller to take what had come


class Whole(Struct, frozen=True, gc=False):
    """A complete answer that passed inspection, in the caller's format."""

    call: Call
    timing: Timing
    body: bytes
    facts: AnswerFacts


class Begun(Struct):
    """A stream past its first real content. `ready` goes out first; the rest is still with the provider."""

    call: Call
    timing: Timing
    response: aiohttp.ClientResponse | None  # None: it has ended already
    relay: Relay
    ready: bytes
    guard: KeyGuard | None = None  # None: there is no key to guard
    has_called: bool = False  # a tool call is among what went to the caller
    calls: CallsOfStream | None = None  # None: nobody looks whether its tool calls can be carried out
    is_settled: bool = False  # health has learned how it ended

    def feed(self, chunk: bytes) -> bytes:
        """What may go to the caller now."""
        ready = self.relay.feed(chunk)
        return self.passed(ready) if ready else b""

    def passed(self, ready: bytes) -> bytes:
        """The same without any key of ours."""
        guard = self.guard
        if guard is None:
            return ready
        clean = guard.pass_on(ready)
        if guard.has_found:
            self.call.repeated()
        return clean

    def closing(self, metadata: bytes | None, billed: Usage) -> bytes:
        """What is still to be sent, and the end of an answer that is whole."""
        return self._last(self.relay.closing(metadata, billed))

    def cut(self, message: str, code: int | str, error_type: str, metadata: bytes | None, partial: Partial) -> bytes:
        """What is still to be sent, and the end of an answer that broke off."""
        return self._last(self.relay.cut(message, code, error_type, metadata, partial))

    def release(self) -> bytes:
        """What was held because it looked like a key of ours; the stream ends here."""
        return self._last(b"")

    def _last(self, frames: bytes) -> bytes:
        if self.guard is None:
            return frames
        out = self.guard.pass_on(frames) + self.guard.flush()
        if self.guard.has_found:
            self.call.repeated()
        return out

    async def read_rest(self) -> None:
        """Read what is left behind the last event, so that the connection can be used again. Not for long."""
        if self.response is None or self.response.content.at_eof():
            return
        with contextlib.suppress(TransportFailure, TimeoutError):
            async with asyncio.timeout(REST_SECONDS):
                while not self.response.content.at_eof():
                    await next_chunk(self.response)

    def close(self) -> None:
        """Let go of the provider; its connection is kept only if the answer has been read to its end."""
        if self.response is not None:
            self.response.close()


async def fetch(call: Call, transport: Transport) -> Whole | Fault:
    """Send and read the whole answer."""
    timing = Timing(monotonic())
    response: aiohttp.ClientResponse | None = None
    try:
        async with asyncio.timeout(call.patience_seconds):
            response = await transport.post(
                call.url, call.headers, call.body, call.connect_seconds, call.proxy, call.login
            )
            timing.headers = monotonic()
            if response.status != 200:
                return await refusal(call, response)
            call.headroom.heard(call.column, call.key, response.headers, timing.headers, time())
            body = await read_whole(response, call.max_answer_bytes)
    except TransportFailure as failure:
        return transport_fault(call, failure, FaultKind.BROKEN_ANSWER if timing.headers else None)
    except TimeoutError:
        return timeout_fault(FaultKind.TOTAL_TIMEOUT if timing.headers else FaultKind.HEADER_TIMEOUT, call)
    finally:
        if response is not None:
            response.close()  # does nothing to one that was read to its end
    timing.ended = monotonic()
    if body is None:
        return oversized(call)
    if len(body) < LONG_ANSWER_BYTES:
        facts, answer = read_answer(call, body)
    else:
        facts, answer = await asyncio.to_thread(read_answer, call, body)
    return problem_of(call, facts) or Whole(call, timing, answer, facts)


def read_answer(call: Call, body: bytes) -> tuple[AnswerFacts, bytes]:
    """What a whole answer says, and the same as the caller gets it."""
    return call.codec.answer(without_keys(call, body), call.asked, call.model)


def without_keys(call: Call, body: bytes) -> bytes:
    """A whole answer of the provider's with *** in the place of our keys."""
    keys = call.keys()
    if keys is None:
        return body
    clean = keys.redact(body)
    if clean is not body:
        call.repeated()
    return clean


def oversized(call: Call) -> Fault:
    return Fault(FaultKind.OVERSIZED_ANSWER, 200, None, f"answer over {call.max_answer_bytes} bytes", b"", "")


def problem_of(call: Call, facts: AnswerFacts) -> Fault | None:
    """What is wrong with an answer that came with status 200, if anything is."""
    if facts.error is not None:
        return classify_error_object(call.provider, facts.error, 200, call.all_secrets())
    if facts.malformed:
        return Fault(FaultKind.BROKEN_ANSWER, 200, None, "the answer is not one in the provider's format", b"", "")
    if facts.empty:
        return Fault(FaultKind.EMPTY_ANSWER, 200, None, "the answer has no content", b"", "")
    return None


async def begin(call: Call, transport: Transport) -> Begun | Fault:
    """Send and read until the first real content, or the end; nothing has reached the caller by then."""
    timing = Timing(monotonic())
    relay = call.codec.relay(call.asked, call.model)
    response: aiohttp.ClientResponse | None = None
    begun: Begun | Fault | None = None
    try:
        async with asyncio.timeout(call.patience_seconds):
            response = await transport.post(
                call.url, call.headers, call.body, call.connect_seconds, call.proxy, call.login, call.departure
            )
            timing.headers = monotonic()
            if response.status != 200 or response.content_type == "text/html":
                return await refusal(call, response)
            call.headroom.heard(call.column, call.key, response.headers, timing.headers, time())
            if response.content_type == "application/json":
                return await whole_as_stream(call, timing, response, relay)
            keys = call.keys()
            begun = await first_content(
                Begun(call, timing, response, relay, b"", None if keys is None else KeyGuard(keys)), response
            )
            return begun
    except TransportFailure as failure:
        return transport_fault(call, failure, FaultKind.STREAM_CUT if timing.headers else None)
    except TimeoutError:
        return timeout_fault(FaultKind.FIRST_TOKEN_TIMEOUT if timing.headers else FaultKind.HEADER_TIMEOUT, call)
    finally:
        goes_on = isinstance(begun, Begun) and begun.response is not None
        if response is not None and not goes_on:
            response.close()


async def first_content(begun: Begun, response: aiohttp.ClientResponse) -> Begun | Fault:
    relay = begun.relay
    while not relay.started:
        chunk = await next_chunk(response)
        begun.ready += begun.feed(chunk)
        fault = stream_fault(begun.call, relay)
        if fault is not None:
            return fault
        if len(begun.ready) > MAX_PREAMBLE_BYTES:
            return Fault(FaultKind.OVERSIZED_ANSWER, 200, None, "events without content, without end", b"", "")
        if relay.done or response.content.at_eof():
            relay.end()
            begun.response = response if relay.done else None  # of its body perhaps the end is still to come
            return finished_early(begun)
    begun.timing.first_token = monotonic()
    return begun


def finished_early(begun: Begun) -> Begun | Fault:
    """The stream ended before anything was sent on: an honest answer has a finish and content, the rest is a fault."""
    relay, timing = begun.relay, begun.timing
    timing.first_token = timing.ended = monotonic()
    if not relay.complete and relay.malformed:
        return Fault(FaultKind.BROKEN_ANSWER, 200, None, "the stream is not one in the provider's format", b"", "")
    if not relay.complete:
        return Fault(FaultKind.STREAM_CUT, 200, None, "the stream ended before any content", b"", "")
    if relay.empty:
        return Fault(FaultKind.EMPTY_ANSWER, 200, None, "the stream finished without content", b"", "")
    return begun


def stream_fault(call: Call, relay: Relay) -> Fault | None:
    """What the relay found wrong in the stream, if anything."""
    if relay.error is not None:
        return classify_error_object(call.provider, relay.error, None, call.all_secrets())
    if relay.oversized:
        return Fault(FaultKind.OVERSIZED_ANSWER, 200, None, "one event is over the size limit", b"", "")
    return None


async def whole_as_stream(call: Call, timing: Timing, response: aiohttp.ClientResponse, relay: Relay) -> Begun | Fault:
    """Some servers answer a stream request with one JSON document."""
    body = await read_whole(response, call.max_answer_bytes)
    if body is None:
        return oversized(call)
    ready = relay.feed_answer(without_keys(call, body))
    relay.end()
    return stream_fault(call, relay) or finished_early(Begun(call, timing, None, relay, ready))


async def refusal(call: Call, response: aiohttp.ClientResponse) -> Fault:
    """Read an error answer, bounded, and name it."""
    body = await read_whole(response, MAX_ERROR_BYTES) or b""
    return classify_answer(call.provider, response.status, response.headers, body, call.all_secrets(), time())


def transport_fault(call: Call, failure: TransportFailure, after_headers: FaultKind | None) -> Fault:
    """A connection that broke. after_headers: what that means once the headers had come, None before."""
    return Fault(after_headers or KIND_OF_CAUSE[failure.cause], None, None, failure.detail, b"", "")


def timeout_fault(kind: FaultKind, call: Call) -> Fault:
    """A later target that was given only what the others had left of the total time has done nothing wrong."""
    told = f"nothing useful within {call.patience_seconds:g} s"
    return Fault(kind, None, None, told, b"", "", is_targets=call.is_first or monotonic() < call.over_at)


def detail_of(call: Call, fault: Fault) -> str:
    """The fault in words, the provider's without those of the prompt: receipts are stored and logged."""
    return fault.message if fault.status is None else unquoted(fault.message, call.asked.prompt.body)


def record_of(call: Call, timing: Timing, outcome: str, fault: Fault | None, cost_nano_usd: int = 0) -> AttemptRecord:
    """The attempt as the receipt keeps it."""
    return AttemptRecord(
        target=call.target,
        outcome=outcome,
        seconds=(timing.ended or monotonic()) - timing.started,
        first_token_seconds=timing.first_token - timing.started if timing.first_token else None,
        status=fault.status if fault is not None else 200,
        fault=fault.kind.value if fault is not None else "",
        detail=detail_of(call, fault) if fault is not None else "",
        cost_nano_usd=cost_nano_usd,
        key=call.key + 1 if call.key_count > 1 else 0,
    )
