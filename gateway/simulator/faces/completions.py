"""OpenAI's older Completions. Source: openai 3.54.0, `types.completion_create_params`, read 2026-11-23."""

from itertools import accumulate
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.json import encode

from gateway.simulator.answer import Choice
from gateway.simulator.chat import Chat, Message, Wanted
from gateway.simulator.complaint import Complaint, openai_document, openai_error
from gateway.simulator.extras import Extras
from gateway.simulator.faces.chat import DONE, FINGERPRINT, interleaved, usage
from gateway.simulator.faces.chat_request import StreamOptions
from gateway.simulator.faces.face import Where
from gateway.simulator.faces.logprobs import logprob_of, ranked
from gateway.simulator.faces.reading import decoded, refused
from gateway.simulator.http1 import EVENT_STREAM
from gateway.simulator.telling import Event, Telling


class CompletionRequest(Wanted, kw_only=True):
    """All other fields are accepted and ignored. One prompt at a time, as text."""

    prompt: str | Annotated[list[str], Meta(min_length=1, max_length=1)]
    stream_options: StreamOptions | None = None
    logprobs: Annotated[int, Meta(ge=0, le=5)] | None = None
    echo: bool | None = False
    suffix: str | None = None
    best_of: int | None = None


REQUEST = msgspec.json.Decoder(CompletionRequest)


class CompletionsFace:
    """A Face, see `faces.face`."""

    id_prefix = "cmpl-"
    manner = "openai"
    stream_headers = EVENT_STREAM
    ping = b": ping\n\n"

    def read(self, body: bytes, headers: list[tuple[bytes, bytes]], where: Where) -> Chat:
        request = decoded(REQUEST, body)
        for name, value in (("echo", request.echo), ("suffix", request.suffix)):
            if value:
                raise refused(f"This model does not support {name}.", name)
        prompt = request.prompt if isinstance(request.prompt, str) else request.prompt[0]
        wants_usage = request.stream_options is not None and request.stream_options.include_usage
        extras = Extras(wants_usage, request.logprobs is not None, request.logprobs or 0)
        return Chat(request, [Message("user", prompt)], [], prompt.encode(), extras)

    def document(self, telling: Telling) -> dict[str, object]:
        told = chunk(telling, [told_choice(choice, choice.text, telling) for choice in telling.answer.choices])
        return {**told, "usage": usage(telling.counts)} if telling.extras.tells_usage else told

    def hollow(self, telling: Telling, *, is_null: bool) -> dict[str, object]:
        empty = {"index": 0, "text": None, "logprobs": None, "finish_reason": "stop"}
        return {**self.document(telling), "choices": [empty] if is_null else []}

    def hollow_stream(self, telling: Telling, *, is_null: bool) -> bytes:
        return event(self.hollow(telling, is_null=is_null))

    def events(self, telling: Telling) -> list[Event]:
        turns = [turn(choice, telling) for choice in telling.answer.choices]
        woven = interleaved(turns)
        if telling.extras.usage_in_stream and telling.extras.tells_usage:
            woven.append(Event(event({**chunk(telling, []), "usage": usage(telling.counts)})))
        return woven

    def ending(self, telling: Telling) -> bytes:
        return DONE

    def text_event(self, telling: Telling, token: str) -> bytes:
        return event(chunk(telling, [{"index": 0, "text": token, "logprobs": None, "finish_reason": None}]))

    def error(self, status: int, complaint: Complaint) -> bytes:
        return openai_document(complaint)

    def error_event(self, complaint: Complaint) -> bytes:
        return event({"error": openai_error(complaint)})


def event(document: dict[str, object]) -> bytes:
    return b"data: " + encode(document) + b"\n\n"


def chunk(telling: Telling, choices: list[dict[str, object]]) -> dict[str, object]:
    who = telling.who
    return {
        "id": who.id,
        "object": "text_completion",
        "created": who.created,
        "model": who.model,
        "choices": choices,
        "system_fingerprint": FINGERPRINT,
    }


def turn(choice: Choice, telling: Telling) -> list[Event]:
    """Thoughts are billed with the first event, and not shown."""
    opening = told_choice(choice, [], telling, is_over=False)
    told = [told_choice(choice, [token], telling, is_over=False) for token in choice.text]
    made = [Event(event(chunk(telling, [part])), 1) for part in told]
    if choice.thoughts:
        made.insert(0, Event(event(chunk(telling, [opening])), len(choice.thoughts)))
    return [*made, Event(event(chunk(telling, [told_choice(choice, [], telling)])), 0, True)]


def told_choice(choice: Choice, tokens: list[str], telling: Telling, is_over: bool = True) -> dict[str, object]:
    return {
        "index": choice.index,
        "text": "".join(tokens),
        "logprobs": logprobs(tokens, telling) if telling.extras.logprobs else None,
        "finish_reason": choice.finish if is_over else None,
    }


def logprobs(tokens: list[str], telling: Telling) -> dict[str, object]:
    """In lists side by side."""
    starts = list(accumulate(map(len, tokens[:-1]), initial=0)) if tokens else []
    return {
        "tokens": tokens,
        "token_logprobs": [round(logprob_of(token), 6) for token in tokens],
        "top_logprobs": [dict(ranked(token, telling.extras.top_logprobs)) for token in tokens],
        "text_offset": starts,
    }
