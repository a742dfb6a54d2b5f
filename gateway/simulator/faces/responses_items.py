"""The items of a response's output: a thought, a message, calls."""

from collections.abc import Sequence

from msgspec import Struct

from gateway.simulator.answer import Choice, ToolCall
from gateway.simulator.faces.logprobs import openai_logprob
from gateway.simulator.faces.seals import seal_of
from gateway.simulator.telling import Telling

Json = dict[str, object]


class Part(Struct, frozen=True):
    """The one part of an item that has parts: what its events are called, and what it is, empty and whole."""

    kind: str
    empty: Json
    whole: Json


class Item(Struct, frozen=True):
    """What there is to tell of one item."""

    empty: Json
    whole: Json
    kind: str = ""  # of its deltas; "" for an item that comes whole
    pieces: Sequence[str] = ()
    place: Json = {}  # of its part
    part: Part | None = None
    done_member: str = "text"
    done_more: Json = {}
    hidden_tokens: int = 0  # that are billed, but not told

    @property
    def event_count(self) -> int:
        """From `added` to `done`."""
        return 2 + (len(self.pieces) + 1 if self.kind else 0) + (2 if self.part is not None else 0)


def items_of(telling: Telling) -> list[Item]:
    made: list[Item] = []
    for choice in telling.answer.choices:
        if choice.thoughts:
            made.append(reasoning(choice, telling))
        if choice.text:
            made.append(message(choice, telling))
        made += [function_call(call, number, telling) for number, call in enumerate(choice.calls)]
    return made


def reasoning(choice: Choice, telling: Telling) -> Item:
    """A summary, where one was asked for: here all of the thought."""
    thought, shown = "".join(choice.thoughts), telling.extras.shows_thoughts
    seal = {"encrypted_content": seal_of(thought)} if telling.extras.seals_thoughts else {}
    empty: Json = {"id": f"rs_{telling.who.id}", "type": "reasoning", "summary": [], **seal}
    if not shown:
        return Item(empty, empty, hidden_tokens=len(choice.thoughts))
    summary: Json = {"type": "summary_text", "text": thought}
    return Item(
        empty=empty,
        whole={**empty, "summary": [summary]},
        kind="reasoning_summary_text",
        pieces=choice.thoughts,
        place={"summary_index": 0},
        part=Part("reasoning_summary_part", {"type": "summary_text", "text": ""}, summary),
    )


def message(choice: Choice, telling: Telling) -> Item:
    probable = [openai_logprob(token, telling) for token in choice.text] if telling.extras.logprobs else []
    empty_part: Json = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    part = {**empty_part, "text": "".join(choice.text), "logprobs": probable}
    shell: Json = {"id": f"msg_{telling.who.id}", "type": "message", "role": "assistant"}
    return Item(
        empty={**shell, "status": "in_progress", "content": []},
        whole={**shell, "status": status_of(choice), "content": [part]},
        kind="output_text",
        pieces=choice.text,
        place={"content_index": 0},
        part=Part("content_part", empty_part, part),
        done_more={"logprobs": probable},
    )


def function_call(call: ToolCall, number: int, telling: Telling) -> Item:
    shell: Json = {
        "id": f"fc_{telling.who.id}_{number}",
        "type": "function_call",
        "call_id": call.id,
        "name": call.name,
    }
    return Item(
        empty={**shell, "status": "in_progress", "arguments": ""},
        whole={**shell, "status": "completed", "arguments": "".join(call.arguments)},
        kind="function_call_arguments",
        pieces=call.arguments,
        done_member="arguments",
        done_more={"name": call.name},
    )


def status_of(choice: Choice) -> str:
    return "completed" if choice.finish in ("stop", "tool_calls") else "incomplete"
