"""Ollama's chat API: lines of JSON. Source: ollama/ollama, docs/openapi.yaml, read 2026-11-23."""

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec.json import encode

from gateway.simulator.answer import Choice
from gateway.simulator.chat import Chat
from gateway.simulator.complaint import Complaint
from gateway.simulator.faces.face import Where
from gateway.simulator.faces.logprobs import openai_logprob
from gateway.simulator.faces.ollama_request import read_ollama
from gateway.simulator.http1 import Headers
from gateway.simulator.telling import Event, Telling

NANOSECONDS_PER_TOKEN = 10_000_000  # invented
Json = dict[str, object]


class OllamaFace:
    """A Face, see `faces.face`."""

    id_prefix = ""
    manner = "openai"
    stream_headers: Headers = (("content-type", "application/x-ndjson"),)
    ping = b"\n"

    def read(self, body: bytes, headers: list[tuple[bytes, bytes]], where: Where) -> Chat:
        return read_ollama(body)

    def document(self, telling: Telling) -> Json:
        told: Json = {"role": "assistant", "content": ""}
        for choice in telling.answer.choices:
            told["content"] = "".join(choice.text)
            if choice.thoughts:
                told["thinking"] = "".join(choice.thoughts)
            if calls := whole_calls(choice):
                told["tool_calls"] = calls
        probable = [token for choice in telling.answer.choices for token in choice.text]
        return {**line(telling, told), **logprobs(probable, telling), **end_of(telling)}

    def hollow(self, telling: Telling, *, is_null: bool) -> Json:
        return {**self.document(telling), "message": None if is_null else {"role": "assistant", "content": ""}}

    def hollow_stream(self, telling: Telling, *, is_null: bool) -> bytes:
        return event({**line(telling, {}), "message": None}) if is_null else b""

    def events(self, telling: Telling) -> list[Event]:
        return [made for choice in telling.answer.choices for made in choice_events(choice, telling)]

    def ending(self, telling: Telling) -> bytes:
        """The last line says how it ended and what was used."""
        return event({**line(telling, {"role": "assistant", "content": ""}), **end_of(telling)})

    def text_event(self, telling: Telling, token: str) -> bytes:
        return event(line(telling, {"role": "assistant", "content": token}))

    def error(self, status: int, complaint: Complaint) -> bytes:
        return encode({"error": complaint.message})

    def error_event(self, complaint: Complaint) -> bytes:
        return event({"error": complaint.message})


def event(document: Json) -> bytes:
    return encode(document) + b"\n"


def line(telling: Telling, message: Json) -> Json:
    created = datetime.fromtimestamp(telling.who.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000000Z")
    return {"model": telling.who.model, "created_at": created, "message": message, "done": False}


def end_of(telling: Telling) -> Json:
    reason = "length" if any(choice.finish == "length" for choice in telling.answer.choices) else "stop"
    told: Json = {"done": True, "done_reason": reason}
    if not telling.extras.tells_usage:
        return told
    answer = telling.answer
    read, said = (count * NANOSECONDS_PER_TOKEN for count in (answer.prompt_tokens, answer.output_tokens))
    return {
        **told,
        "total_duration": read + said,
        "load_duration": 0,
        "prompt_eval_count": telling.counts.prompt,
        "prompt_eval_duration": read,
        "eval_count": telling.counts.output,
        "eval_duration": said,
    }


def choice_events(choice: Choice, telling: Telling) -> Iterable[Event]:
    """Thoughts, text, then the calls, each of which comes whole."""
    for token in choice.thoughts:
        yield Event(event(line(telling, {"role": "assistant", "content": "", "thinking": token})), 1)
    for token in choice.text:
        told = line(telling, {"role": "assistant", "content": token})
        yield Event(event({**told, **logprobs([token], telling)}), 1)
    for call, whole in zip(choice.calls, whole_calls(choice), strict=False):
        told = line(telling, {"role": "assistant", "content": "", "tool_calls": [whole]})
        yield Event(event(told), len(call.arguments))


def whole_calls(choice: Choice) -> list[Json]:
    """One that is cut is none."""
    told: list[Json] = []
    for index, call in enumerate(choice.calls):
        if (arguments := call.whole) is not None:
            told.append({"id": call.id, "function": {"index": index, "name": call.name, "arguments": arguments}})
    return told


def logprobs(tokens: list[str], telling: Telling) -> Json:
    return {"logprobs": [openai_logprob(token, telling) for token in tokens]} if telling.extras.logprobs else {}
