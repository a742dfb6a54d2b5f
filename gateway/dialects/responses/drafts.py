"""Items of an answer while they grow: what they are called, what they hold, and how they look when they are done."""

import msgspec
from msgspec import UNSET, Raw

from gateway.dialects.chat.custom import unwrapped
from gateway.dialects.responses.items import (
    CustomCallOut,
    FunctionCallOut,
    Item,
    MessageOut,
    OutputPart,
    OutputText,
    ReasoningOut,
    RefusalPart,
    SummaryText,
    url_citation,
)
from gateway.dialects.responses.names import DIALECT
from gateway.dialects.responses.namespaces import Place
from gateway.dialects.responses.thoughts import written_seal
from gateway.wire.conversation import Citation
from gateway.wire.delta import CallBegan, ThoughtSealed

TOKENS = msgspec.json.Decoder(dict[str, list[Raw] | None])
COMPLETED, INCOMPLETE = "completed", "incomplete"

encode = msgspec.json.encode


class PartDraft:
    """A text or a refusal of a message."""

    __slots__ = ("annotations", "is_refusal", "logprobs", "start", "words")

    def __init__(self, is_refusal: bool, start: int) -> None:
        self.is_refusal = is_refusal
        self.start = start  # characters of the answer before it
        self.words: list[str] = []
        self.annotations: list[Raw] = []
        self.logprobs: list[Raw] = []

    @property
    def text(self) -> str:
        return "".join(self.words)

    def say(self, text: str, logprobs: Raw | None) -> list[Raw]:
        """More of it. Returns its tokens, where they are told."""
        self.words.append(text)
        tokens = TOKENS.decode(logprobs).get("content") or [] if logprobs else []
        self.logprobs += tokens
        return tokens

    def cite(self, citation: Citation) -> Raw | None:
        """The annotation of a source; None for one without an address."""
        if citation.origin == DIALECT:
            annotation = citation.raw
        else:
            foreign = url_citation(citation, self.start, len(self.text))
            if foreign is None:
                return None
            annotation = Raw(encode(foreign))
        self.annotations.append(annotation)
        return annotation

    def whole(self) -> OutputPart:
        return RefusalPart(self.text) if self.is_refusal else OutputText(self.text, self.annotations, self.logprobs)


class MessageDraft:
    """What is said in one go."""

    __slots__ = ("id", "parts", "place")

    def __init__(self, tail: str, place: int) -> None:
        self.id = f"msg_{tail}_{place}"
        self.place = place  # output_index
        self.parts: list[PartDraft] = []

    def item(self, status: str) -> Item:
        return MessageOut("assistant", [part.whole() for part in self.parts], self.id, status)


class ThoughtDraft:
    """A thought, as a summary: clients hand that back unchanged, Codex leaves out everything else."""

    __slots__ = ("encrypted", "id", "place", "words")

    def __init__(self, tail: str, place: int) -> None:
        self.id = f"rs_{tail}_{place}"
        self.place = place
        self.words: list[str] = []
        self.encrypted = ""

    @property
    def text(self) -> str:
        return "".join(self.words)

    def seal(self, seal: ThoughtSealed) -> None:
        self.encrypted = written_seal(seal.signature, seal.hidden, seal.origin)

    def item(self, status: str) -> Item:
        summary = [SummaryText(self.text)] if self.words else []
        is_over = status != "in_progress"
        sealed = self.encrypted or (written_seal("", "", "") if is_over else UNSET)
        return ReasoningOut(summary, self.id, encrypted_content=sealed)


class CallDraft:
    """A call of a function or a custom tool, under the name that the caller knows.

    Only some formats know tools that take free text. In the others it came as an argument of a function, and is told
    when it is whole.
    """

    __slots__ = ("call_id", "id", "is_custom", "is_wrapped", "name", "namespace", "place", "words")

    def __init__(self, tail: str, place: int, began: CallBegan, known: Place) -> None:
        self.is_custom = began.is_custom or known.is_custom
        self.is_wrapped = known.is_custom and not began.is_custom
        self.id = f"{'ctc' if self.is_custom else 'fc'}_{tail}_{place}"
        self.place = place
        self.call_id = began.id
        self.name, self.namespace = known.name, known.namespace or UNSET
        self.words: list[str] = []

    @property
    def text(self) -> str:
        """Arguments or input as the caller gets them."""
        text = "".join(self.words)
        if self.is_wrapped:
            return unwrapped(text)
        return text if text or self.is_custom else "{}"

    def is_whole(self) -> bool:
        """Whether the arguments are an object that has ended."""
        text = "".join(self.words)
        if not text.rstrip().endswith("}"):
            return False
        try:
            msgspec.json.decode(text, type=dict[str, Raw])
        except (msgspec.DecodeError, RecursionError):
            return False
        return True

    def item(self, status: str) -> Item:
        text = "" if status == "in_progress" else self.text
        if self.is_custom:
            return CustomCallOut(self.call_id, self.name, text, self.namespace, self.id, status)
        return FunctionCallOut(self.call_id, self.name, text, self.namespace, self.id, status)
