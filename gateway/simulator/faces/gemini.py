"""Gemini's generateContent and streamGenerateContent, the stream as events or as one JSON array.

Source: ai.google.dev/api/generate-content, read 2026-11-23.
"""

from collections.abc import Iterable

from msgspec.json import encode

from gateway.simulator.answer import Choice
from gateway.simulator.chat import Chat
from gateway.simulator.complaint import Complaint
from gateway.simulator.extras import Counts
from gateway.simulator.faces.chat import interleaved
from gateway.simulator.faces.face import Where
from gateway.simulator.faces.gemini_request import read_gemini
from gateway.simulator.faces.logprobs import logprob_of, ranked
from gateway.simulator.faces.seals import seal_of
from gateway.simulator.http1 import EVENT_STREAM, JSON, Headers
from gateway.simulator.telling import Event, Telling

FINISHES = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"}
MALFORMED = "MALFORMED_FUNCTION_CALL"
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    413: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    504: "DEADLINE_EXCEEDED",
}
Parts = list[dict[str, object]]


class GeminiFace:
    """A Face, see `faces.face`."""

    id_prefix = ""
    manner = "gemini"
    stream_headers: Headers = EVENT_STREAM
    ping = b": ping\n\n"

    def read(self, body: bytes, headers: list[tuple[bytes, bytes]], where: Where) -> Chat:
        return read_gemini(body, where)

    def document(self, telling: Telling) -> dict[str, object]:
        candidates = [whole(choice, telling) for choice in telling.answer.choices]
        return response(telling, candidates, usage(telling.counts))

    def hollow(self, telling: Telling, *, is_null: bool) -> dict[str, object]:
        return {**self.document(telling), "candidates": [{"content": None, "index": 0}] if is_null else []}

    def hollow_stream(self, telling: Telling, *, is_null: bool) -> bytes:
        return self._told(self.hollow(telling, is_null=is_null))

    def events(self, telling: Telling) -> list[Event]:
        """Every event counts what has been said so far; the last one ends the answer."""
        turns = [list(self._turn(choice, telling)) for choice in telling.answer.choices]
        return turns[0] if len(turns) == 1 else interleaved(turns)

    def ending(self, telling: Telling) -> bytes:
        return b""

    def text_event(self, telling: Telling, token: str) -> bytes:
        return self._told(response(telling, [candidate(0, [{"text": token}])], usage(counts_so_far(telling, 0, 1))))

    def error(self, status: int, complaint: Complaint) -> bytes:
        return encode({"error": error_object(status, complaint)})

    def error_event(self, complaint: Complaint) -> bytes:
        return self._told({"error": error_object(500, complaint)})

    def _told(self, document: dict[str, object]) -> bytes:
        return b"data: " + encode(document) + b"\n\n"

    def _turn(self, choice: Choice, telling: Telling) -> Iterable[Event]:
        thought = said = 0
        for parts, tokens in pieces(choice, telling):
            thought, said = (thought + tokens, said) if is_thought(parts[0]) else (thought, said + tokens)
            counted = usage(counts_so_far(telling, thought, said))
            yield Event(self._told(response(telling, [candidate(choice.index, parts)], counted)), tokens)
        last = {**candidate(choice.index, [{"text": ""}]), "finishReason": finish_of(choice)}
        if telling.extras.logprobs:
            last["logprobsResult"] = logprobs(choice, telling)
        yield Event(self._told(response(telling, [last], usage(telling.counts))), 0, True)


class GeminiArrayFace(GeminiFace):
    """The stream of who does not ask for `alt=sse`: one array, an element at a time."""

    stream_headers: Headers = (JSON,)
    ping = b"\n"

    def events(self, telling: Telling) -> list[Event]:
        first, *rest = super().events(telling)
        return [first._replace(data=b"[" + first.data), *(later._replace(data=b",\r\n" + later.data) for later in rest)]

    def ending(self, telling: Telling) -> bytes:
        return b"]"

    def error_event(self, complaint: Complaint) -> bytes:
        return b",\r\n" + super().error_event(complaint) + b"]"

    def _told(self, document: dict[str, object]) -> bytes:
        return encode(document)


