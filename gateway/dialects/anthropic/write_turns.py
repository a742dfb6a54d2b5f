"""Turns to messages that the API accepts: roles alternate, the user begins and ends, every call has one result.

Whatever has to be mended for that is told as a Loss. Sources: platform.claude.com, "Handle tool calls" and
"Mid-conversation system messages"; anthropics/skills, claude-api/shared/error-codes.md; read 2026-11-23.
"""

from msgspec import Struct

from gateway.dialects.anthropic.models import Abilities
from gateway.dialects.anthropic.write_parts import CallIds, PartWriter
from gateway.dialects.anthropic.written import BlockOut, MessageOut, RedactedOut, TextOut, ThinkingOut, ToolResultOut
from gateway.dialects.losses import Losses
from gateway.wire.conversation import Conversation, Part, Text, ToolCall, ToolResult, Turn

INSTRUCTING = ("system", "developer")


class Draft(Struct):
    """A message that is being put together."""

    role: str
    blocks: list[BlockOut] = []
    calls: list[str] = []  # ids of the calls in it
    results: dict[str, BlockOut] = {}  # by the id of the call; they go first


class Messages(Struct, frozen=True):
    system: list[BlockOut]
    messages: list[MessageOut]
    called: dict[str, None]  # names of tools that were called, in order


