"""Turns to messages that Converse accepts: user and assistant in turn, the user first, every call with its result.

Whatever has to be mended for that is told as a Loss. Source: Amazon Bedrock API reference, "Message" and
"ToolResultBlock", read 2026-11-23.
"""

from msgspec import Struct

from gateway.dialects.bedrock.write_parts import CallIds, PartWriter
from gateway.dialects.bedrock.written import BlockOut, MessageOut, ToolResultOut
from gateway.dialects.losses import Losses
from gateway.wire.conversation import Conversation, Part, Text, ToolCall, ToolResult, Turn

INSTRUCTING = ("system", "developer")
GO_ON = "Go on."
SEE = "See the document."


class Draft(Struct):
    """A message that is being put together."""

    role: str
    blocks: list[BlockOut] = []
    calls: list[str] = []  # ids of the calls in it
    results: dict[str, list[BlockOut]] = {}  # by the id of the call; they go first


class Messages(Struct, frozen=True):
    system: list[BlockOut]
    messages: list[MessageOut]
    called: dict[str, None]  # names of tools that were called, in order


class MessageWriter:
    """Writes the turns of one conversation, in order."""

    def __init__(self, parts: PartWriter, losses: Losses) -> None:
        self._parts = parts
        self._losses = losses
        self._system: list[BlockOut] = []
        self._drafts: list[Draft] = []
        self._ids = CallIds()
        self._home: dict[str, Draft] = {}  # id of a call to the message it stands in
        self._called: dict[str, None] = {}

    def write(self, conversation: Conversation) -> Messages:
        for number, turn in enumerate(conversation.turns):
            if turn.name:
                self._losses.add_in_turn(number, "name", "Bedrock has no names of participants")
            if turn.role in INSTRUCTING:
                self._instruct(turn, number)
            else:
                self._say(turn, number)
        self._mend_ends()
        self._answer_all_calls()
        messages = [MessageOut(draft.role, self._contents(draft)) for draft in self._drafts]
        return Messages(self._system, messages, self._called)

    def _instruct(self, turn: Turn, number: int) -> None:
        """Few models take instructions amid the conversation."""
        blocks = [block for part in turn.parts for block in self._parts.blocks(part, number, "system")]
        if blocks and self._drafts:
            self._losses.add_in_turn(number, "", "instructions amid the conversation were moved to the system prompt")
        self._system += blocks

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
        draft, id_ = self._draft("assistant"), self._ids.of_call(part.id)
        draft.blocks.extend(self._parts.call(part, id_, number))
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
        behind = self._draft_behind(self._home[id_])
        if behind is not self._drafts[-1]:
            self._losses.add_in_turn(number, "", "a result that came late was moved behind its call")
        results = behind.results
        blocks = list(self._parts.result(part, id_, number))
        if id_ in results:
            self._losses.add_in_turn(number, "", "a second result of the same call was joined to the first")
            blocks = joined(results[id_], blocks)
        results[id_] = blocks

    def _draft_behind(self, draft: Draft) -> Draft:
        place = len(self._drafts)
        while self._drafts[place - 1] is not draft:  # it is nearly always the last
            place -= 1
        if place == len(self._drafts) or self._drafts[place].role != "user":
            self._drafts.insert(place, Draft("user"))
        return self._drafts[place]

    def _mend_ends(self) -> None:
        """The user begins and ends."""
        if not self._drafts:
            self._drafts.append(Draft("user", self._system or [BlockOut(text=GO_ON)]))
            self._losses.add("messages", "Bedrock wants a message of the user; it got the instructions as one")
            self._system = []
        if self._drafts[0].role == "assistant":
            self._drafts.insert(0, Draft("user", [BlockOut(text=GO_ON)]))
            self._losses.add_in_turn(0, "", f"Bedrock wants the user to begin; '{GO_ON}' was put before")
        if self._drafts[-1].role == "assistant" and not self._drafts[-1].calls:
            self._drafts.append(Draft("user", [BlockOut(text=GO_ON)]))
            self._losses.add("messages", f"few models go on with a begun answer; '{GO_ON}' was put behind")

    def _answer_all_calls(self) -> None:
        for place in range(len(self._drafts) - 1, -1, -1):
            calls = self._drafts[place].calls
            if not calls:
                continue
            behind = self._draft_behind(self._drafts[place])
            for id_ in calls:
                if id_ not in behind.results:
                    nothing = ToolResultOut(
                        toolUseId=id_, content=[BlockOut(text="There is no result.")], status="error"
                    )
                    behind.results[id_] = [BlockOut(toolResult=nothing)]
                    self._losses.add("messages", "a call without a result was given an empty one")
            behind.results = {id_: behind.results[id_] for id_ in calls}

    def _contents(self, draft: Draft) -> list[BlockOut]:
        """Results go first; a document wants a text beside it."""
        blocks = [block for result in draft.results.values() for block in result] + draft.blocks
        has_document = any(block.document is not None for block in draft.blocks)
        if has_document and not any(block.text is not None for block in blocks):
            self._losses.add("messages", f"Bedrock wants a text beside a document; '{SEE}' was put there")
            blocks.append(BlockOut(text=SEE))
        return blocks


def as_words(part: ToolResult) -> tuple[Part, ...]:
    return (Text(f"The result of {part.name or 'a tool'} ({part.call_id}):"), *part.parts)


def joined(first: list[BlockOut], second: list[BlockOut]) -> list[BlockOut]:
    """Two results of one call as one."""
    both = [block.toolResult for block in (*first, *second) if block.toolResult is not None]
    whole = ToolResultOut(
        toolUseId=both[0].toolUseId,
        content=[block for result in both for block in result.content],
        status=next((result.status for result in both if result.status), None),
    )
    return [BlockOut(toolResult=whole), *(block for block in (*first, *second) if block.toolResult is None)]
