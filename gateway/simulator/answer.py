"""What a simulated model answers: the same to the same request, whoever sells the model and however it travels."""

import msgspec
from msgspec import Raw, Struct

from gateway.simulator.chat import Chat, Function, last_turn
from gateway.simulator.dice import Dice, digest
from gateway.simulator.models import SimModel
from gateway.simulator.notice import notice
from gateway.simulator.prose import Book
from gateway.simulator.schema import value_for
from gateway.simulator.vectors import Vector

PIECE_CHARACTERS = 6  # of JSON, in one token
SHORTEST_PASSAGE = 8  # tokens: the heading, by which answers differ, and some words
EFFORT: dict[str, float] = {"none": 0, "minimal": 0, "low": 0.4, "medium": 1, "high": 2, "xhigh": 3}


class ToolCall(Struct, frozen=True):
    """A call of one tool; the pieces of `arguments` are its tokens."""

    id: str
    name: str
    arguments: tuple[str, ...]

    @property
    def whole(self) -> Raw | None:
        """The arguments as one JSON object; None when they were cut."""
        text = "".join(self.arguments).encode()
        try:
            msgspec.json.decode(text)
        except msgspec.DecodeError:
            return None
        return Raw(text)


class Choice(Struct, frozen=True):
    """One of the answers; each list holds one token per item."""

    index: int
    thoughts: list[str]
    text: list[str]
    calls: tuple[ToolCall, ...]
    finish: str  # OpenAI's finish_reason
    stop_sequence: str = ""  # the one that ended it

    @property
    def tokens(self) -> int:
        """Output tokens, thoughts included."""
        return len(self.thoughts) + len(self.text) + sum(len(call.arguments) for call in self.calls)


class Answer(Struct, frozen=True):
    """Everything that the model says to one request, and what it read for it."""

    choices: tuple[Choice, ...]
    prompt_tokens: int
    cached_tokens: int
    vectors: tuple[Vector, ...] = ()  # of an embedding model, which says nothing else

    @property
    def output_tokens(self) -> int:
        """Of all choices, thoughts included. A vector counts as one, so that it is sent and paid for like a token."""
        return sum(choice.tokens for choice in self.choices) + len(self.vectors)

    @property
    def reasoning_tokens(self) -> int:
        """Of all choices."""
        return sum(len(choice.thoughts) for choice in self.choices)


class Wishes(Struct, frozen=True):
    """What the simulate header may ask of a good answer."""

    tokens: int | None = None  # exactly this many of text, unless the caller's limit is lower
    calls: int | None = None  # this many tool calls, when tools are offered


def answer(chat: Chat, model: SimModel, book: Book, seed: int, cached_tokens: int, wishes: Wishes) -> Answer:
    """The answer of `model` to `chat`."""
    request = chat.request
    shape = msgspec.json.encode((seed, request.seed, request.response_format, request.reasoning_effort))
    about = digest(model.id.encode(), chat.prompt, shape)
    choices = tuple(
        _choice(chat, model, book, Dice(about + b"%d" % index), index, wishes) for index in range(request.n or 1)
    )
    return Answer(choices, chat.prompt_tokens, cached_tokens)


def _choice(chat: Chat, model: SimModel, book: Book, dice: Dice, index: int, wishes: Wishes) -> Choice:
    thoughts = _thoughts(chat, model, book, dice)
    calls = _calls(chat, dice, wishes)
    if calls:
        return _limited(Choice(index, thoughts, [], calls, "tool_calls"), chat)
    text = _text(chat, model, book, dice, wishes)
    kept, met = _until_stop(text, chat.request.stop)
    return _limited(Choice(index, thoughts, kept, (), "stop", met), chat)


def _thoughts(chat: Chat, model: SimModel, book: Book, dice: Dice) -> list[str]:
    if not model.reasons:
        return []
    effort = EFFORT.get(chat.request.reasoning_effort or "medium", 1)
    length = round((32 + dice.below(160)) * effort)
    return book.sentences(dice, length) if length else []


def _text(chat: Chat, model: SimModel, book: Book, dice: Dice, wishes: Wishes) -> list[str]:
    wanted = chat.request.response_format
    if wanted is not None and wanted.type != "text":
        schema = wanted.json_schema.schema if wanted.json_schema else {"type": "object", "minProperties": 3}
        return list(_pieces(msgspec.json.encode(value_for(schema, dice)).decode()))
    if chat.beginning:
        return book.rest(chat.beginning, wishes.tokens)
    if wishes.tokens is not None:
        return book.passage(dice, wishes.tokens)
    length = model.typical_tokens // 2 + dice.below(model.typical_tokens)
    said = notice(chat)
    first, *rest = book.sentences(dice, max(SHORTEST_PASSAGE, length - len(said)))
    return [*said, " " + first, *rest]


def _calls(chat: Chat, dice: Dice, wishes: Wishes) -> tuple[ToolCall, ...]:
    """Tools are called when the caller forces it, or wishes it and has not just brought a tool's result.

    Never else: an agent carries out what it is told, and these arguments are made up.
    """
    functions = chat.callable_functions
    if not functions or not (chat.forces_calls or _wished(chat, wishes)):
        return ()
    count = wishes.calls if wishes.calls is not None else (2 if dice.below(4) == 0 else 1)
    if chat.request.parallel_tool_calls is False:
        count = min(count, 1)
    return tuple(_call(dice.pick(functions), dice) for _ in range(count))


def _wished(chat: Chat, wishes: Wishes) -> bool:
    return wishes.calls is not None and not any(message.is_result for message in last_turn(chat.messages))


def _call(function: Function, dice: Dice) -> ToolCall:
    arguments = value_for(function.parameters or {"type": "object"}, dice)
    call_id = f"call_{dice.below(1 << 30):08x}{dice.below(1 << 30):08x}{dice.below(1 << 30):08x}"
    return ToolCall(call_id, function.name, _pieces(msgspec.json.encode(arguments).decode()))


def _pieces(text: str) -> tuple[str, ...]:
    return tuple(text[start : start + PIECE_CHARACTERS] for start in range(0, len(text), PIECE_CHARACTERS))


def _until_stop(text: list[str], stop: str | list[str] | None) -> tuple[list[str], str]:
    """The tokens before the first stop sequence, and which one it is; the token in which it begins is cut."""
    marks = [stop] if isinstance(stop, str) else stop or []
    whole = "".join(text)
    found = [(at, mark) for at, mark in ((whole.find(mark), mark) for mark in marks if mark) if at >= 0]
    if not found:
        return text, ""
    (left, met), kept = min(found), []
    for token in text:
        if left <= 0:
            break
        kept.append(token[:left])
        left -= len(token)
    return kept, met


def _limited(choice: Choice, chat: Chat) -> Choice:
    """`choice` within the caller's limit: thoughts count, calls are cut inside their arguments."""
    limit = chat.request.wanted_tokens
    if limit is None or choice.tokens <= limit:
        return choice
    thoughts = choice.thoughts[:limit]
    left = limit - len(thoughts)
    text = choice.text[:left]
    left -= len(text)
    calls = []
    for call in choice.calls:
        if left <= 0:
            break
        calls.append(ToolCall(call.id, call.name, call.arguments[:left]))
        left -= len(call.arguments)
    return Choice(choice.index, thoughts, text, tuple(calls), "length")
