"""One choice of a stream that is being written: Deltas to the `delta` objects of chunks, but for plain text."""

from msgspec import UNSET, Raw, Struct, UnsetType

from gateway.dialects.chat.citations import written
from gateway.dialects.chat.custom import unwrapped
from gateway.dialects.chat.reasoning import ReasoningDetail, details_of
from gateway.dialects.chat.words import finish_written
from gateway.dialects.chat.write_answer import ImageOut, native_finish, seal_written
from gateway.wire.conversation import Thought
from gateway.wire.delta import (
    CallArguments,
    CallBegan,
    CitationDelta,
    Delta,
    Finish,
    MediaDelta,
    RefusalDelta,
    ThoughtDelta,
    ThoughtSealed,
)


class FunctionOut(Struct, frozen=True, gc=False):
    name: str | UnsetType = UNSET
    arguments: str = ""


class CustomOut(Struct, frozen=True, gc=False):
    name: str | UnsetType = UNSET
    input: str = ""


class CallOut(Struct, frozen=True, gc=False):
    index: int
    id: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    function: FunctionOut | UnsetType = UNSET
    custom: CustomOut | UnsetType = UNSET
    extra_content: dict[str, dict[str, str]] | UnsetType = UNSET


class AudioOut(Struct, frozen=True, gc=False):
    id: str
    data: str


class DeltaOut(Struct, frozen=True, gc=False):
    reasoning_content: str | UnsetType = UNSET
    reasoning_details: list[ReasoningDetail] | UnsetType = UNSET
    tool_calls: list[CallOut] | UnsetType = UNSET
    refusal: str | UnsetType = UNSET
    annotations: list[Raw] | UnsetType = UNSET
    images: list[ImageOut] | UnsetType = UNSET
    audio: AudioOut | UnsetType = UNSET


class SpokenChoice:
    """What a choice has said. custom: tools whose calls carry text, also where the provider saw functions."""

    def __init__(self, custom: frozenset[str], answer_id: str) -> None:
        self.text_size = 0  # characters
        self._custom = custom
        self._answer_id = answer_id
        self._finish = ""
        self._has_calls = False
        self._thought: list[str] = []  # of the thought that nobody has sealed yet
        self._thought_count = 0
        self._custom_calls: set[int] = set()  # by index
        self._wrapped: dict[int, list[str]] = {}  # arguments that are a text once they are whole

    def say(self, delta: Delta) -> DeltaOut | None:
        """None where the format has nothing to say, or not yet."""
        if isinstance(delta, CallArguments):
            return self._arguments(delta)
        if isinstance(delta, ThoughtDelta):
            self._thought.append(delta.text)
            return DeltaOut(reasoning_content=delta.text)
        if isinstance(delta, CallBegan):
            return DeltaOut(tool_calls=[self._call(delta)])
        if isinstance(delta, ThoughtSealed):
            return self._seal(delta)
        if isinstance(delta, RefusalDelta):
            return DeltaOut(refusal=delta.text)
        if isinstance(delta, CitationDelta):
            source = written(delta.citation, self.text_size)
            return None if source is None else DeltaOut(annotations=[source])
        if isinstance(delta, MediaDelta):
            return self._media(delta)
        if isinstance(delta, Finish):
            self._finish = delta.reason
        return None

    def rest(self) -> list[DeltaOut]:
        """What could be said only when everything had come."""
        texts = {index: unwrapped("".join(pieces)) for index, pieces in self._wrapped.items()}
        return [
            DeltaOut(tool_calls=[CallOut(index, custom=CustomOut(input=text))]) for index, text in texts.items() if text
        ]

    def ending(self) -> tuple[str, str | UnsetType]:
        """finish_reason, and the provider's own where OpenAI has no such word."""
        finish = finish_written(self._finish, self._has_calls)
        return finish, native_finish(self._finish, finish)

    def _call(self, call: CallBegan) -> CallOut:
        self._has_calls = True
        if call.is_custom or call.name in self._custom:
            self._custom_calls.add(call.index)
            if not call.is_custom:
                self._wrapped[call.index] = []
            return CallOut(call.index, call.id, "custom", custom=CustomOut(call.name))
        seal = seal_written(call.signature, call.origin)
        return CallOut(call.index, call.id, "function", FunctionOut(call.name), extra_content=seal)

    def _arguments(self, piece: CallArguments) -> DeltaOut | None:
        if piece.index not in self._custom_calls:
            return DeltaOut(tool_calls=[CallOut(piece.index, function=FunctionOut(arguments=piece.text))])
        if piece.index in self._wrapped:
            self._wrapped[piece.index].append(piece.text)
            return None
        return DeltaOut(tool_calls=[CallOut(piece.index, custom=CustomOut(input=piece.text))])

    def _seal(self, seal: ThoughtSealed) -> DeltaOut | None:
        thought = Thought("".join(self._thought), seal.signature, seal.hidden, seal.origin, seal.id)
        self._thought.clear()
        details = details_of([thought], self._thought_count)
        self._thought_count += 1
        return DeltaOut(reasoning_details=details) if details else None

    def _media(self, media: MediaDelta) -> DeltaOut:
        if media.kind == "image":
            url = f"data:{media.media_type or 'image/png'};base64,{media.data}"
            return DeltaOut(images=[ImageOut("image_url", {"url": url})])
        return DeltaOut(audio=AudioOut(f"audio_{self._answer_id}", media.data))
