"""Content blocks of a request to parts of a conversation."""

from base64 import b64encode
from collections.abc import Callable
from typing import Literal

from msgspec import Raw
from msgspec.structs import replace

from gateway.dialects.anthropic.invalid import decoded, missing, not_one_of, refusal
from gateway.dialects.anthropic.names import DIALECT, FAMILY
from gateway.dialects.anthropic.schema import (
    KIND,
    LOCATION,
    MEDIA,
    RAWS,
    REDACTED,
    SEARCH_RESULT,
    STRING,
    TEXT,
    THINKING,
    TOOL_RESULT,
    TOOL_USE,
    CacheControl,
    Location,
    MediaBlock,
    is_absent,
    is_array,
    is_string,
)
from gateway.dialects.seals import unsealed
from gateway.wire.conversation import (
    CacheMark,
    Citation,
    Loss,
    Media,
    Opaque,
    Part,
    Text,
    Thought,
    ToolCall,
    ToolResult,
)

SECONDS = {"5m": 300, "1h": 3600}


class Unsaid:
    """Collects what the vocabulary has no word for, so that other formats can report its loss."""

    def __init__(self) -> None:
        self.losses: list[Loss] = []

    def add(self, at: str, field: str) -> None:
        self.losses.append(Loss(f"{at}.{field}", "only the Anthropic Messages format has it"))


def parts_of(content: Raw, at: str, unsaid: Unsaid) -> list[Part]:
    """A string or an array of blocks. at: where it stands, for refusals."""
    if is_string(content):
        return [Text(decoded(STRING, content, at))]
    if not is_array(content):
        raise refusal(at, "Input should be a string or an array of content blocks")
    blocks: list[Raw] = decoded(RAWS, content, at)
    return with_signed_calls([part_of(block, f"{at}.{number}", unsaid) for number, block in enumerate(blocks)])


def part_of(block: Raw, at: str, unsaid: Unsaid) -> Part:
    """One block; of a type that we do not know it stays as it is."""
    kind = decoded(KIND, block, at).type
    read = READERS.get(kind)
    return Opaque(DIALECT, block, kind) if read is None else read(block, at, unsaid)


def with_signed_calls(parts: list[Part]) -> list[Part]:
    """Gemini signs calls. Where that signature had to travel as an empty thought before the call, it goes back."""
    for number in range(len(parts) - 2, -1, -1):
        thought, call = parts[number], parts[number + 1]
        if not isinstance(thought, Thought) or not isinstance(call, ToolCall) or thought.origin in ("", FAMILY):
            continue
        if thought.signature and not thought.text:
            parts[number : number + 2] = [replace(call, signature=thought.signature, origin=thought.origin, raw=None)]
    return parts


def mark_of(control: CacheControl | None, at: str) -> CacheMark | None:
    if control is None:
        return None
    if control.ttl is None:
        return CacheMark()
    if control.ttl not in SECONDS:
        raise not_one_of(f"{at}.cache_control.ttl", control.ttl, tuple(SECONDS))
    return CacheMark(SECONDS[control.ttl])


def text_of(block: Raw, at: str, unsaid: Unsaid) -> Text:
    read = decoded(TEXT, block, at)
    citations = tuple(
        citation_of(decoded(LOCATION, raw, f"{at}.citations.{number}"), raw)
        for number, raw in enumerate(read.citations or ())
    )
    return Text(read.text, mark_of(read.cache_control, at), citations)


def citation_of(place: Location, raw: Raw) -> Citation:
    """One that we made up for a foreign source has no index of Anthropic's, so it is nobody's own."""
    is_foreign = place.type == "web_search_result_location" and not place.encrypted_index
    return Citation(
        "" if is_foreign else DIALECT,
        raw,
        url=place.url or place.source or "",
        title=place.title or place.document_title or "",
        quote=place.cited_text or "",
    )


def image_of(block: Raw, at: str, unsaid: Unsaid) -> Part:
    return media_of(block, "image", at, unsaid)


def document_of(block: Raw, at: str, unsaid: Unsaid) -> Part:
    return media_of(block, "file", at, unsaid)


