"""Messages of a request to turns: calls get ids where they have none, and results find their calls."""

from collections.abc import Iterable

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from gateway.dialects.gemini.media import DIALECT, read_blob, read_file
from gateway.dialects.gemini.names import ITEMS, MEMBERS
from gateway.dialects.gemini.schema import NOTHING, Content, FunctionCall, FunctionResponse, Part
from gateway.dialects.gemini.signatures import HOME, unwrapped
from gateway.errors import InvalidRequest
from gateway.wire import conversation
from gateway.wire.conversation import Loss, Media, Opaque, Role, Text, Thought, ToolCall, ToolResult, Turn

ROLES: dict[str | None, Role] = {None: "user", "": "user", "user": "user", "function": "user", "model": "assistant"}
STRING = msgspec.json.Decoder(str)

OwnPart = conversation.Part


class ContentsReader:
    """Takes messages in order. unsaid: what only the `raw` of a part says."""

    def __init__(self, raw_parts: "RawParts") -> None:
        self.turns: list[Turn] = []
        self.unsaid: list[Loss] = []
        self._raw_parts = raw_parts
        self._call_count = 0
        self._unanswered: list[tuple[str, str]] = []  # id and name of calls

    def take(self, content: Content, path: str) -> None:
        """Add one message; results of functions become turns of their own, before the rest."""
        role = ROLES.get(content.role)
        if role is None:
            raise InvalidRequest(
                f"Invalid value for '{path}.role': '{(content.role or '')[:40]}'; expected 'user' or 'model'.",
                param=f"{path}.role",
                code="invalid_value",
            )
        parts: list[OwnPart] = []
        for number, part in enumerate(content.parts or ()):
            if part.function_response is not None:
                self.turns.append(Turn("tool", (self._result(part.function_response),)))
            else:
                self._read(part, parts, f"{path}.parts[{number}]")
        if not parts:
            return
        last = self.turns[-1] if self.turns else None
        if role == "assistant" and last is not None and last.role == role:
            self.turns[-1] = Turn(role, joined(last.parts, parts))
        else:
            self.turns.append(Turn(role, tuple(parts)))

    def _read(self, part: Part, parts: list[OwnPart], path: str) -> None:
        if part.text is not None:
            read_text(part, parts)
            return
        if part.function_call is not None:
            parts.append(self._call(part.function_call, part.thought_signature))
            return
        if part.inline_data is not None:
            parts.append(self._with_raw(part, read_blob(part.inline_data, part.media_resolution), path))
        elif part.file_data is not None:
            parts.append(self._with_raw(part, read_file(part.file_data, part.media_resolution), path))
        else:
            parts += self._opaque(path)
            return
        read_signature(part, parts)

    def _with_raw(self, part: Part, media: Media, path: str) -> Media:
        """Cuts of a film, and resolutions that nobody else has a word for, are in the `raw` only."""
        only_here = {"videoMetadata": bool(part.video_metadata), "mediaResolution": part.media_resolution is not None}
        said = [name for name, is_said in only_here.items() if is_said]
        self.unsaid += [Loss(f"{path}.{name}", "only Gemini has it") for name in said]
        return replace(media, raw=self._raw_parts.at(path)) if said else media

    def _opaque(self, path: str) -> list[Opaque]:
        raw = self._raw_parts.at(path)
        kinds = [name for name in MEMBERS.decode(raw) if name not in ("thought", "thoughtSignature")]
        return [Opaque(DIALECT, raw, kinds[0])] if kinds else []

    def _call(self, call: FunctionCall, signature: str | None) -> ToolCall:
        self._call_count += 1
        call_id = call.id or f"gemini_call_{self._call_count}"
        name = call.name or ""
        self._unanswered.append((call_id, name))
        arguments = "{}" if bytes(call.args) in NOTHING else bytes(call.args).decode()
        seal = unwrapped(signature)
        return ToolCall(call_id, name, arguments, signature=seal.signature, origin=seal.maker)

    def _result(self, response: FunctionResponse) -> ToolResult:
        call_id, name = self._answered(response.id or "", response.name or "")
        text, is_error = read_output(response.response)
        media: list[Text | Media] = []
        for part in response.parts or ():
            if part.inline_data is not None:
                media.append(read_blob(part.inline_data))
            elif part.file_data is not None:
                media.append(read_file(part.file_data))
        return ToolResult(call_id, (Text(text), *media) if text else tuple(media), name, is_error)

    def _answered(self, call_id: str, name: str) -> tuple[str, str]:
        """Which call a response answers: by its id, else the first open one of its name, else the first open one."""
        by_id = [call for call in self._unanswered if call[0] == call_id]
        by_name = [call for call in self._unanswered if call[1] == name]
        found = by_id if call_id else by_name or self._unanswered
        if not found:
            return call_id or f"gemini_call_{self._call_count}", name
        answered = found[0]
        self._unanswered.remove(answered)  # `found` may be this very list
        return answered[0], name or answered[1]


