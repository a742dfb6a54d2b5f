"""Parts of a conversation to blocks; what has no block becomes a Loss."""

import re
from collections.abc import Iterator

from gateway.dialects.arguments import WRAPPED, as_arguments
from gateway.dialects.bedrock.media import Refused, written
from gateway.dialects.bedrock.model import Model
from gateway.dialects.bedrock.names import DIALECT, FAMILY
from gateway.dialects.bedrock.written import (
    BlockOut,
    CachePointOut,
    ReasoningOut,
    ReasoningTextOut,
    ToolResultOut,
    ToolUseOut,
)
from gateway.dialects.losses import Losses
from gateway.wire.conversation import CacheMark, Media, Opaque, Part, Refusal, Text, Thought, ToolCall, ToolResult

BAD_ID = re.compile(r"[^a-zA-Z0-9_.:-]")
BAD_NAME = re.compile(r"[^a-zA-Z0-9_-]")
LONGEST_ID = 64
MOST_MARKS = 4


class PartWriter:
    """Writes parts of one conversation."""

    def __init__(self, model: Model, losses: Losses) -> None:
        self._model = model
        self._losses = losses
        self._documents = 0
        self._marks = 0

    def blocks(self, part: Part, turn: int, role: str) -> Iterator[BlockOut]:
        """The blocks of any part but calls and results, which go by way of `call` and `result`."""
        if isinstance(part, Text | Refusal):
            yield from self._text(part, turn)
        elif isinstance(part, Media):
            yield from self._media(part, turn, role)
        elif isinstance(part, Thought):
            yield from self._thought(part, turn)
        elif isinstance(part, Opaque):
            self._losses.add_in_turn(turn, part.what, "only its own format has it")

    def call(self, part: ToolCall, id_: str, turn: int) -> Iterator[BlockOut]:
        if part.signature:
            self._losses.add_in_turn(turn, "tool_calls", f"a signature of {part.origin or 'another family'} is lost")
        arguments, was_wrapped = as_arguments(part.arguments, part.is_custom)
        if was_wrapped:
            self._losses.add_in_turn(turn, "tool_calls", WRAPPED)
        yield BlockOut(toolUse=ToolUseOut(id_, tool_name(part.name), arguments))
        yield from self._mark(part.cache, turn)

    def result(self, part: ToolResult, id_: str, turn: int) -> Iterator[BlockOut]:
        content = [block for inner in part.parts for block in self.blocks(inner, turn, "user")]
        marks = [block for block in content if block.cachePoint is not None]
        content = [block for block in content if block.cachePoint is None] or [BlockOut(text="(nothing)")]
        status = "error" if part.is_error else None
        yield BlockOut(toolResult=ToolResultOut(toolUseId=id_, content=content, status=status))
        yield from marks or self._mark(part.cache, turn)

    def _text(self, part: Text | Refusal, turn: int) -> Iterator[BlockOut]:
        """Bedrock refuses texts of nothing but white space."""
        if part.text.strip():
            yield BlockOut(text=part.text)
        if isinstance(part, Text):
            if any(citation.origin != DIALECT for citation in part.citations):
                self._losses.add_in_turn(turn, "annotations", "sources of what was said before cannot be told")
            if part.text.strip():
                yield from self._mark(part.cache, turn)

    def _media(self, part: Media, turn: int, role: str) -> Iterator[BlockOut]:
        if role != "user":
            self._losses.add_in_turn(turn, part.kind, f"a message of the {role} holds no media here")
            return
        block = written(part, self._documents + 1)
        if isinstance(block, Refused):
            self._losses.add_in_turn(turn, part.kind, block.reason)
            return
        if part.detail not in ("", "auto"):
            self._losses.add_in_turn(turn, "image_url.detail", "images are read in one detail here")
        self._documents += block.document is not None
        yield block
        yield from self._mark(part.cache, turn)

    def _thought(self, part: Thought, turn: int) -> Iterator[BlockOut]:
        """Only what a model here has sealed itself, and that unchanged."""
        if part.origin == FAMILY and part.hidden:
            yield BlockOut(reasoningContent=ReasoningOut(redactedContent=part.hidden))
        elif part.origin == FAMILY and part.signature:
            yield BlockOut(reasoningContent=ReasoningOut(ReasoningTextOut(part.text, part.signature)))
        elif part.text or part.signature or part.hidden:
            self._losses.add_in_turn(turn, "reasoning", "this model takes back only thoughts that it signed itself")

    def _mark(self, mark: CacheMark | None, turn: int) -> Iterator[BlockOut]:
        if mark is None:
            return
        if not self._model.takes_marks:
            self._losses.add("cache_control", "this model takes no marks for its cache")
        elif self._marks == MOST_MARKS:
            self._losses.add("cache_control", f"{MOST_MARKS} marks are allowed; the later ones were dropped")
        else:
            self._marks += 1
            yield BlockOut(cachePoint=self._cache_point(mark))

    def _cache_point(self, mark: CacheMark) -> CachePointOut:
        if mark.seconds > 300 and self._model.is_nova:
            self._losses.add("cache_control.ttl", "this model keeps what is marked for five minutes")
            return CachePointOut("default")
        return CachePointOut("default", "1h" if mark.seconds > 300 else None)


class CallIds:
    """Ids as Bedrock wants them: 64 letters, digits and a few signs at most, and none twice."""

    def __init__(self) -> None:
        self._latest: dict[str, str] = {}  # the caller's id to ours
        self._taken: set[str] = set()

    def of_call(self, id_: str) -> str:
        """A new call's; what is said of the caller's id from now on belongs to it."""
        clean = BAD_ID.sub("_", id_)[-LONGEST_ID:] or "call"
        chosen, number = clean, 1
        while chosen in self._taken:
            number += 1
            chosen = f"{clean[: LONGEST_ID - 5]}_{number}"
        self._taken.add(chosen)
        self._latest[id_] = chosen
        return chosen

    def of_result(self, id_: str) -> str | None:
        """None where nothing was called by this id."""
        return self._latest.get(id_)


def tool_name(name: str) -> str:
    """Letters, digits, `_` and `-`, 64 of them at most."""
    return BAD_NAME.sub("_", name)[:LONGEST_ID] or "tool"
