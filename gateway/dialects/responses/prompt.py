"""A caller's request, just as far as routing reads it."""

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.findings import kind_of, missing, wrong_type
from gateway.dialects.forced import forces_call
from gateway.dialects.openai_chat import (
    ABILITY_OF_FORMAT,
    MAX_NAME_CHARACTERS,
    MAX_PARTS,
    MAX_TOKENS,
    MAX_TOOLS,
    check_length,
    check_range,
    check_scheme,
    too_long,
)
from gateway.dialects.responses.names import DIALECT
from gateway.dialects.responses.reading import ABSENT, RAWS, decoded, is_absent, is_array, is_string, read_body
from gateway.dialects.sessions import session_in
from gateway.dialects.wishes import wishes_in
from gateway.errors import InvalidRequest
from gateway.wire.ability import Ability
from gateway.wire.no_address import NoAddress
from gateway.wire.prompt import Prompt
from gateway.wire.wishes import Wishes

MAX_ITEMS = 10_000
ABILITY_OF_PART = {
    "input_image": Ability.IMAGES,
    "computer_screenshot": Ability.IMAGES,
    "input_audio": Ability.AUDIO,
    "input_file": Ability.FILES,
    "input_video": Ability.VIDEO,
}
OWN_TOOLS = ("function", "custom", "namespace")  # of the caller; the others are the provider's
LOGPROBS = "message.output_text.logprobs"


class ThinItem(Struct, frozen=True, gc=False):
    """An item of any type; the texts stay JSON."""

    type: str | None = None
    role: str | None = None
    content: Raw = ABSENT
    arguments: Raw = ABSENT
    input: Raw = ABSENT
    output: Raw = ABSENT
    summary: Raw = ABSENT


class ThinPart(Struct, frozen=True, gc=False):
    type: str | None = None
    text: Raw = ABSENT
    image_url: str | None = None
    file_url: str | None = None


class ThinTool(Struct, frozen=True, gc=False):
    type: str | None = None


class ThinFormat(Struct, frozen=True, gc=False):
    type: str = ""
    schema: Raw = ABSENT


class ThinText(Struct, frozen=True, gc=False):
    format: ThinFormat | None = None


class ConversationReference(Struct, frozen=True, gc=False):
    id: str | None = None


class ThinRequest(NoAddress, frozen=True, gc=False):
    input: Raw = ABSENT
    instructions: Raw = ABSENT
    model: str | None = None
    models: list[str] | None = None
    stream: bool | None = None
    tools: list[Raw] | None = None
    text: ThinText | None = None
    max_output_tokens: int | None = None
    top_logprobs: int | None = None
    include: list[str] | None = None
    previous_response_id: str | None = None
    conversation: str | ConversationReference | None = None
    prompt: Raw = ABSENT
    prompt_cache_key: str | None = None
    session_id: str | None = None  # OpenRouter's
    provider: Wishes | None = None  # OpenRouter's
    tool_choice: Raw = ABSENT
    metadata: Raw = ABSENT
    client_metadata: Raw = ABSENT  # Codex's
    user: str | None = None
    safety_identifier: str | None = None


THIN_REQUEST = msgspec.json.Decoder(ThinRequest)
THIN_ITEM = msgspec.json.Decoder(ThinItem)
THIN_ITEMS = msgspec.json.Decoder(list[ThinItem])
THIN_PARTS = msgspec.json.Decoder(list[ThinPart])
THIN_TOOL = msgspec.json.Decoder(ThinTool)


class Gathered:
    """What walking the items brings together."""

    __slots__ = ("images", "needs", "parts", "texts")

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.needs = Ability(0)
        self.images = 0
        self.parts = 0

    def text(self, raw: Raw) -> None:
        if not is_absent(raw):
            self.texts.append(bytes(raw))

    def item(self, item: ThinItem, at: str) -> None:
        self.content(item.content, f"{at}.content")
        self.content(item.output, f"{at}.output")
        for raw in (item.arguments, item.input, item.summary):
            self.text(raw)

    def content(self, content: Raw, at: str) -> None:
        """A string, parts, or what items of rarer types have there."""
        if not is_array(content):
            self.text(content)
            return
        parts = decoded(THIN_PARTS, content, at)
        self.parts += len(parts)
        check_length("input", self.parts, MAX_PARTS, "parts of content in all items together")
        for number, part in enumerate(parts):
            self.text(part.text)
            if part.type in ABILITY_OF_PART:
                self.media(part, f"{at}[{number}]")

    def media(self, part: ThinPart, at: str) -> None:
        """Only what every provider may fetch."""
        self.needs |= ABILITY_OF_PART[part.type or ""]
        self.images += part.type in ("input_image", "computer_screenshot")
        for name, url in (("image_url", part.image_url), ("file_url", part.file_url)):
            if url is not None:
                check_scheme(url, f"{at}.{name}")

    def tool(self, raw: Raw, at: str) -> None:
        self.text(raw)
        if decoded(THIN_TOOL, raw, at).type in OWN_TOOLS:
            self.needs |= Ability.TOOLS