class RawParts:
    """The parts as they came, for those of a kind that nobody here knows; decoded again only if there is one."""

    def __init__(self, members: dict[str, Raw]) -> None:
        self._members = members

    def at(self, path: str) -> Raw:
        """path: `contents[0].parts[1]`, `contents.parts[1]` or `systemInstruction.parts[0]`."""
        names = path.replace("[", ".[").split(".")
        raw = self._members[names[0]]
        for name in names[1:]:
            is_item = name.startswith("[")
            raw = ITEMS.decode(raw)[int(name[1:-1])] if is_item else MEMBERS.decode(raw)[name]
        return raw


def read_text(part: Part, parts: list[OwnPart]) -> None:
    """A text or a thought. An empty one with a signature seals the thought before it, or stands for what is hidden.

    A foreign signature is that of all the thought before it, of which the chunks of a stream hold a part each.
    """
    seal, text = unwrapped(part.thought_signature), part.text or ""
    last = parts[-1] if parts else None
    if not part.thought:
        if text:
            parts.append(Text(text))
        read_signature(part, parts)
    elif seal.maker not in ("", HOME):
        add_sealed(Thought(text, seal.signature, seal.hidden, seal.maker, seal.id), parts)
    elif not text and isinstance(last, Thought) and not last.origin and seal.maker:
        parts[-1] = Thought(last.text, seal.signature, seal.hidden, seal.maker, seal.id)
    else:
        parts.append(Thought(text, seal.signature, seal.hidden, seal.maker, seal.id))


def add_sealed(thought: Thought, parts: list[OwnPart]) -> None:
    """Add it, with all that stands unsigned before it: that is the beginning of the same thought."""
    texts = [thought.text]
    while parts and isinstance(last := parts[-1], Thought) and not last.origin:
        texts.append(last.text)
        parts.pop()
    parts.append(replace(thought, text="".join(reversed(texts))))


def read_signature(part: Part, parts: list[OwnPart]) -> None:
    """The signature of a part that is no thought: what was thought before it is hidden."""
    seal = unwrapped(part.thought_signature)
    if seal.maker:
        parts.append(Thought("", seal.signature, seal.hidden, seal.maker, seal.id))


def joined(first: tuple[OwnPart, ...], second: Iterable[OwnPart]) -> tuple[OwnPart, ...]:
    """Two messages of the model in a row: Google's SDKs keep each chunk of a stream as one, so a text goes on."""
    parts = list(first)
    for number, part in enumerate(second):
        last = parts[-1]
        if isinstance(part, Thought) and part.origin not in ("", HOME):
            add_sealed(part, parts)
        elif number == 0 and isinstance(part, Text) and isinstance(last, Text):
            parts[-1] = Text(last.text + part.text)
        elif number == 0 and isinstance(part, Thought) and isinstance(last, Thought) and not last.origin:
            parts[-1] = Thought(last.text + part.text, part.signature, part.hidden, part.origin, part.id)
        else:
            parts.append(part)
    return tuple(parts)


def read_output(raw: Raw) -> tuple[str, bool]:
    """What a function said, and whether it failed: text under "output" or "error", all of the JSON otherwise.

    Source: google-genai 3.4.0, FunctionResponse.response, read 2026-11-23.
    """
    if bytes(raw) in NOTHING:
        return "", False
    try:
        members = MEMBERS.decode(raw)
    except msgspec.DecodeError:
        return bytes(raw).decode(), False
    if len(members) == 1:
        name, value = next(iter(members.items()))
        if name in ("output", "error") and bytes(value).startswith(b'"'):
            return STRING.decode(value), name == "error"
    return bytes(raw).decode(), False
