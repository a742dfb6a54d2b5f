"""Anthropic's Messages API. Source: platform.claude.com, "Streaming messages" and "Errors", read 2026-11-23."""

from collections.abc import Iterable

from msgspec.json import encode

from gateway.simulator.answer import Choice, ToolCall
from gateway.simulator.chat import Chat
from gateway.simulator.complaint import Complaint
from gateway.simulator.faces.face import Where
from gateway.simulator.faces.messages_request import read_messages
from gateway.simulator.faces.seals import seal_of
from gateway.simulator.http1 import EVENT_STREAM
from gateway.simulator.telling import Event, Telling

STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
ERROR_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
SPENT = "enforced_spend_limit_reached"
TEXT_START: dict[str, object] = {"type": "text", "text": ""}
THINKING_START: dict[str, object] = {"type": "thinking", "thinking": "", "signature": ""}


class MessagesFace:
    """A Face, see `faces.face`."""

    id_prefix = "msg_"
    manner = "anthropic"
    stream_headers = EVENT_STREAM
    ping = b'event: ping\ndata: {"type":"ping"}\n\n'

    def read(self, body: bytes, headers: list[tuple[bytes, bytes]], where: Where) -> Chat:
        return read_messages(body, headers)

    def document(self, telling: Telling) -> dict[str, object]:
        ended = stop_of(telling)
        told = {**message(telling), **ended, "content": content(telling)}
        if telling.extras.tells_usage:
            told["usage"] = usage(telling, telling.counts.output)
        return told

    def hollow(self, telling: Telling, *, is_null: bool) -> dict[str, object]:
        return {**self.document(telling), "content": None if is_null else []}

    def hollow_stream(self, telling: Telling, *, is_null: bool) -> bytes:
        void = event("content_block_start", index=0, content_block=None) if is_null else b""
        return opening(telling).data + void + closing(telling).data

    def events(self, telling: Telling) -> list[Event]:
        made = [opening(telling)]
        blocks = [block for choice in telling.answer.choices for block in block_events(choice, telling)]
        for index, (start, deltas) in enumerate(blocks):
            made.append(Event(event("content_block_start", index=index, content_block=start)))
            made += [Event(event("content_block_delta", index=index, delta=delta), tokens) for delta, tokens in deltas]
            made.append(Event(event("content_block_stop", index=index)))
        made.insert(2, Event(self.ping))
        return [*made, closing(telling)]

    def ending(self, telling: Telling) -> bytes:
        return event("message_stop")

    def text_event(self, telling: Telling, token: str) -> bytes:
        return event("content_block_delta", index=0, delta={"type": "text_delta", "text": token})

    def error(self, status: int, complaint: Complaint) -> bytes:
        """`invalid_request_error` for any other fault of the caller's, `api_error` for any other of the provider's."""
        fallback = "invalid_request_error" if status < 500 else "api_error"
        kind = SPENT if complaint.kind == SPENT else ERROR_TYPES.get(status, fallback)
        return encode({"type": "error", "error": {"type": kind, "message": complaint.message}})

    def error_event(self, complaint: Complaint) -> bytes:
        return event("error", error={"type": "api_error", "message": complaint.message})


def event(kind: str, **members: object) -> bytes:
    """Its name stands before it and in it."""
    return b"event: " + kind.encode() + b"\ndata: " + encode({"type": kind, **members}) + b"\n\n"


def message(telling: Telling) -> dict[str, object]:
    """As a stream opens it."""
    return {
        "id": telling.who.id,
        "type": "message",
        "role": "assistant",
        "model": telling.who.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def opening(telling: Telling) -> Event:
    """Its usage has what was read, and one token of output."""
    told = message(telling)
    if telling.extras.tells_usage:
        told["usage"] = usage(telling, 1)
    return Event(event("message_start", message=told))


def closing(telling: Telling) -> Event:
    counted = {"usage": usage(telling, telling.counts.output)} if telling.extras.tells_usage else {}
    return Event(event("message_delta", delta=stop_of(telling), **counted), 0, True)


def usage(telling: Telling, output: object) -> dict[str, object]:
    """Anthropic counts what was read from the cache apart from the rest of the input."""
    counts = telling.counts
    return {
        "input_tokens": counts.fresh,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": counts.cached,
        "output_tokens": output,
    }


def stop_of(telling: Telling) -> dict[str, object]:
    for choice in telling.answer.choices:
        reason = "stop_sequence" if choice.stop_sequence else STOP_REASONS[choice.finish]
        return {"stop_reason": reason, "stop_sequence": choice.stop_sequence or None}
    return {"stop_reason": "end_turn", "stop_sequence": None}


def content(telling: Telling) -> list[dict[str, object]]:
    """All blocks, whole."""
    told: list[dict[str, object]] = []
    for choice in telling.answer.choices:
        if choice.thoughts:
            thought = "".join(choice.thoughts)
            shown = thought if telling.extras.shows_thoughts else ""
            told.append({"type": "thinking", "thinking": shown, "signature": seal_of(thought)})
        if choice.text:
            told.append({"type": "text", "text": "".join(choice.text)})
        # Nothing, where the limit of tokens has cut the arguments.
        told += [tool_use(call, call.whole or {}) for call in choice.calls]
    return told


def tool_use(call: ToolCall, arguments: object) -> dict[str, object]:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments}


Delta = tuple[dict[str, object], int]  # and its tokens
Block = tuple[dict[str, object], list[Delta]]  # what opens it, and what follows


def block_events(choice: Choice, telling: Telling) -> Iterable[Block]:
    """Thoughts, text and calls, as the deltas of blocks."""
    if choice.thoughts:
        shown = choice.thoughts if telling.extras.shows_thoughts else []
        deltas: list[Delta] = [({"type": "thinking_delta", "thinking": token}, 1) for token in shown]
        hidden = len(choice.thoughts) - len(shown)
        seal: dict[str, object] = {"type": "signature_delta", "signature": seal_of("".join(choice.thoughts))}
        yield THINKING_START, [*deltas, (seal, hidden)]
    if choice.text:
        yield TEXT_START, [({"type": "text_delta", "text": token}, 1) for token in choice.text]
    for call in choice.calls:
        pieces: list[Delta] = [(input_delta(piece), 1) for piece in call.arguments]
        yield tool_use(call, {}), [(input_delta(""), 0), *pieces]


def input_delta(piece: str) -> dict[str, object]:
    return {"type": "input_json_delta", "partial_json": piece}
