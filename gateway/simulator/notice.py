"""What a simulated answer says first: that it is one, and what of the request was seen."""

import re

from gateway.simulator.chat import Chat, last_turn

QUOTED_WORDS = 12
QUOTED_CHARACTERS = 100
NAMED_TOOLS = 5
WORD = re.compile(r"\s*\S+")


def notice(chat: Chat) -> list[str]:
    """The tokens of the notice: words, each but the first with the space before it."""
    sentences = ["This is Steelyard's simulator, not a model.", *_of_words(chat), *_of_tools(chat)]
    return WORD.findall(" ".join(sentences))


def _of_words(chat: Chat) -> list[str]:
    said = next((text for message in reversed(chat.messages) if message.role == "user" for text in message.texts), "")
    start = said[: 4 * QUOTED_CHARACTERS]
    words = start.split()
    if not words:
        return []
    quoted = " ".join(words[:QUOTED_WORDS])[:QUOTED_CHARACTERS]
    is_all = start == said and quoted == " ".join(words)
    return [f'It was asked: "{quoted}{"" if is_all else " …"}".']


def _of_tools(chat: Chat) -> list[str]:
    results = sum(message.is_result for message in last_turn(chat.messages))
    if results:
        return [f"It was given {_counted(results, 'tool result')}."]
    if not chat.tools:
        return []
    names = [tool.function.name if tool.function else tool.type for tool in chat.tools]
    named = ", ".join([*names[:NAMED_TOOLS], *(["…"] if len(names) > NAMED_TOOLS else [])])
    return [
        f"It was offered {_counted(len(chat.tools), 'tool')} ({named}) and calls none, for an agent would carry out "
        "made-up arguments; tool_choice, or the header x-steelyard-simulate: OK;calls=1, asks for calls."
    ]


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
