"""How each format asks, and what a caller of it reads: by the bytes, with none of the gateway's own readers."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

PROMPT = "hello"
MOST_TOKENS = 16  # asked for at most; answers have fewer
Document = dict[str, Any]


class Told(Struct):
    """What an answer said, however it came."""

    text: str = ""
    pieces: list[str] = []  # of the text, event by event; read for openai_chat
    arguments: str = ""  # of tool calls
    finishes: int = 0  # how often it said why it ended
    usages: int = 0  # how often a stream said what it used; of formats that say it in an event of its own
    errors: list[str] = []  # messages
    endings: int = 0  # how often a stream said that it was over
    is_ended_last: bool = True  # nothing came after that
    malformed: list[str] = []  # lines or events that are none


class Format(Struct, frozen=True):
    """One format of callers."""

    name: str
    path: Callable[[str, bool], str]  # model, stream
    body: Callable[[str, bool], Document]
    read: Callable[[Told, Document], None]  # takes down a whole answer
    hear: Callable[[Told, Document], None]  # takes down an event of a stream
    marks_end: bool = True  # its streams end with an event that says so
    streams: bool = True
    writes: bool = True  # it asks for words


def told_by(form: Format, stream: bool, body: bytes) -> Told:
    """What a caller of this format reads in a 200."""
    told = Told()
    text = body.decode("utf-8", "replace")
    if not stream:
        document = decoded(text)
        if document is None:
            told.malformed.append(text[:80])
        else:
            form.read(told, document)
        return told
    for data in events(text, told):
        if told.endings:
            told.is_ended_last = False
        if data == "[DONE]":
            told.endings += 1
            continue
        document = decoded(data)
        if document is None:
            told.malformed.append(data[:80])
        else:
            form.hear(told, document)
    return told


def events(text: str, told: Told) -> Iterator[str]:
    """The data of each event. What is no line of SSE is noted as malformed."""
    data: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line:
            if data:
                yield "\n".join(data)
            data = []
        elif not line.startswith((":", "event:", "id:", "retry:")):
            told.malformed.append(line[:80])
    if data:
        told.malformed.append(data[0][:80])


def decoded(text: str) -> Document | None:
    """A JSON object, None for anything else."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def error_of(document: Document) -> str | None:
    """The message of an error document of any of these formats; None when it is none."""
    error = document.get("error")
    message = error.get("message") if isinstance(error, dict) else None
    return message if isinstance(message, str) else None


def is_error_of(form: Format, document: Document) -> bool:
    """Whether an error document has the members that this format's SDKs look for."""
    error = document.get("error")
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return False
    if form.name == "anthropic_messages":
        return document.get("type") == "error" and isinstance(error.get("type"), str)
    if form.name == "gemini":
        return isinstance(error.get("code"), int) and isinstance(error.get("status"), str)
    return isinstance(error.get("type"), str) and "code" in error


# --- OpenAI: Chat Completions, Completions ---


def chat_body(model: str, stream: bool) -> Document:
    body = {"model": model, "max_tokens": MOST_TOKENS, "messages": [{"role": "user", "content": PROMPT}]}
    return {**body, "stream": True, "stream_options": {"include_usage": True}} if stream else body


def completions_body(model: str, stream: bool) -> Document:
    body = {"model": model, "max_tokens": MOST_TOKENS, "prompt": PROMPT}
    return {**body, "stream": True, "stream_options": {"include_usage": True}} if stream else body


def read_choices(told: Told, document: Document) -> None:
    """Of both, whole or a chunk: a message, a delta or a text."""
    said = error_of(document)
    told.errors += [] if said is None else [said]
    told.usages += bool(document.get("usage"))
    for choice in document.get("choices") or ():
        message = choice.get("message") or choice.get("delta") or choice
        piece = message.get("content") or message.get("text") or ""
        told.text += piece
        told.pieces += [piece] if piece else []
        told.finishes += choice.get("finish_reason") not in (None, "error")
        for call in message.get("tool_calls") or ():
            told.arguments += call["function"].get("arguments") or ""


