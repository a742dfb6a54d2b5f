"""A long conversation of an agent in each format that callers speak: system prompt, tools, calls and their results."""

import msgspec

from gateway.dialects.contract import TargetManner
from gateway.dialects.formats import CHAT, OUTBOUND
from gateway.simulator.dice import Dice
from gateway.simulator.prose import Book

SYSTEM_SHARE, TOOLS_SHARE = 0.2, 0.2  # of all bytes; the rest is what was said and done
TOOLS = 12
RESULT_TOKENS = 300
MANNER = TargetManner(model="auto", max_output_tokens=8192)


def conversation(dialect: str, size: int) -> bytes:
    """A request of about `size` bytes. Completions have no place for turns and tools: there it is one long prompt."""
    if dialect == "openai_completions":
        return msgspec.json.encode({"model": "auto", "prompt": prose(size // 6, 0)[: size - 64], "max_tokens": 1000})
    body = chat(size)
    return body if dialect == "openai_chat" else OUTBOUND[dialect].write_request(CHAT.read_request(body), MANNER).body


def chat(size: int) -> bytes:
    """In Chat Completions, from which the others are written."""
    messages: list[dict[str, object]] = [
        {"role": "system", "content": prose(size // 6, 1)[: int(size * SYSTEM_SHARE)]},
        {"role": "user", "content": prose(60, 2)},
    ]
    asked = {"model": "auto", "max_tokens": 1000, "messages": messages, "tools": tools(int(size * TOOLS_SHARE))}
    left = size - len(msgspec.json.encode(asked))
    while left > 0:
        step = turn(len(messages))
        messages += step
        left -= len(msgspec.json.encode(step))
    return msgspec.json.encode(asked)


def turn(number: int) -> list[dict[str, object]]:
    """A call, and what came of it."""
    call_id = f"call_{number:08d}"
    function = {
        "name": f"tool_{number % TOOLS}",
        "arguments": msgspec.json.encode({"query": prose(12, number)}).decode(),
    }
    return [
        {
            "role": "assistant",
            "content": prose(30, number),
            "tool_calls": [{"id": call_id, "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": call_id, "content": prose(RESULT_TOKENS, number)},
    ]


def tools(size: int) -> list[dict[str, object]]:
    """Tools with some parameters each, most of whose bytes are descriptions."""
    words = prose(size // 6, 3)
    share = size // TOOLS // 5
    texts = [words[start : start + share] for start in range(0, TOOLS * 5 * share, share)]
    return [tool(number, texts[number * 5 : number * 5 + 5]) for number in range(TOOLS)]


def tool(number: int, texts: list[str]) -> dict[str, object]:
    description, *members = texts
    properties = {f"member_{row}": {"type": "string", "description": text} for row, text in enumerate(members)}
    schema = {"type": "object", "properties": {"query": {"type": "string"}, **properties}, "required": ["query"]}
    return {
        "type": "function",
        "function": {"name": f"tool_{number}", "description": description, "parameters": schema},
    }


def prose(tokens: int, throw: int) -> str:
    return "".join(BOOK.passage(Dice(b"%d" % throw), tokens))


BOOK = Book(0)
