"""OpenAI's Responses API. Source: openai 3.54.0, `types.responses`, read 2026-11-23."""

from itertools import count

from msgspec.json import encode

from gateway.simulator.chat import Chat
from gateway.simulator.complaint import Complaint, openai_document
from gateway.simulator.extras import Counts
from gateway.simulator.faces.face import Where
from gateway.simulator.faces.responses_items import Item, Json, items_of
from gateway.simulator.faces.responses_request import read_responses
from gateway.simulator.http1 import EVENT_STREAM
from gateway.simulator.telling import Event, Telling

REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}


class ResponsesFace:
    """A Face, see `faces.face`."""

    id_prefix = "resp_"
    manner = "openai"
    stream_headers = EVENT_STREAM
    ping = b": ping\n\n"

    def read(self, body: bytes, headers: list[tuple[bytes, bytes]], where: Where) -> Chat:
        return read_responses(body)

    def document(self, telling: Telling) -> Json:
        finish = next((choice.finish for choice in telling.answer.choices), "stop")
        reason = REASONS.get(finish)
        return {
            **opened(telling),
            "status": "incomplete" if reason else "completed",
            "incomplete_details": {"reason": reason} if reason else None,
            "output": [item.whole for item in items_of(telling)],
            "usage": usage(telling.counts) if telling.extras.tells_usage else None,
        }

    def hollow(self, telling: Telling, *, is_null: bool) -> Json:
        return {**self.document(telling), "output": None if is_null else []}

    def hollow_stream(self, telling: Telling, *, is_null: bool) -> bytes:
        void = event(2, "response.output_item.added", {"output_index": 0, "item": None}) if is_null else b""
        return event(0, "response.created", {"response": opened(telling)}) + void

    def events(self, telling: Telling) -> list[Event]:
        numbers = count()
        started: Json = {"response": opened(telling)}
        made = [
            Event(event(next(numbers), "response.created", started)),
            Event(event(next(numbers), "response.in_progress", started)),
        ]
        for index, item in enumerate(items_of(telling)):
            made += item_events(item, index, numbers)
        return made

    def ending(self, telling: Telling) -> bytes:
        """It repeats the whole answer, and comes after all events."""
        told = self.document(telling)
        number = 2 + sum(item.event_count for item in items_of(telling))
        return event(number, f"response.{told['status']}", {"response": told})

    def text_event(self, telling: Telling, token: str) -> bytes:
        place = {"item_id": "msg_0", "output_index": 0, "content_index": 0}
        return event(0, "response.output_text.delta", {**place, "delta": token, "logprobs": []})

    def error(self, status: int, complaint: Complaint) -> bytes:
        return openai_document(complaint)

    def error_event(self, complaint: Complaint) -> bytes:
        return event(0, "error", {"code": complaint.kind, "message": complaint.message, "param": None})


def event(number: int, kind: str, members: Json) -> bytes:
    """Its name stands before it and in it."""
    told = {"type": kind, "sequence_number": number, **members}
    return b"event: " + kind.encode() + b"\ndata: " + encode(told) + b"\n\n"


def opened(telling: Telling) -> Json:
    """The response before anything has been said."""
    return {
        "id": telling.who.id,
        "object": "response",
        "created_at": telling.who.created,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": telling.who.model,
        "output": [],
        "previous_response_id": None,
        "usage": None,
        **telling.extras.echo,
    }


def usage(counts: Counts) -> Json:
    return {
        "input_tokens": counts.prompt,
        "input_tokens_details": {"cached_tokens": counts.cached, "cache_write_tokens": 0},
        "output_tokens": counts.output,
        "output_tokens_details": {"reasoning_tokens": counts.reasoning},
        "total_tokens": counts.total,
    }


def item_events(item: Item, index: int, numbers: "count[int]") -> list[Event]:
    """One item from `added` to `done`."""

    def told(kind: str, members: Json, tokens: int = 0) -> Event:
        return Event(event(next(numbers), f"response.{kind}", {"output_index": index, **members}), tokens)

    place = {"item_id": item.whole["id"], **item.place}
    made = [told("output_item.added", {"item": item.empty})]
    if item.part is not None:
        made.append(told(f"{item.part.kind}.added", {**place, "part": item.part.empty}))
    more: Json = {"logprobs": []} if item.kind == "output_text" else {}
    made += [told(f"{item.kind}.delta", {**place, "delta": piece, **more}, 1) for piece in item.pieces]
    if item.kind:
        made.append(told(f"{item.kind}.done", {**place, item.done_member: "".join(item.pieces), **item.done_more}))
    if item.part is not None:
        made.append(told(f"{item.part.kind}.done", {**place, "part": item.part.whole}))
    return [*made, told("output_item.done", {"item": item.whole}, item.hidden_tokens)]
