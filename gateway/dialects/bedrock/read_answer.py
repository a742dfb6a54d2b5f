"""What an answer says, event by event or whole."""

import msgspec
from msgspec import Raw

from gateway.dialects.answer import is_utf8, stray_error
from gateway.dialects.bedrock.names import DIALECT, FAMILY, MALFORMED, finish_of, malformed_error
from gateway.dialects.bedrock.schema import (
    ANSWER,
    CITATION,
    TEXT,
    Block,
    CitationMember,
    CitationsContent,
    Event,
    Picture,
    Reasoning,
    TokenUsage,
    ToolUse,
)
from gateway.wire.conversation import Citation
from gateway.wire.delta import (
    Began,
    CallArguments,
    CallBegan,
    CitationDelta,
    Delta,
    Failure,
    Finish,
    MediaDelta,
    TextDelta,
    ThoughtDelta,
    ThoughtSealed,
    Usage,
    UsageReport,
)

NOTHING = (b"", b"null")
NO_BLOCK = Block()


def read_answer(body: bytes) -> list[Delta]:
    """A whole answer; empty when it is none of this format."""
    try:
        answer = ANSWER.decode(body) if is_utf8(body) else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        answer = None
    if answer is None or answer.output is None or answer.output.message is None:
        error = stray_error(body)
        return [] if error is None else [Failure(error)]
    reader = AnswerReader()
    deltas = reader.begin()
    for index, block in enumerate(answer.output.message.content or ()):
        deltas += reader.whole(block, index)
    deltas += reader.count(answer.usage)
    return deltas + reader.stop(answer.stopReason or "end_turn")


