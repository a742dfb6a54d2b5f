"""A caller's request, just as far as routing reads it."""

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.anthropic.errors import no_threads
from gateway.dialects.anthropic.invalid import (
    MAX_BLOCKS,
    MAX_MESSAGES,
    MAX_NAME_CHARACTERS,
    MAX_TOOLS,
    ROLES,
    check_count,
    check_link,
    decoded,
    missing,
    not_one_of,
    read_body,
    refusal,
)
from gateway.dialects.anthropic.names import DIALECT
from gateway.dialects.anthropic.schema import ABSENT, Metadata, Source, is_absent, is_array, is_string
from gateway.dialects.forced import forces_call
from gateway.dialects.wishes import wishes_in
from gateway.wire.ability import Ability
from gateway.wire.no_address import NoAddress
from gateway.wire.prompt import Prompt
from gateway.wire.wishes import Wishes

MAX_TOKENS = 2**53  # the largest whole number that every JSON reader keeps exact


class ThinMessage(Struct, frozen=True, gc=False):
    role: str
    content: Raw


class ThinBlock(Struct, frozen=True, gc=False):
    """A block of any type; the texts stay JSON."""

    type: str
    text: Raw = ABSENT
    thinking: Raw = ABSENT
    input: Raw = ABSENT
    content: Raw = ABSENT
    source: Raw = ABSENT


class ThinTool(Struct, frozen=True, gc=False):
    type: str | None = None


class ThinFormat(Struct, frozen=True, gc=False):
    format: Raw = ABSENT


class ThinRequest(NoAddress, frozen=True, gc=False):
    messages: list[ThinMessage]
    model: str | None = None
    models: list[str] | None = None
    max_tokens: int | None = None
    stream: bool | None = None
    system: Raw = ABSENT
    tools: list[Raw] | None = None
    output_config: ThinFormat | None = None
    metadata: Metadata | None = None
    session_id: str | None = None  # OpenRouter's
    provider: Wishes | None = None  # OpenRouter's
    tool_choice: Raw = ABSENT
    thread: Raw = ABSENT


class ClaudeCodeUser(Struct, frozen=True, gc=False):
    """What Claude Code writes, as JSON text, into `metadata.user_id`."""

    session_id: str = ""


THIN_REQUEST = msgspec.json.Decoder(ThinRequest)
THIN_BLOCKS = msgspec.json.Decoder(list[ThinBlock])
USER = msgspec.json.Decoder(ClaudeCodeUser)
SOURCE = msgspec.json.Decoder(Source)


class Gathered:
    """What walking the messages brings together."""

    __slots__ = ("blocks", "images", "needs", "texts")

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.needs = Ability(0)
        self.images = 0
        self.blocks = 0

    def text(self, raw: Raw) -> None:
        if raw:
            self.texts.append(bytes(raw))

    def content(self, content: Raw, at: str) -> list[ThinBlock]:
        """A string or blocks; the blocks, for those who want to know more."""
        if is_string(content):
            self.text(content)
            return []
        if not is_array(content):
            raise refusal(at, "Input should be a string or an array of content blocks")
        blocks: list[ThinBlock] = decoded(THIN_BLOCKS, content, at)
        self.blocks += len(blocks)
        check_count("messages", self.blocks, MAX_BLOCKS, "content blocks in all")
        for number, block in enumerate(blocks):
            self.block(block, f"{at}.{number}")
        return blocks

    def block(self, block: ThinBlock, at: str) -> None:
        if block.type == "text":
            if not is_string(block.text):
                raise (
                    missing(f"{at}.text")
                    if is_absent(block.text)
                    else refusal(f"{at}.text", "Input should be a string")
                )
            self.text(block.text)
        elif block.type == "image":
            self.images += 1
            self.needs |= Ability.IMAGES
            self.source(block.source, f"{at}.source")
        elif block.type == "document":
            self.document(block.source, f"{at}.source")
        elif block.type == "tool_result" and not is_absent(block.content):
            self.content(block.content, f"{at}.content")
        else:
            self.text(block.thinking)
            self.text(block.input)
            self.text(block.content)

    def source(self, raw: Raw, at: str) -> Source:
        source = decoded(SOURCE, raw, at) if not is_absent(raw) else Source("")
        if source.url is not None:
            check_link(source.url, f"{at}.url")
        return source

    def document(self, raw: Raw, at: str) -> None:
        """A plain text is only more to read; everything else needs a model that reads files."""
        source = self.source(raw, at)
        if source.type == "text":
            self.texts.append(msgspec.json.encode(source.data or ""))
        else:
            self.needs |= Ability.FILES


