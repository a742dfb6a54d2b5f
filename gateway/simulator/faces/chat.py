"""OpenAI's Chat Completions. Source: its API reference."""

from collections.abc import Iterable

from msgspec.json import encode

from gateway.simulator.answer import Choice, ToolCall
from gateway.simulator.chat import Chat
from gateway.simulator.complaint import Complaint, openai_document, openai_error
from gateway.simulator.extras import Counts
from gateway.simulator.faces.chat_request import read_chat
from gateway.simulator.faces.face import Where
from gateway.simulator.faces.logprobs import openai_logprob
from gateway.simulator.http1 import EVENT_STREAM
from gateway.simulator.telling import Event, Telling

DONE = b"data: [DONE]\n\n"
FINGERPRINT = "fp_simulated"


class ChatFace:
    """A Face, see `faces.face`."""

    id_prefix = "chatcmpl-"
    manner = "openai"
    stream_headers = EVENT_STREAM
    ping = b": ping\n\n"

    def read(self, body: bytes, headers: list[tuple[bytes, bytes]], where: Where) -> Chat:
        return read_chat(body)

    def document(self, telling: Telling) -> dict[str, object]:
        who, extras = telling.who, telling.extras
        told: dict[str, object] = {
            "id": who.id,
            "object": "chat.completion",
            "created": who.created,
            "model": who.model,
            "choices": [_whole(choice, telling) for choice in telling.answer.choices],
        }
        if extras.tells_usage:
            told["usage"] = usage(telling.counts)
        return {**told, "system_fingerprint": FINGERPRINT}

    def hollow(self, telling: Telling, *, is_null: bool) -> dict[str, object]:
        empty = {"index": 0, "message": {"role": "assistant", "content": None}, "finish_reason": "stop"}
        return {**self.document(telling), "choices": [empty] if is_null else []}

    def hollow_stream(self, telling: Telling, *, is_null: bool) -> bytes:
        choices = [{"index": 0, "delta": None}] if is_null else []
        shell = {"id": telling.who.id, "object": "chat.completion.chunk", "choices": choices}
        return b"data: " + encode(shell) + b"\n\n"

    def events(self, telling: Telling) -> list[Event]:
        """Choices take turns, token by token; usage comes last, if asked for."""
        stream = Stream(telling)
        turns = [_choice_events(stream, choice) for choice in telling.answer.choices]
        woven = turns[0] if len(turns) == 1 else interleaved(turns)
        if telling.extras.usage_in_stream and telling.extras.tells_usage:
            woven.append(stream.usage(usage(telling.counts)))
        return woven

    def ending(self, telling: Telling) -> bytes:
        return DONE

    def text_event(self, telling: Telling, token: str) -> bytes:
        return Stream(telling).texts(0, "content", [token])[0].data

    def error(self, status: int, complaint: Complaint) -> bytes:
        return openai_document(complaint)

    def error_event(self, complaint: Complaint) -> bytes:
        """The object alone, as OpenAI sends it."""
        return b"data: " + encode({"error": openai_error(complaint)}) + b"\n\n"


def interleaved(turns: list[list[Event]]) -> list[Event]:
    """One event of each in turn."""
    longest = max((len(turn) for turn in turns), default=0)
    return [turn[row] for row in range(longest) for turn in turns if row < len(turn)]


def usage(counts: Counts) -> dict[str, object]:
    """OpenAI's usage object: cached tokens are part of the prompt's, reasoning tokens of the completion's."""
    return {
        "prompt_tokens": counts.prompt,
        "completion_tokens": counts.output,
        "total_tokens": counts.total,
        "prompt_tokens_details": {"cached_tokens": counts.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": counts.reasoning, "audio_tokens": 0},
    }


def _whole(choice: Choice, telling: Telling) -> dict[str, object]:
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
    if telling.extras.logprobs:
        logprobs = {"content": [openai_logprob(token, telling) for token in choice.text], "refusal": None}
    return {
        "index": choice.index,
        "message": message,
        "logprobs": logprobs,
        "finish_reason": choice.finish,
    }


class Stream:
    """Renders chunks of one reply; text chunks, nearly all of them, from two prepared pieces and the token."""

    def __init__(self, telling: Telling) -> None:
        self.telling = telling
        who = telling.who
        start = encode({"id": who.id, "object": "chat.completion.chunk", "created": who.created, "model": who.model})
        self._start = b"data: " + start[:-1] + b',"system_fingerprint":"' + FINGERPRINT.encode() + b'","choices":['
        # With include_usage every chunk has the field, null but in the last. Source: OpenAI's API reference.
        self._end = b'],"usage":null}\n\n' if telling.extras.usage_in_stream else b"]}\n\n"

    def delta(self, index: int, delta: dict[str, object], finish: str | None = None, tokens: int = 0) -> Event:
        """A chunk with any delta."""
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        return Event(self._start + encode(choice) + self._end, tokens, finish is not None)

    def texts(self, index: int, key: str, tokens: Iterable[str]) -> list[Event]:
        """Chunks with one token each, of `content` or `reasoning_content`."""
        before = self._start + b'{"index":%d,"delta":{"%b":' % (index, key.encode())
        after = b'},"logprobs":%b,"finish_reason":null}' + self._end
        if self.telling.extras.logprobs and key == "content":
            return [Event(before + encode(token) + after % encode(self._logprobs(token)), 1) for token in tokens]
        plain = after % b"null"
        return [Event(before + encode(token) + plain, 1) for token in tokens]

    def _logprobs(self, token: str) -> dict[str, object]:
        return {"content": [openai_logprob(token, self.telling)], "refusal": None}

    def usage(self, counted: dict[str, object]) -> Event:
        """The chunk that carries usage and no choice."""
        return Event(self._start + b'],"usage":' + encode(counted) + b"}\n\n")


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
