"""Thoughts on the wire: `reasoning_content`, `reasoning`, and `reasoning_details` with the seals of their makers.

Source of the details' shape and formats: OpenRouter's API definition, ReasoningDetailUnion and ReasoningFormat, read
2026-11-23.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from gateway.dialects.seals import sealed, unsealed
from gateway.wire.conversation import Thought
from gateway.wire.delta import ThoughtDelta, ThoughtSealed

UNKNOWN = "unknown"
FAMILY_OF_FORMAT = {
    None: "anthropic",  # OpenRouter's own SDK takes a detail without a format for Anthropic's
    "anthropic-claude-v1": "anthropic",
    "google-gemini-v1": "google",
    "openai-responses-v1": "openai",
    "azure-openai-responses-v1": "openai",
    "bedrock-openai-responses-v1": "openai",
    "xai-responses-v1": "xai",
    "bedrock-xai-responses-v1": "xai",
    "meta-responses-v1": "meta",
}
FORMAT_OF_FAMILY = {
    "anthropic": "anthropic-claude-v1",
    "google": "google-gemini-v1",
    "openai": "openai-responses-v1",
    "xai": "xai-responses-v1",
    "meta": "meta-responses-v1",
}


class ReasoningDetail(Struct, frozen=True, gc=False, omit_defaults=True):
    """One element of `reasoning_details`: reasoning.text, reasoning.summary or reasoning.encrypted."""

    type: str = ""
    text: str | None = None
    summary: str | None = None
    data: str | None = None
    signature: str | None = None
    format: str | None = None
    id: str | None = None
    index: int | None = None


def thought_deltas(
    text: str, details: Sequence[ReasoningDetail] = (), choice: int = 0
) -> Iterator[ThoughtDelta | ThoughtSealed]:
    """What a message or a delta says about thought. `text` repeats what the details say, if they say anything."""
    if text and not any(detail.text or detail.summary for detail in details):
        yield ThoughtDelta(text, choice)
    for detail in details:
        said = detail.text or detail.summary
        if said:
            yield ThoughtDelta(said, choice)
        if detail.signature or detail.data:
            yield seal_of(detail, choice)


def seal_of(detail: ReasoningDetail, choice: int) -> ThoughtSealed:
    signature, hidden = detail.signature or "", detail.data or ""
    family = FAMILY_OF_FORMAT.get(detail.format, "")
    if not family:
        signature, signer = unsealed(signature, UNKNOWN)
        hidden, hider = unsealed(hidden, UNKNOWN)
        family = signer or hider
    return ThoughtSealed(signature, hidden, family, detail.id or "", choice)


def thoughts_of(text: str, details: Sequence[ReasoningDetail]) -> list[Thought]:
    """The thoughts of a message that a caller sends back."""
    thoughts: list[Thought] = []
    words: list[str] = []
    for delta in thought_deltas(text, details):
        if isinstance(delta, ThoughtDelta):
            words.append(delta.text)
        else:
            thoughts.append(Thought("".join(words), delta.signature, delta.hidden, delta.origin, delta.id))
            words.clear()
    if words:
        thoughts.append(Thought("".join(words)))
    return thoughts


def details_of(thoughts: Iterable[Thought], start: int = 0) -> list[ReasoningDetail]:
    """The details that carry the seals of these thoughts; none for a thought that nobody sealed."""
    details: list[ReasoningDetail] = []
    for number, thought in enumerate(thoughts, start):
        if not (thought.signature or thought.hidden):
            continue
        known = FORMAT_OF_FAMILY.get(thought.origin)
        maker = "" if known else thought.origin
        kind, identity = known or UNKNOWN, thought.id or None
        if thought.signature:
            signature = sealed(thought.signature, maker, "")
            details.append(
                ReasoningDetail(
                    "reasoning.text", thought.text, signature=signature, format=kind, id=identity, index=number
                )
            )
        elif thought.text:
            details.append(
                ReasoningDetail("reasoning.summary", summary=thought.text, format=kind, id=identity, index=number)
            )
        if thought.hidden:
            hidden = sealed(thought.hidden, maker, "")
            details.append(ReasoningDetail("reasoning.encrypted", data=hidden, format=kind, id=identity, index=number))
    return details