# --- OpenAI: Responses ---


def responses_body(model: str, stream: bool) -> Document:
    return {"model": model, "stream": stream, "max_output_tokens": MOST_TOKENS, "input": PROMPT}


def read_response(told: Told, document: Document) -> None:
    told.finishes += document.get("status") in ("completed", "incomplete")
    for item in document.get("output") or ():
        told.text += "".join(part.get("text", "") for part in item.get("content") or ())
        told.arguments += item.get("arguments") or ""


def hear_response(told: Told, event: Document) -> None:
    kind = event.get("type")
    if kind == "response.output_text.delta":
        told.text += event["delta"]
    elif kind == "response.function_call_arguments.delta":
        told.arguments += event["delta"]
    elif kind in ("response.completed", "response.incomplete"):
        told.finishes += 1
        told.endings += 1
    elif kind == "response.failed":
        told.errors.append(error_of(event["response"]) or "")
    elif kind == "error":
        told.errors.append(event.get("message") or error_of(event) or "")


# --- Anthropic ---


def messages_body(model: str, stream: bool) -> Document:
    messages = [{"role": "user", "content": PROMPT}]
    return {"model": model, "stream": stream, "max_tokens": MOST_TOKENS, "messages": messages}


def read_message(told: Told, document: Document) -> None:
    told.finishes += document.get("stop_reason") is not None
    for block in document.get("content") or ():
        told.text += block.get("text") or ""


def hear_message(told: Told, event: Document) -> None:
    kind = event.get("type")
    if kind == "content_block_delta":
        told.text += event["delta"].get("text") or ""
    elif kind == "message_delta":
        told.finishes += event["delta"].get("stop_reason") is not None
    elif kind == "message_stop":
        told.endings += 1
    elif kind == "error":
        told.errors.append(error_of(event) or "")


# --- Google ---


def gemini_body(model: str, stream: bool) -> Document:
    contents = [{"role": "user", "parts": [{"text": PROMPT}]}]
    return {"contents": contents, "generationConfig": {"maxOutputTokens": MOST_TOKENS}}


def gemini_path(model: str, stream: bool) -> str:
    return f"/v1beta/models/{model}:" + ("streamGenerateContent?alt=sse" if stream else "generateContent")


def read_candidates(told: Told, document: Document) -> None:
    said = error_of(document)
    told.errors += [] if said is None else [said]
    for candidate in document.get("candidates") or ():
        told.finishes += candidate.get("finishReason") is not None
        for part in (candidate.get("content") or {}).get("parts") or ():
            told.text += part.get("text") or ""


# --- Embeddings ---


def embeddings_body(model: str, stream: bool) -> Document:
    return {"model": model, "input": PROMPT, "encoding_format": "float"}


def read_vectors(told: Told, document: Document) -> None:
    told.finishes = len(document["data"])
    told.text = json.dumps([round(number, 5) for row in document["data"] for number in row["embedding"]])


def at(path: str) -> Callable[[str, bool], str]:
    return lambda model, stream: path


FORMATS: tuple[Format, ...] = (
    Format("openai_chat", at("/v1/chat/completions"), chat_body, read_choices, read_choices),
    Format("openai_responses", at("/v1/responses"), responses_body, read_response, hear_response),
    Format("anthropic_messages", at("/v1/messages"), messages_body, read_message, hear_message),
    Format("gemini", gemini_path, gemini_body, read_candidates, read_candidates, marks_end=False),
    Format("openai_completions", at("/v1/completions"), completions_body, read_choices, read_choices),
    Format(
        "openai_embeddings",
        at("/v1/embeddings"),
        embeddings_body,
        read_vectors,
        read_vectors,
        streams=False,
        writes=False,
    ),
)
CHAT = FORMATS[0]
