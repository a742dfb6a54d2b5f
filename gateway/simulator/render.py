"""An answer as OpenAI's JSON: one document, or the events of a stream."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from msgspec import Struct

from gateway.simulator.answer import Answer, Choice, ToolCall

encode = msgspec.json.encode
DONE = b"data: [DONE]\n\n"
FINGERPRINT = "fp_simulated"
# With the token itself as many as can be asked for, even if it is one of them.
ALTERNATIVES = (
    " the", " a", " of", " and", " to", " in", " it", " is", " was", " for",
    " on", " with", " by", " at", " from", " or", " an", " as", " not", " but",
)  # fmt: skip


class Identity(Struct, frozen=True):
    """What every chunk of one reply repeats."""

    id: str
    created: int  # seconds since the epoch
    model: str


class Extras(Struct, frozen=True):
    """What the caller asked to have beside the text."""

    usage_in_stream: bool = False
    logprobs: bool = False
    top_logprobs: int = 0
    false_usage: dict[str, object] | None = None  # stated instead of what was used


class Event(NamedTuple):
    """One event of a stream, complete with its empty line, and the output tokens in it."""

    data: bytes
    tokens: int = 0


def usage(answer: Answer) -> dict[str, object]:
    """OpenAI's usage object: cached tokens are part of the prompt's, reasoning tokens of the completion's."""
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.output_tokens,
        "total_tokens": answer.prompt_tokens + answer.output_tokens,
        "prompt_tokens_details": {"cached_tokens": answer.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": answer.reasoning_tokens, "audio_tokens": 0},
    }


def document(answer: Answer, who: Identity, extras: Extras) -> dict[str, object]:
    """The body of an answer that is not streamed, before encoding."""
    return {
        "id": who.id,
        "object": "chat.completion",
        "created": who.created,
        "model": who.model,
        "choices": [_whole(choice, extras) for choice in answer.choices],
        "usage": extras.false_usage or usage(answer),
        "system_fingerprint": FINGERPRINT,
    }


def _whole(choice: Choice, extras: Extras) -> dict[str, object]:
    message: dict[str, object] = {
        "role": "assistant",
        "content": "".join(choice.text) if choice.text or not choice.calls else None,
        "refusal": None,
    }
    if choice.thoughts:
        message["reasoning_content"] = "".join(choice.thoughts)
    if choice.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": "".join(call.arguments)}}
            for call in choice.calls
        ]
    logprobs = None
    if extras.logprobs:
        logprobs = {"content": [_logprob(token, extras) for token in choice.text], "refusal": None}
    return {
        "index": choice.index,
        "message": message,
        "logprobs": logprobs,
        "finish_reason": choice.finish,
    }


def events(answer: Answer, who: Identity, extras: Extras) -> list[Event]:
    """The whole stream but for `[DONE]`: choices take turns, token by token; usage comes last, if asked for."""
    stream = Stream(who, extras)
    turns = [_choice_events(stream, choice) for choice in answer.choices]
    if len(turns) == 1:
        woven = turns[0]
    else:
        longest = max(len(turn) for turn in turns)
        woven = [turn[row] for row in range(longest) for turn in turns if row < len(turn)]
    if extras.usage_in_stream:
        woven.append(stream.usage(extras.false_usage or usage(answer)))
    return woven


class Stream:
    """Renders chunks of one reply; text chunks, nearly all of them, from two prepared pieces and the token."""

    def __init__(self, who: Identity, extras: Extras) -> None:
        self.extras = extras
        start = encode({"id": who.id, "object": "chat.completion.chunk", "created": who.created, "model": who.model})
        self._start = b"data: " + start[:-1] + b',"system_fingerprint":"' + FINGERPRINT.encode() + b'","choices":['
        # With include_usage every chunk has the field, null but in the last. Source: OpenAI's API reference.
        self._end = b'],"usage":null}\n\n' if extras.usage_in_stream else b"]}\n\n"

    def delta(self, index: int, delta: dict[str, object], finish: str | None = None, tokens: int = 0) -> Event:
        """A chunk with any delta."""
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        return Event(self._start + encode(choice) + self._end, tokens)

    def texts(self, index: int, key: str, tokens: Iterable[str]) -> list[Event]:
        """Chunks with one token each, of `content` or `reasoning_content`."""
        before = self._start + b'{"index":%d,"delta":{"%b":' % (index, key.encode())
        after = b'},"logprobs":%b,"finish_reason":null}' + self._end
        if self.extras.logprobs and key == "content":
            return [Event(before + encode(token) + after % encode(self._logprobs(token)), 1) for token in tokens]
        plain = after % b"null"
        return [Event(before + encode(token) + plain, 1) for token in tokens]

    def _logprobs(self, token: str) -> dict[str, object]:
        return {"content": [_logprob(token, self.extras)], "refusal": None}

    def usage(self, counted: dict[str, object]) -> Event:
        """The chunk that carries usage and no choice."""
        return Event(self._start + b'],"usage":' + encode(counted) + b"}\n\n")

    def error(self, error: dict[str, object]) -> Event:
        """An error event: the object alone, as OpenAI sends it."""
        return Event(b"data: " + encode({"error": error}) + b"\n\n")


def _choice_events(stream: Stream, choice: Choice) -> list[Event]:
    index = choice.index
    opening: dict[str, object] = {"role": "assistant", "content": None if choice.calls else "", "refusal": None}
    made = [stream.delta(index, opening)]
    made += stream.texts(index, "reasoning_content", choice.thoughts)
    made += stream.texts(index, "content", choice.text)
    for position, call in enumerate(choice.calls):
        made += _call_events(stream, index, position, call)
    made.append(stream.delta(index, {}, choice.finish))
    return made


def _call_events(stream: Stream, index: int, position: int, call: ToolCall) -> list[Event]:
    named = {"index": position, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
    rest = [{"index": position, "function": {"arguments": piece}} for piece in call.arguments]
    more = [stream.delta(index, {"tool_calls": [piece]}, tokens=1) for piece in rest]
    return [stream.delta(index, {"tool_calls": [named]}), *more]


def _logprob(token: str, extras: Extras) -> dict[str, object]:
    """A plausible logprob, the same for the same token, and for each alternative half of what is left to one."""
    first = -0.001 * (1 + sum(token.encode()) % 680)  # at least a half: more likely than all others together
    left = math.log(1 - math.exp(first))
    others = [word for word in ALTERNATIVES if word != token]
    ranked = [(token, first), *((word, left - rank * math.log(2)) for rank, word in enumerate(others, 1))]
    top = [_entry(*entry) for entry in ranked[: extras.top_logprobs]]
    return {**_entry(token, first), "top_logprobs": top}


def _entry(token: str, logprob: float) -> dict[str, object]:
    return {"token": token, "logprob": round(logprob, 6), "bytes": list(token.encode())}