def response(telling: Telling, candidates: list[dict[str, object]], counted: dict[str, object]) -> dict[str, object]:
    told: dict[str, object] = {"candidates": candidates}
    if telling.extras.tells_usage:
        told["usageMetadata"] = counted
    return {**told, "modelVersion": telling.who.model, "responseId": telling.who.id}


def candidate(index: int, parts: Parts) -> dict[str, object]:
    return {"content": {"parts": parts, "role": "model"}, "index": index}


def whole(choice: Choice, telling: Telling) -> dict[str, object]:
    parts: Parts = []
    if choice.thoughts and telling.extras.shows_thoughts:
        parts.append({"text": "".join(choice.thoughts), "thought": True})
    if choice.text:
        parts.append({"text": "".join(choice.text)})
    told = {**candidate(choice.index, [*parts, *calls(choice)]), "finishReason": finish_of(choice)}
    if telling.extras.logprobs:
        told["logprobsResult"] = logprobs(choice, telling)
    return told


def pieces(choice: Choice, telling: Telling) -> Iterable[tuple[Parts, int]]:
    """The parts of each event of a stream, and the tokens in them. Hidden thoughts are billed with an empty one."""
    if choice.thoughts and not telling.extras.shows_thoughts:
        yield [{"text": ""}], len(choice.thoughts)
    elif choice.thoughts:
        for token in choice.thoughts:
            yield [{"text": token, "thought": True}], 1
    for token in choice.text:
        yield [{"text": token}], 1
    for call, part in zip(choice.calls, calls(choice), strict=False):
        yield [part], len(call.arguments)


def is_thought(part: dict[str, object]) -> bool:
    """Shown, or hidden behind an empty text."""
    return "thought" in part or part.get("text") == ""


def calls(choice: Choice) -> Parts:
    """Calls come whole, and not at all when they are cut. The first one carries the proof of the thought before."""
    parts: Parts = []
    for call in choice.calls:
        arguments = call.whole
        if arguments is None:
            break
        part: dict[str, object] = {"functionCall": {"id": call.id, "name": call.name, "args": arguments}}
        if choice.thoughts and not parts:
            part["thoughtSignature"] = seal_of("".join(choice.thoughts))
        parts.append(part)
    return parts


def finish_of(choice: Choice) -> str:
    if choice.finish == "tool_calls" and len(calls(choice)) < len(choice.calls):
        return MALFORMED
    return FINISHES[choice.finish]


def counts_so_far(telling: Telling, thought: int, said: int) -> Counts:
    """In the middle of a stream."""
    answer, output = telling.answer, thought + said
    read, cached = answer.prompt_tokens, answer.cached_tokens
    return Counts(read, read - cached, cached, output, thought, said, read + output)


def usage(counts: Counts) -> dict[str, object]:
    """Thoughts are counted apart; members that are nothing are left out."""
    told = {
        "promptTokenCount": counts.prompt,
        "candidatesTokenCount": counts.visible,
        "totalTokenCount": counts.total,
        "cachedContentTokenCount": counts.cached,
        "thoughtsTokenCount": counts.reasoning,
    }
    return {name: count for name, count in told.items() if count}


def logprobs(choice: Choice, telling: Telling) -> dict[str, object]:
    count = telling.extras.top_logprobs
    tops = [[_probable(*entry) for entry in ranked(token, count)] for token in choice.text]
    chosen = [_probable(token, logprob_of(token)) for token in choice.text]
    return {"topCandidates": [{"candidates": top} for top in tops], "chosenCandidates": chosen}


def _probable(token: str, logprob: float) -> dict[str, object]:
    return {"token": token, "logProbability": round(logprob, 6)}


def error_object(status: int, complaint: Complaint) -> dict[str, object]:
    return {"code": status, "message": complaint.message, "status": STATUSES.get(status, "UNAVAILABLE")}