def parse(body: bytes, default_model: str = "") -> Prompt:
    """Read a request to be answered. Raises InvalidRequest."""
    request = read(body)
    if request.max_tokens is None:
        raise missing("max_tokens")
    if not is_absent(request.thread):
        raise no_threads()
    return prompt_of(request, body, default_model)


def parse_count(body: bytes, default_model: str = "") -> Prompt:
    """Read a request of which only the tokens are counted; it states no `max_tokens`. Raises InvalidRequest."""
    return prompt_of(read(body), body, default_model)


def read(body: bytes) -> ThinRequest:
    request = read_body(THIN_REQUEST, body)
    if not request.messages:
        raise refusal("messages", "at least one message is required")
    check_count("messages", len(request.messages), MAX_MESSAGES, "messages")
    check_count("tools", len(request.tools or ()), MAX_TOOLS, "tools")
    for name in (request.model or "", *(request.models or ())):
        check_count("model", len(name), MAX_NAME_CHARACTERS, "characters")
    if request.max_tokens is not None and not 0 <= request.max_tokens <= MAX_TOKENS:
        raise refusal("max_tokens", f"Input should be between 0 and {MAX_TOKENS}")
    return request


def prompt_of(request: ThinRequest, body: bytes, default_model: str) -> Prompt:
    """`default_model` stands in for an absent `model`; with `models` none is needed."""
    model = request.model or default_model
    if not model and not request.models:
        raise missing("model")
    gathered, last_role = gather(request)
    return Prompt(
        dialect=DIALECT,
        body=body,
        model=model,
        chain=tuple(request.models or ()),
        stream=bool(request.stream),
        wants_usage=True,
        needs=gathered.needs,
        texts=tuple(gathered.texts),
        message_count=len(request.messages),
        last_role=last_role,
        tool_count=len(request.tools or ()),
        image_count=gathered.images,
        max_output_tokens=request.max_tokens,
        choices=1,
        session=session_of(request),
        wishes=wishes_in(body, request.provider),
        forces_call=forces_call(request.tool_choice),
    )


def gather(request: ThinRequest) -> tuple[Gathered, str]:
    """All texts and needs, and who spoke last: "tool" when the last message brings results."""
    gathered = Gathered()
    if not is_absent(request.system):
        gathered.content(request.system, "system")
    blocks: list[ThinBlock] = []
    for number, message in enumerate(request.messages):
        if message.role not in ROLES:
            raise not_one_of(f"messages.{number}.role", message.role, ROLES)
        blocks = gathered.content(message.content, f"messages.{number}.content")
    for tool in request.tools or ():
        gathered.text(tool)
    if request.tools:
        gathered.needs |= Ability.TOOLS
    if request.output_config is not None and not is_absent(request.output_config.format):
        gathered.needs |= Ability.JSON_SCHEMA
        gathered.text(request.output_config.format)
    has_results = any(block.type == "tool_result" for block in blocks)
    return gathered, "tool" if has_results else request.messages[-1].role


def session_of(request: ThinRequest) -> str:
    """The session that Claude Code names, else whatever names the user; "" when nothing does."""
    user = (request.metadata.user_id or "") if request.metadata else ""
    if user.startswith("{"):
        try:
            return USER.decode(user).session_id or user
        except msgspec.DecodeError:
            return user
    return request.session_id or user
