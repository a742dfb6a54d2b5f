"""Carry a stream on after its commit point: provider to caller, until it ends, breaks, stalls or the caller leaves."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from time import monotonic

from msgspec.structs import replace

from gateway.execution.attempt import Begun, stream_fault, transport_fault
from gateway.execution.deadline import ProgressWatch
from gateway.providers.faults import Fault, FaultKind
from gateway.settings.schema import Fallback
from gateway.transport.send import TransportFailure, next_chunk

# How a call begins in a stream of each format that callers speak. Inside of a text the quotes would be escaped.
# Most pieces do not even hold the few bytes before it, which cost 0.1 us to look for.
CALLS: dict[str, tuple[bytes, re.Pattern[bytes]]] = {
    "openai_chat": (b"_call", re.compile(rb'"(?:tool_calls":\s*\[\s*\{|function_call":\s*\{)')),
    "openai_responses": (b'_call"', re.compile(rb'_call"')),
    "anthropic_messages": (b'_use"', re.compile(rb'"(?:tool_use"|(?:server|mcp)_tool_use"\s*[,}])')),
    "gemini": (b'"functionCall"', re.compile(rb'"functionCall"')),
}
NO_CALL = (b"", None)
UNFINISHED = Fault(FaultKind.STREAM_CUT, 200, None, "the provider ended the stream without finishing it", b"", "")
TIMED_OUT = {
    "idle": Fault(FaultKind.IDLE_TIMEOUT, 200, None, "the stream made no progress for too long", b"", ""),
    "total": Fault(FaultKind.TOTAL_TIMEOUT, 200, None, "the request took longer than it may in total", b"", ""),
}


async def pump(begun: Begun, rules: Fallback, write: Callable[[bytes], Awaitable[None]]) -> Fault | None:
    """Write everything but the closing frames. Returns the fault that cut the stream, None when it is whole.

    The caller has seen content by now, so no fault can fall back any more. The provider is let go of, unless its last
    event has come: then only the end of the body is missing, and `Begun.read_rest` may wait for that.
    """
    until = asyncio.get_running_loop().time() + begun.call.over_at - monotonic()
    watch = ProgressWatch(rules.idle_seconds, until)
    try:
        return await _pump(begun, watch, write)
    except TransportFailure as failure:
        return ended(begun, transport_fault(begun.call, failure, FaultKind.STREAM_CUT))
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if not watch.overdue or (task is not None and task.uncancel() > 0):
            raise
        return ended(begun, timed_out(begun, watch))
    finally:
        watch.stop()
        begun.timing.ended = monotonic()
        begun.timing.caller_seconds = watch.caller_seconds
        if not begun.relay.done:
            begun.close()


async def _pump(begun: Begun, watch: ProgressWatch, write: Callable[[bytes], Awaitable[None]]) -> Fault | None:
    relay, response = begun.relay, begun.response
    hint, call = CALLS.get(begun.call.asked.inbound.name, NO_CALL) if begun.call.asked.prompt.tool_count else NO_CALL
    begun.has_called = call is not None and call.search(begun.ready) is not None
    calls = begun.calls
    if begun.has_called and calls is not None:
        calls.take(begun.ready)
    if begun.ready:  # a target that goes on may have said only what the caller has
        watch.caller_turn()
        await write(begun.ready)
        watch.provider_turn()
    while response is not None and not relay.done:
        chunk = await next_chunk(response)
        ready = begun.feed(chunk)
        if ready:
            if call is not None and hint in ready and call.search(ready) is not None:
                begun.has_called, call = True, None
            if calls is not None and begun.has_called:
                calls.take(ready)
            watch.caller_turn()
            await write(ready)
            watch.provider_turn()  # a ping is no progress: only what goes to the caller winds the watch
        if relay.error is not None or relay.oversized:
            return stream_fault(begun.call, relay)
        if not chunk and response.content.at_eof():
            break
    return ended(begun, UNFINISHED)


def timed_out(begun: Begun, watch: ProgressWatch) -> Fault:
    """The fault of a stream that its watch has interrupted.

    The total time is that of the whole request. It says nothing of a target that got only what others had left of it,
    nor of one whose caller does not take what it sends.
    """
    if watch.overdue == "total" and (watch.waiting_since is None or not begun.call.is_first):
        return replace(TIMED_OUT["total"], is_targets=False)
    return TIMED_OUT[watch.overdue or "idle"]


def ended(begun: Begun, fault: Fault) -> Fault | None:
    """Nothing more will come: an answer that has finished by now is whole, whatever became of the connection."""
    begun.relay.end()
    return None if begun.relay.complete else fault