def parse(body: bytes, default_model: str = "") -> Prompt:
    """Read a request. `default_model` stands in for an absent `model`; with `models` none is needed.

    Raises InvalidRequest.
    """
    request = check(body)
    model = request.model or default_model
    if not model and not request.models:
        raise missing("model")
    gathered = Gathered()
    gathered.text(request.instructions)
    items = items_of(request.input)
    for number, item in enumerate(items):
        gathered.item(item, f"input[{number}]")
    gather_rest(request, gathered)
    return Prompt(
        dialect=DIALECT,
        body=body,
        model=model,
        chain=tuple(request.models or ()),
        stream=bool(request.stream),
        wants_usage=True,
        needs=gathered.needs,
        texts=tuple(gathered.texts),
        message_count=max(len(items), 1),
        last_role=role_of(items[-1]) if items else "user",
        tool_count=len(request.tools or ()),
        image_count=gathered.images,
        max_output_tokens=request.max_output_tokens,
        choices=1,
        session=session_of(request),
        wishes=wishes_in(body, request.provider),
        forces_call=forces_call(request.tool_choice),
    )


def check(body: bytes) -> ThinRequest:
    """The thin view, within limits."""
    request = read_body(THIN_REQUEST, body)
    check_range("max_output_tokens", request.max_output_tokens, MAX_TOKENS)
    check_length("tools", len(request.tools or ()), MAX_TOOLS, "tools")
    for param, name in (("model", request.model or ""), *(("models", name) for name in request.models or ())):
        if len(name) > MAX_NAME_CHARACTERS:
            raise too_long(param, name)
    has_context = request.previous_response_id or request.conversation or not is_absent(request.prompt)
    if is_absent(request.input) and not has_context:
        raise missing("input")
    return request


def items_of(raw: Raw) -> list[ThinItem]:
    """A string is one message of the user."""
    if is_absent(raw):
        return []
    if is_string(raw):
        return [ThinItem("message", "user", raw)]
    if not is_array(raw):
        raise wrong_type("input", "a string or an array of items", kind_of(raw))
    try:
        items = THIN_ITEMS.decode(raw)
    except msgspec.ValidationError:  # again, one by one, for the place
        raws = decoded(RAWS, raw, "input")
        items = [decoded(THIN_ITEM, item, f"input[{number}]") for number, item in enumerate(raws)]
    if not items:
        raise empty_input()
    check_length("input", len(items), MAX_ITEMS, "items")
    return items


def empty_input() -> InvalidRequest:
    finding = "Invalid 'input': empty array. Expected at least 1 item."
    return InvalidRequest(finding, param="input", code="empty_array")


def gather_rest(request: ThinRequest, gathered: Gathered) -> None:
    for number, raw in enumerate(request.tools or ()):
        gathered.tool(raw, f"tools[{number}]")
    if request.text is not None and request.text.format is not None:
        gathered.needs |= ABILITY_OF_FORMAT.get(request.text.format.type, Ability(0))
        gathered.text(request.text.format.schema)
    if request.top_logprobs or LOGPROBS in (request.include or ()):
        gathered.needs |= Ability.LOGPROBS


def role_of(item: ThinItem) -> str:
    """Who speaks in it."""
    if item.role is not None:
        return item.role
    return "tool" if (item.type or "").endswith("_output") else "assistant"


def session_of(request: ThinRequest) -> str:
    """Of the fields that may name a session the most specific one counts."""
    conversation = request.conversation
    named = conversation.id if isinstance(conversation, ConversationReference) else conversation
    named = request.prompt_cache_key or request.session_id or named
    for metadata in (request.client_metadata, request.metadata):
        named = named or ("" if is_absent(metadata) else session_in(metadata))
    return named or request.user or request.safety_identifier or ""