class TurnWriter:
    """Writes the turns of one conversation, in order."""

    def __init__(self, parts: PartWriter, able: Abilities, losses: Losses) -> None:
        self._parts = parts
        self._able = able
        self._losses = losses
        self._system: list[BlockOut] = []
        self._drafts: list[Draft] = []
        self._ids = CallIds()
        self._home: dict[str, Draft] = {}  # id of a call to the message it stands in
        self._called: dict[str, None] = {}

    def write(self, conversation: Conversation) -> Messages:
        turns = conversation.turns
        for number, turn in enumerate(turns):
            if turn.role in INSTRUCTING:
                self._instruct(turn, number, turns[number + 1 :])
            else:
                self._say(turn, number)
        self._drop_dangling_thoughts()
        self._mend_ends()
        self._answer_all_calls()
        return Messages(self._system, [message_of(draft) for draft in self._drafts], self._called)

    def _instruct(self, turn: Turn, number: int, following: tuple[Turn, ...]) -> None:
        """Where the model takes them in their place, after the user and before the assistant; else in front."""
        blocks = [block for part in turn.parts for block in self._parts.blocks(part, number, "system")]
        if not blocks:
            return
        if not self._drafts:
            self._system += blocks
        elif self._may_stand_here(following):
            self._draft("system").blocks.extend(blocks)
        else:
            self._losses.add_in_turn(number, "", "instructions amid the conversation were moved to the system prompt")
            self._system += blocks

    def _may_stand_here(self, following: tuple[Turn, ...]) -> bool:
        speaker = next((turn.role for turn in following if turn.role not in INSTRUCTING), "assistant")
        is_after_user = self._drafts[-1].role in ("user", "system")
        return self._able.system_turns and is_after_user and speaker == "assistant"

    def _say(self, turn: Turn, number: int) -> None:
        role = "assistant" if turn.role == "assistant" else "user"
        for part in turn.parts:
            if isinstance(part, ToolCall):
                self._call(part, number)
            elif isinstance(part, ToolResult):
                self._answer(part, number)
            else:
                for block in self._parts.blocks(part, number, role):
                    self._draft(role).blocks.append(block)

    def _draft(self, role: str) -> Draft:
        """The message that is open, or a new one when someone else speaks."""
        if not self._drafts or self._drafts[-1].role != role:
            self._drafts.append(Draft(role))
        return self._drafts[-1]

    def _call(self, part: ToolCall, number: int) -> None:
        draft = self._draft("assistant")
        id_ = self._ids.of_call(part.id)
        if part.signature and not part.raw:
            self._losses.add_in_turn(
                number, "tool_calls", f"a signature of {part.origin or 'another family'} means nothing here"
            )
        draft.blocks.append(self._parts.call(part, id_, number))
        draft.calls.append(id_)
        self._home[id_] = draft
        self._called[part.name] = None

    def _answer(self, part: ToolResult, number: int) -> None:
        """To the message behind its call, wherever it came."""
        id_ = self._ids.of_result(part.call_id)
        if id_ is None:
            self._losses.add_in_turn(number, "", "a result that no call asked for was told as text")
            self._say(Turn("user", as_words(part)), number)
            return
        results = self._draft_behind(self._home[id_], number).results
        if id_ in results:
            self._losses.add_in_turn(number, "", "a second result of the same call was joined to the first")
            results[id_] = joined(results[id_], self._parts.result(part, id_, number))
        else:
            results[id_] = self._parts.result(part, id_, number)

    def _draft_behind(self, draft: Draft, number: int) -> Draft:
        place = len(self._drafts)
        while self._drafts[place - 1] is not draft:  # it is nearly always the last
            place -= 1
        if place == len(self._drafts):
            return self._draft("user")
        if place < len(self._drafts) - 1 or self._drafts[place].role != "user":
            self._losses.add_in_turn(number, "", "a result that came late was moved behind its call")
        if self._drafts[place].role != "user":
            self._drafts.insert(place, Draft("user"))
        return self._drafts[place]

    def _drop_dangling_thoughts(self) -> None:
        """A message of the assistant must not end in a thought; one that holds nothing else goes altogether."""
        kept: list[Draft] = []
        for draft in self._drafts:
            while (
                draft.role == "assistant" and draft.blocks and isinstance(draft.blocks[-1], ThinkingOut | RedactedOut)
            ):
                draft.blocks.pop()
                self._losses.add("thinking", "a thought without words or calls behind it cannot be told")
            if kept and kept[-1].role == draft.role:
                kept[-1].blocks += draft.blocks
                kept[-1].results |= draft.results
            elif draft.blocks or draft.results:
                kept.append(draft)
        self._drafts = kept

    def _mend_ends(self) -> None:
        """The user begins and, where the model does not go on with a begun answer, ends."""
        if not self._drafts:
            self._drafts.append(Draft("user", self._system or [TextOut("Go on.")]))
            self._losses.add("messages", "the API wants a message of the user; it got the instructions as one")
            self._system = []
        if self._drafts[0].role == "assistant":
            self._drafts.insert(0, Draft("user", [TextOut("Go on.")]))
            self._losses.add_in_turn(0, "", "the API wants the user to begin; 'Go on.' was put before")
        last = self._drafts[-1]
        if last.role == "assistant" and not last.calls:
            if self._able.prefill:
                self._trim(last)
            else:
                self._drafts.append(Draft("user", [TextOut("Go on.")]))
                self._losses.add("messages", "this model does not go on with a begun answer; 'Go on.' was put behind")

    def _trim(self, draft: Draft) -> None:
        """A begun answer must not end in white space."""
        text = draft.blocks[-1]
        if isinstance(text, TextOut):
            text.text = text.text.rstrip()

    def _answer_all_calls(self) -> None:
        for place in range(len(self._drafts) - 1, -1, -1):
            draft = self._drafts[place]
            if not draft.calls:
                continue
            if place + 1 == len(self._drafts) or self._drafts[place + 1].role != "user":
                self._drafts.insert(place + 1, Draft("user"))
            behind = self._drafts[place + 1]
            for id_ in draft.calls:
                if id_ not in behind.results:
                    behind.results[id_] = ToolResultOut(id_, "There is no result.", is_error=True)
                    self._losses.add("messages", "a call without a result was given an empty one")
            behind.results = {id_: behind.results[id_] for id_ in draft.calls}


def message_of(draft: Draft) -> MessageOut:
    return MessageOut(draft.role, [*draft.results.values(), *draft.blocks])


def as_words(part: ToolResult) -> tuple[Part, ...]:
    return (Text(f"The result of {part.name or 'a tool'} ({part.call_id}):"), *part.parts)


def joined(first: BlockOut, second: BlockOut) -> BlockOut:
    """Two results as one; those that came as they are keep the first."""
    if not isinstance(first, ToolResultOut) or not isinstance(second, ToolResultOut):
        return first
    content = [*as_blocks(first.content), *as_blocks(second.content)]
    return ToolResultOut(first.tool_use_id, content, first.is_error or second.is_error, second.cache_control)


def as_blocks(content: "str | list[BlockOut]") -> list[BlockOut]:
    if isinstance(content, str):
        return [TextOut(content)] if content.strip() else []
    return content