def media_of(block: Raw, kind: Literal["image", "file"], at: str, unsaid: Unsaid) -> Part:
    read = decoded(MEDIA, block, at)
    media = Media(kind, cache=mark_of(read.cache_control, at), name=read.title or "")
    if says_more(read, at, unsaid):
        media = replace(media, raw=block)
    source = read.source
    if source.type == "base64":
        return replace(media, data=given(source.data, f"{at}.source.data"), media_type=source.media_type)
    if source.type == "url":
        # A document by URL can only be a PDF here.
        media_type = "application/pdf" if kind == "file" else ""
        return replace(media, url=given(source.url, f"{at}.source.url"), media_type=media_type)
    if source.type == "file":
        return replace(media, file_id=given(source.file_id, f"{at}.source.file_id"), origin=DIALECT)
    if source.type == "text" and kind == "file":
        data = b64encode(given(source.data, f"{at}.source.data").encode()).decode()
        return replace(media, data=data, media_type="text/plain")
    if source.type == "content" and kind == "file":
        return Opaque(DIALECT, block, "document of content blocks")
    raise not_one_of(f"{at}.source.type", source.type, ("base64", "url", "file", "text", "content"))


def says_more(read: MediaBlock, at: str, unsaid: Unsaid) -> bool:
    """Whether there is something about it that only this format can say."""
    before = len(unsaid.losses)
    if read.context:
        unsaid.add(at, "context")
    if read.citations is not None and read.citations.enabled:
        unsaid.add(at, "citations")
    if not is_absent(read.transformations):
        unsaid.add(at, "transformations")
    return len(unsaid.losses) > before


def given(value: str | None, at: str) -> str:
    if value is None:
        raise missing(at)
    return value


def call_of(block: Raw, at: str, unsaid: Unsaid) -> ToolCall:
    read = decoded(TOOL_USE, block, at)
    before = len(unsaid.losses)
    if read.caller is not None and read.caller.type != "direct":
        unsaid.add(at, "caller")
    if read.toolset_name:
        unsaid.add(at, "toolset_name")
    return ToolCall(
        read.id,
        read.name,
        bytes(read.input).decode(),
        cache=mark_of(read.cache_control, at),
        raw=block if len(unsaid.losses) > before else None,
    )


def result_of(block: Raw, at: str, unsaid: Unsaid) -> ToolResult:
    read = decoded(TOOL_RESULT, block, at)
    before = len(unsaid.losses)
    if read.toolset_name:
        unsaid.add(at, "toolset_name")
    parts = () if is_absent(read.content) else result_parts(read.content, f"{at}.content", unsaid)
    return ToolResult(
        read.tool_use_id,
        parts,
        is_error=bool(read.is_error),
        cache=mark_of(read.cache_control, at),
        raw=block if len(unsaid.losses) > before else None,
    )


def result_parts(content: Raw, at: str, unsaid: Unsaid) -> tuple[Text | Media, ...]:
    """Texts and media; blocks of other types as text, so that no model has to do without them."""
    parts: list[Text | Media] = []
    for number, part in enumerate(parts_of(content, at, unsaid)):
        if isinstance(part, Text | Media):
            parts.append(part)
        else:
            unsaid.add(f"{at}.{number}", part.what if isinstance(part, Opaque) else "type")
            parts.append(Text(as_text(part)))
    return tuple(parts)


def as_text(part: Part) -> str:
    if not isinstance(part, Opaque):
        return getattr(part, "text", "")
    if part.what != "search_result":
        return bytes(part.raw).decode()
    found = decoded(SEARCH_RESULT, part.raw, "search_result")
    return "\n".join([found.title, found.source, *(text.text for text in found.content)])


def thought_of(block: Raw, at: str, unsaid: Unsaid) -> Thought:
    read = decoded(THINKING, block, at)
    signature, maker = unsealed(read.signature, FAMILY)
    return Thought(read.thinking, signature, origin=maker)


def hidden_thought_of(block: Raw, at: str, unsaid: Unsaid) -> Thought:
    hidden, maker = unsealed(decoded(REDACTED, block, at).data, FAMILY)
    return Thought(hidden=hidden, origin=maker)


READERS: dict[str, Callable[[Raw, str, Unsaid], Part]] = {
    "text": text_of,
    "image": image_of,
    "document": document_of,
    "tool_use": call_of,
    "tool_result": result_of,
    "thinking": thought_of,
    "redacted_thinking": hidden_thought_of,
}
