"""Cohere's chat API, version 2.

Source: cohere 7.3.1, `v2.types`, and docs.cohere.com/v2/docs/streaming, read 2026-11-23.
"""

from collections.abc import Iterable

from msgspec.json import encode

from gateway.simulator.answer import Choice, ToolCall
from gateway.simulator.chat import Chat
from gateway.simulator.complaint import Complaint
from gateway.simulator.extras import Counts
from gateway.simulator.faces.cohere_request import read_cohere
from gateway.simulator.faces.face import Where
from gateway.simulator.faces.logprobs import logprob_of
from gateway.simulator.http1 import EVENT_STREAM
from gateway.simulator.telling import Event, Telling

FINISHES = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL", "content_filter": "ERROR_TOXIC"}
Json = dict[str, object]


class CohereFace:
    """A Face, see `faces.face`."""

    id_prefix = ""
    manner = "openai"
    stream_headers = EVENT_STREAM
    ping = b": ping\n\n"

    def read(self, body: bytes, headers: list[tuple[bytes, bytes]], where: Where) -> Chat:
        return read_cohere(body)

    def document(self, telling: Telling) -> Json:
        told: Json = {"id": telling.who.id, "message": {"role": "assistant", "content": []}, **end_of(telling)}
        for choice in telling.answer.choices:
            told["message"] = message(choice)
            if telling.extras.logprobs:
                told["logprobs"] = [logprob(token) for token in choice.text]
        return told

    def hollow(self, telling: Telling, *, is_null: bool) -> Json:
        return {**self.document(telling), "message": None if is_null else {"role": "assistant", "content": []}}

    def hollow_stream(self, telling: Telling, *, is_null: bool) -> bytes:
        return event("content-start", index=0, delta={"message": None}) if is_null else opening(telling).data

    def events(self, telling: Telling) -> list[Event]:
        made = [opening(telling)]
        for choice in telling.answer.choices:
            made += content_events(choice, telling)
            for index, call in enumerate(choice.calls):
                made += call_events(index, call)
        return made

    def ending(self, telling: Telling) -> bytes:
        return event("message-end", id=telling.who.id, delta=end_of(telling))

    def text_event(self, telling: Telling, token: str) -> bytes:
        return text_delta(0, "text", token)

    def error(self, status: int, complaint: Complaint) -> bytes:
        return encode({"message": complaint.message})

    def error_event(self, complaint: Complaint) -> bytes:
        """A stream that breaks off ends like any other, in a finish reason of its own."""
        return event("message-end", delta={"finish_reason": "ERROR", "error": complaint.message})


def event(kind: str, **members: object) -> bytes:
    """Its name stands before it and in it."""
    return b"event: " + kind.encode() + b"\ndata: " + encode({"type": kind, **members}) + b"\n\n"


def opening(telling: Telling) -> Event:
    shell: Json = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    return Event(event("message-start", id=telling.who.id, delta={"message": shell}))


def end_of(telling: Telling) -> Json:
    told: Json = {"finish_reason": "COMPLETE"}
    for choice in telling.answer.choices:
        told["finish_reason"] = "STOP_SEQUENCE" if choice.stop_sequence else FINISHES[choice.finish]
    return {**told, "usage": usage(telling.counts)} if telling.extras.tells_usage else told


def usage(counts: Counts) -> Json:
    """Billed, and counted: a simulated provider bills what it counts."""
    tokens = {"input_tokens": counts.prompt, "output_tokens": counts.output}
    return {"billed_units": tokens, "tokens": tokens, "cached_tokens": counts.cached}


def message(choice: Choice) -> Json:
    content: list[Json] = []
    if choice.thoughts:
        content.append({"type": "thinking", "thinking": "".join(choice.thoughts)})
    if choice.text:
        content.append({"type": "text", "text": "".join(choice.text)})
    told: Json = {"role": "assistant", "content": content}
    if choice.calls:
        told["tool_calls"] = [tool_call(call, "".join(call.arguments)) for call in choice.calls]
    return told


def tool_call(call: ToolCall, arguments: str) -> Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def content_events(choice: Choice, telling: Telling) -> Iterable[Event]:
    """A block of thoughts and one of text."""
    blocks = [(kind, tokens) for kind, tokens in (("thinking", choice.thoughts), ("text", choice.text)) if tokens]
    for index, (kind, tokens) in enumerate(blocks):
        start = {"message": {"content": {"type": kind, kind: ""}}}
        yield Event(event("content-start", index=index, delta=start))
        for token in tokens:
            yield Event(text_delta(index, kind, token, telling.extras.logprobs and kind == "text"), 1)
        yield Event(event("content-end", index=index))


def text_delta(index: int, kind: str, token: str, with_logprobs: bool = False) -> bytes:
    probable = {"logprobs": logprob(token)} if with_logprobs else {}
    return event("content-delta", index=index, delta={"message": {"content": {kind: token}}}, **probable)


def logprob(token: str) -> Json:
    return {"text": token, "token_ids": [sum(token.encode())], "logprobs": [round(logprob_of(token), 6)]}


def call_events(index: int, call: ToolCall) -> Iterable[Event]:
    yield Event(event("tool-call-start", index=index, delta={"message": {"tool_calls": tool_call(call, "")}}))
    for piece in call.arguments:
        delta = {"message": {"tool_calls": {"function": {"arguments": piece}}}}
        yield Event(event("tool-call-delta", index=index, delta=delta), 1)
    yield Event(event("tool-call-end", index=index))