class AnswerReader:
    """Takes what is said of one answer, in order. failed: it has ended in an error, and nothing behind that counts."""

    def __init__(self) -> None:
        self.failed = False
        self._has_begun = False
        self._has_finished = False
        self._calls = 0
        self._call_ids: set[str] = set()
        self._numbers: dict[int, int] = {}  # the provider's index of a block to the number of the call in it
        self._signatures: dict[int, str] = {}  # of thoughts that go on
        self._formats: dict[int, str] = {}  # of pictures that go on
        self._text_length = 0  # characters so far
        self._text_start = 0  # of the block that is open

    def read(self, kind: str, event: Event) -> list[Delta]:
        """The Deltas of one event. kind: its type, `contentBlockDelta`, …"""
        index = event.contentBlockIndex or 0
        if kind == "contentBlockDelta":
            return self.begin() + self._continue(event.delta or NO_BLOCK, index)
        if kind == "contentBlockStart":
            return self.begin() + self._start(event.start or NO_BLOCK, index)
        if kind == "contentBlockStop":
            return self._close(index)
        if kind == "messageStart":
            return self.begin()
        if kind == "messageStop":
            return self.begin() + self.stop(event.stopReason or "end_turn")
        return self.count(event.usage) if kind == "metadata" else []

    def begin(self) -> list[Delta]:
        """Once. This API never says which model answers."""
        if self._has_begun:
            return []
        self._has_begun = True
        return [Began()]

    def whole(self, block: Block, index: int) -> list[Delta]:
        """A block that came whole."""
        self._text_start = self._text_length
        if block.citationsContent is not None:
            return self._cited(block.citationsContent)
        deltas = self._start(block, index)
        if block.toolUse is None:
            deltas += self._continue(block, index)
        return deltas + self._close(index)

    def count(self, usage: TokenUsage | None) -> list[Delta]:
        return [] if usage is None else [UsageReport(read_usage(usage))]

    def stop(self, reason: str) -> list[Delta]:
        """How it ended."""
        if self._has_finished:
            return []
        self._has_finished = True
        deltas = [delta for index in sorted(self._signatures) for delta in self._close(index)]
        if reason in MALFORMED:
            self.failed = True
            return [*deltas, Failure(malformed_error(reason))]
        return [*deltas, Finish(finish_of(reason, self._calls > 0))]

    def _start(self, block: Block, index: int) -> list[Delta]:
        self._text_start = self._text_length
        if block.image is not None and block.image.format:
            self._formats[index] = block.image.format
        return [] if block.toolUse is None else self._call(block.toolUse, index)

    def _call(self, call: ToolUse, index: int) -> list[Delta]:
        """It opens, perhaps with all of its arguments. What Bedrock runs itself is no call of the caller's."""
        if not call.name or call.type == "server_tool_use":
            return []
        number = self._numbers[index] = self._calls
        self._calls += 1
        id_ = call.toolUseId or ""
        if not id_ or id_ in self._call_ids:
            id_ = f"tooluse_{number}_{id_}".rstrip("_")
        self._call_ids.add(id_)
        deltas: list[Delta] = [CallBegan(number, id_, call.name)]
        if bytes(call.input) not in NOTHING:
            deltas.append(CallArguments(number, bytes(call.input).decode()))
        return deltas

    def _continue(self, delta: Block, index: int) -> list[Delta]:
        if delta.text:
            self._text_length += len(delta.text)
            return [TextDelta(delta.text)]
        if delta.toolUse is not None:
            text = as_text(delta.toolUse.input)
            return [CallArguments(self._numbers[index], text)] if text and index in self._numbers else []
        if delta.reasoningContent is not None:
            return self._think(delta.reasoningContent, index)
        if delta.image is not None:
            return self._picture(delta.image, index)
        return [] if bytes(delta.citation) in NOTHING else [CitationDelta(self._citation(delta.citation))]

    def _think(self, reasoning: Reasoning, index: int) -> list[Delta]:
        whole = reasoning.reasoningText
        text = reasoning.text or (whole.text if whole is not None else "")
        signature = reasoning.signature or (whole.signature if whole is not None else "")
        if signature:
            self._signatures[index] = self._signatures.get(index, "") + signature
        deltas: list[Delta] = [ThoughtDelta(text)] if text else []
        if reasoning.redactedContent:
            deltas.append(ThoughtSealed(hidden=reasoning.redactedContent, origin=FAMILY))
        return deltas

    def _picture(self, picture: Picture, index: int) -> list[Delta]:
        data = picture.source.bytes if picture.source is not None else None
        kind = picture.format or self._formats.get(index, "png")
        return [MediaDelta(f"image/{kind}", data)] if data else []

    def _close(self, index: int) -> list[Delta]:
        """What only the end of a block completes."""
        signature = self._signatures.pop(index, "")
        return [ThoughtSealed(signature, origin=FAMILY)] if signature else []

    def _cited(self, cited: CitationsContent) -> list[Delta]:
        """A text with its sources."""
        text = "".join(piece.text or "" for piece in cited.content or ())
        self._text_length += len(text)
        deltas: list[Delta] = [TextDelta(text)] if text else []
        return deltas + [CitationDelta(self._citation(raw)) for raw in cited.citations or ()]

    def _citation(self, raw: Raw) -> Citation:
        """It speaks of the whole text of its block."""
        told = read_citation(raw)
        url = told.location.web.url if told.location is not None and told.location.web is not None else None
        source = told.source or ""
        return Citation(
            DIALECT,
            Raw(bytes(raw)),
            url or (source if source.startswith(("http://", "https://")) else ""),
            told.title or "",
            "".join(piece.text or "" for piece in told.sourceContent or ()),
            self._text_start,
            self._text_length,
        )


def read_citation(raw: Raw) -> CitationMember:
    """What is told of a source; nothing, where it is told in a way that is not this format's."""
    try:
        return CITATION.decode(raw)
    except msgspec.DecodeError:
        return CitationMember()


def read_usage(told: TokenUsage) -> Usage:
    """Ours counts the cached tokens among those of the input."""
    read, written = told.cacheReadInputTokens or 0, told.cacheWriteInputTokens or 0
    kept_long = sum(detail.inputTokens or 0 for detail in told.cacheDetails or () if detail.ttl == "1h")
    return Usage(
        input_tokens=(told.inputTokens or 0) + read + written,
        cached_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=min(kept_long, written),
        output_tokens=told.outputTokens or 0,
    )


def as_text(raw: Raw) -> str:
    """A piece of arguments: a JSON string."""
    try:
        return TEXT.decode(raw)
    except msgspec.DecodeError:
        return ""
