"""Parts of an answer as the caller's content blocks; the same words for a whole answer and for a stream."""

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.anthropic.names import DIALECT, FAMILY
from gateway.dialects.anthropic.written import BlockOut, RedactedOut, TextOut, ThinkingOut, ToolUseOut
from gateway.dialects.seals import sealed
from gateway.wire.conversation import Citation, Conversation, Opaque, Part, Refusal, Text, Thought, ToolCall

OBJECT = msgspec.json.Decoder(dict[str, Raw])


class WebLocation(Struct, frozen=True, tag_field="type", tag="web_search_result_location"):
    """A source that somebody else's search found. The empty index tells it from Anthropic's own."""

    url: str
    title: str
    cited_text: str
    encrypted_index: str = ""


class StopDetailsOut(Struct, frozen=True, tag_field="type", tag="refusal"):
    """What a refusal of another format says stands in the text already."""

    category: None = None
    explanation: None = None


def shows_thoughts(conversation: Conversation) -> bool:
    """False where the caller wants none, or none of their text."""
    thinking = conversation.thinking
    return thinking is None or not (thinking.summary == "omitted" or thinking.budget_tokens == 0)


def blocks_of(part: Part, shows: bool) -> list[BlockOut]:
    """The blocks of one part; none for what the format has no block for."""
    if isinstance(part, Text):
        citations = [raw for raw in map(citation_json, part.citations) if raw is not None]
        return [TextOut(part.text, citations or None)] if part.text or citations else []
    if isinstance(part, Thought):
        return thought_blocks(part, shows)
    if isinstance(part, ToolCall):
        call = ToolUseOut(part.id, part.name, Raw(input_json(part.arguments, part.is_custom)))
        return [*signature_blocks(part.signature, part.origin), call]
    if isinstance(part, Refusal):
        return [TextOut(part.text)] if part.text else []
    return [part.raw] if isinstance(part, Opaque) and part.origin == DIALECT else []


def thought_blocks(part: Thought, shows: bool) -> list[BlockOut]:
    blocks: list[BlockOut] = []
    text = part.text if shows else ""
    if text or part.signature:
        blocks.append(ThinkingOut(text, sealed(part.signature, part.origin, FAMILY)))
    if part.hidden:
        blocks.append(RedactedOut(sealed(part.hidden, part.origin, FAMILY)))
    return blocks


def signature_blocks(signature: str, origin: str) -> list[BlockOut]:
    """A call has no place for the signature of its maker; it travels as an empty thought before it."""
    return [ThinkingOut("", sealed(signature, origin, FAMILY))] if signature and origin not in ("", FAMILY) else []


def citation_json(citation: Citation) -> Raw | None:
    """Anthropic's own as it came, any other by its address."""
    if citation.origin == DIALECT:
        return citation.raw
    if not citation.url:
        return None
    return Raw(msgspec.json.encode(WebLocation(citation.url, citation.title, citation.quote)))


def input_json(arguments: str, is_custom: bool) -> bytes:
    """An object, which is all that clients take; what is none becomes a member of one."""
    if not is_custom:
        try:
            OBJECT.decode(arguments.strip() or "{}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return msgspec.json.encode({"arguments": arguments})
        return (arguments.strip() or "{}").encode()
    return msgspec.json.encode({"input": arguments})
