"""Messages of a caller's request to turns."""

import msgspec
from msgspec import Raw

from gateway.dialects.answer import is_something
from gateway.dialects.chat.citations import read_annotations
from gateway.dialects.chat.marks import mark_of
from gateway.dialects.chat.media import ImageUrl, read_audio, read_file, read_url
from gateway.dialects.chat.reading import Unsaid, decoded
from gateway.dialects.chat.reasoning import thoughts_of
from gateway.dialects.chat.request_schema import Call, CalledFunction, Message
from gateway.dialects.chat.request_schema import Part as ContentPart
from gateway.dialects.chat.words import DIALECT
from gateway.dialects.findings import kind_of, missing, wrong_role
from gateway.dialects.seals import unsealed
from gateway.wire.conversation import (
    CacheMark,
    Media,
    Opaque,
    Part,
    Refusal,
    Role,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Turn,
)

PART = msgspec.json.Decoder(ContentPart)
TYPED_PARTS = msgspec.json.Decoder(list[ContentPart])
CALL = msgspec.json.Decoder(Call)
TEXT = msgspec.json.Decoder(str)

ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
MESSAGE_MEMBERS = frozenset(Message.__struct_fields__)
CALL_MEMBERS = frozenset((*Call.__struct_fields__, "index"))
MARKS = ("cache_control", "prompt_cache_breakpoint")
MEMBERS_OF_PART = {
    kind: frozenset(("type", kind, *MARKS))
    for kind in ("text", "image_url", "video_url", "input_audio", "file", "refusal")
}
MEMBERS_OF_PART["thinking"] = frozenset(("type", "thinking", "closed"))


class MessagesReader:
    """Takes messages in order. A result that names no call answers the first one that is open."""

    def __init__(self, unsaid: Unsaid) -> None:
        self._unsaid = unsaid
        self._open_calls: list[str] = []
        self._count = 0

    def turn(self, message: Message, members: dict[str, Raw], path: str) -> Turn:
        """One message, one turn."""
        self._unsaid.note_members(members, MESSAGE_MEMBERS, path)
        role = ROLES.get(message.role)
        if role is None:
            raise wrong_role(message.role, f"{path}.role")
        if role == "tool":
            return Turn(role, (self._result(message, path),))
        parts = self._content(message.content, f"{path}.content")
        if message.cache_control is not None and parts:
            parts[-1] = marked(parts[-1], mark_of(message.cache_control, None))
        if role == "assistant":
            parts = self._assistant(message, parts, path)
        return Turn(role, tuple(parts), message.name or "")

    def _assistant(self, message: Message, parts: list[Part], path: str) -> list[Part]:
        thought = message.reasoning_content or message.reasoning or ""
        thoughts = thoughts_of(thought, message.reasoning_details or ())
        if message.annotations:
            parts = cited(parts, message.annotations)
        if message.refusal:
            parts.append(Refusal(message.refusal))
        if is_something(message.audio):
            parts.append(Opaque(DIALECT, message.audio, "audio"))
        parts += [read_url("image", image.image_url, None) for image in message.images or ()]
        for number, raw in enumerate(message.tool_calls or ()):
            parts.append(self._call(raw, f"{path}.tool_calls[{number}]"))
        if message.function_call is not None:
            parts.append(self._function_call(message.function_call, None, None))
        return [*thoughts, *parts]

    def _call(self, raw: Raw, path: str) -> ToolCall:
        call = decoded(CALL, raw, path)
        self._unsaid.note(raw, CALL_MEMBERS, path)
        if call.custom is not None:
            call_id = self._opened(call.id)
            return ToolCall(call_id, call.custom.name, call.custom.input, is_custom=True)
        if call.function is None:
            raise missing(f"{path}.function")
        google = call.extra_content.google if call.extra_content else None
        return self._function_call(call.function, call.id, google.thought_signature if google else None)

    def _function_call(self, function: CalledFunction, call_id: str | None, seal: str | None) -> ToolCall:
        arguments = function.arguments
        if isinstance(arguments, dict):
            arguments = msgspec.json.encode(arguments).decode()
        signature, origin = unsealed(seal or "", "google")
        return ToolCall(self._opened(call_id), function.name, arguments or "{}", signature=signature, origin=origin)

    def _opened(self, call_id: str | None) -> str:
        self._count += 1
        call_id = call_id or f"call_{self._count}"
        self._open_calls.append(call_id)
        return call_id

    def _result(self, message: Message, path: str) -> ToolResult:
        call_id = message.tool_call_id or (self._open_calls[0] if self._open_calls else "")
        if not call_id:
            raise missing(f"{path}.tool_call_id")
        if call_id in self._open_calls:
            self._open_calls.remove(call_id)
        content = self._content(message.content, f"{path}.content")
        parts = tuple(part for part in content if isinstance(part, Text | Media))
        if len(parts) < len(content):
            self._unsaid.add(f"{path}.content")
        return ToolResult(call_id, parts, message.name or "", cache=mark_of(message.cache_control, None))

    def _content(self, content: list[Raw] | str | None, path: str) -> list[Part]:
        if isinstance(content, list):
            return [part for number, raw in enumerate(content) for part in self._parts(raw, f"{path}[{number}]")]
        return [Text(content)] if content else []

    def _parts(self, raw: Raw, path: str) -> list[Part]:
        """One element of a content array; Mistral's `thinking` may hold several texts."""
        part = decoded(PART, raw, path)
        known = MEMBERS_OF_PART.get(part.type)
        if known is None:
            return [Opaque(DIALECT, raw, part.type)]
        read = read_part(part)
        if read is None:
            raise missing(f"{path}.{part.type}")
        self._unsaid.note(raw, known, path)
        return read


def read_part(part: ContentPart) -> list[Part] | None:
    """None when the member that the type promises is not there."""
    mark = mark_of(part.cache_control, part.prompt_cache_breakpoint)
    if part.type == "text":
        return None if part.text is None else [Text(part.text, mark)]
    if part.type == "image_url" and part.image_url is not None:
        return [read_url("image", link_of(part.image_url), mark)]
    if part.type == "video_url" and part.video_url is not None:
        return [read_url("video", link_of(part.video_url), mark)]
    if part.type == "input_audio" and part.input_audio is not None:
        return [read_audio(part.input_audio, mark)]
    if part.type == "file" and part.file is not None:
        return [read_file(part.file, mark)]
    if part.type == "refusal" and part.refusal is not None:
        return [Refusal(part.refusal)]
    if part.type == "thinking" and part.thinking:
        text = thinking_text(part.thinking)
        return [Thought(text)] if text else []
    return None


def link_of(link: ImageUrl | str) -> ImageUrl:
    return ImageUrl(link) if isinstance(link, str) else link


def thinking_text(raw: Raw) -> str:
    """Mistral's thought: an array of text parts; a bare string elsewhere. "" when it is neither."""
    try:
        if kind_of(raw) == "str":
            return TEXT.decode(raw)
        return "".join(part.text or "" for part in TYPED_PARTS.decode(raw))
    except msgspec.ValidationError:
        return ""


def marked(part: Part, mark: CacheMark | None) -> Part:
    return msgspec.structs.replace(part, cache=mark) if isinstance(part, Text | Media) else part


def cited(parts: list[Part], annotations: list[Raw]) -> list[Part]:
    """The parts, the last text with its sources."""
    for place in range(len(parts) - 1, -1, -1):
        part = parts[place]
        if isinstance(part, Text):
            parts[place] = msgspec.structs.replace(part, citations=tuple(read_annotations(annotations)))
            break
    return parts
