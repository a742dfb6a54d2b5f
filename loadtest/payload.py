"""The one request and the one answer of the closed-loop measurement, and the events of its streams."""

import msgspec

MODEL = "bench/model"
ANSWER_BYTES = 566
EVENT_BYTES = 270


def request(stream: bool) -> bytes:
    """A short chat request, 288 bytes when it does not stream."""
    message = (
        "Summarise in one sentence why a proxy should decode no more of a request than it needs to decide. " + "x" * 64
    )
    body = {
        "model": MODEL,
        "messages": [{"role": "system", "content": "You are terse."}, {"role": "user", "content": message}],
        "max_tokens": 64,
    }
    return msgspec.json.encode({**body, "stream": True} if stream else body)


def answer() -> bytes:
    """A whole answer of 566 bytes."""
    document = {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1_763_800_000,
        "model": MODEL,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 48, "completion_tokens": 64, "total_tokens": 112},
    }
    missing = ANSWER_BYTES - len(msgspec.json.encode(document))
    document["choices"][0]["message"]["content"] = "y" * missing  # type: ignore[index]
    return msgspec.json.encode(document)


def events(count: int) -> list[bytes]:
    """The frames of one answer: `count` with content, of 270 bytes each, then finish with usage, and [DONE]."""
    return [
        *(frame(choice(f"{n:04d}")) for n in range(count)),
        frame({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
        frame({"choices": [], "usage": {"prompt_tokens": 48, "completion_tokens": count, "total_tokens": 48 + count}}),
        b"data: [DONE]\n\n",
    ]


def choice(text: str) -> dict[str, object]:
    """The part of a chunk that carries text, padded to the size of a real one."""
    bare = len(frame({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}))
    return {"choices": [{"index": 0, "delta": {"content": text + "z" * (EVENT_BYTES - bare)}, "finish_reason": None}]}


def frame(part: dict[str, object]) -> bytes:
    """One event of a chat completion stream."""
    head = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1_763_800_000, "model": MODEL}
    return b"data: " + msgspec.json.encode({**head, **part}) + b"\n\n"
