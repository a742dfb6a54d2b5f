"""The thin view of a body that routing needs: texts stay raw JSON."""

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.findings import excerpt, missing
from gateway.dialects.findings import kind_of as json_kind_of
from gateway.dialects.gemini.media import DIALECT, kind_of
from gateway.dialects.gemini.read_request import checked, guarded
from gateway.dialects.gemini.schema import ABSENT, NOTHING
from gateway.dialects.openai_chat import (
    MAX_CHOICES,
    MAX_MESSAGES,
    MAX_PARTS,
    MAX_TOKENS,
    MAX_TOOLS,
    check_length,
    check_range,
)
from gateway.dialects.wishes import wishes_in
from gateway.errors import InvalidRequest
from gateway.wire.ability import Ability
from gateway.wire.no_address import NoAddress
from gateway.wire.prompt import Prompt
from gateway.wire.wishes import Wishes

FORCED = b'"ANY"'  # the mode of function calling that has to end in a call
SCHEMES = ("https:", "http:", "gs:", "files/", "data:")
ABILITY_OF_KIND = {
    "image": Ability.IMAGES,
    "audio": Ability.AUDIO,
    "file": Ability.FILES,
    "video": Ability.VIDEO,
}


class View(Struct, frozen=True, rename="camel", gc=False):
    """Part of a body."""


class MediaView(View, frozen=True):
    mime_type: str | None = None
    file_uri: str | None = None


class PartView(View, frozen=True):
    text: Raw = ABSENT
    function_call: Raw = ABSENT
    function_response: Raw = ABSENT
    inline_data: MediaView | None = None
    file_data: MediaView | None = None


class ContentView(View, frozen=True):
    parts: list[PartView] | None = None
    role: str | None = None


class GenerationView(View, frozen=True):
    max_output_tokens: int | None = None
    candidate_count: int | None = None
    response_mime_type: str | None = None
    response_schema: Raw = ABSENT
    response_json_schema: Raw = ABSENT
    response_logprobs: bool | None = None


class RequestView(NoAddress, View, frozen=True):
    contents: list[ContentView] | ContentView | str | None = None
    system_instruction: ContentView | str | None = None
    tools: list[dict[str, Raw]] | dict[str, Raw] | None = None
    generation_config: GenerationView | None = None
    model: str | None = None
    models: list[str] | None = None  # ours: an explicit order
    provider: Wishes | None = None  # OpenRouter's
    tool_config: Raw = ABSENT


REQUEST = msgspec.json.Decoder(RequestView)
DECLARATIONS = msgspec.json.Decoder(list[Raw])


class Gathered:
    """What walking the contents and tools brings together."""

    __slots__ = ("images", "needs", "parts", "texts", "tools")

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.needs = Ability(0)
        self.images = 0
        self.parts = 0
        self.tools = 0

    def content(self, content: ContentView | str | None) -> None:
        if isinstance(content, str):
            self.texts.append(msgspec.json.encode(content))
        parts = (content.parts or []) if isinstance(content, ContentView) else []
        self.parts += len(parts)
        for part in parts:
            for raw in (part.text, part.function_call, part.function_response):
                if json_kind_of(raw) != "null":
                    self.texts.append(bytes(raw))
            for media in (part.inline_data, part.file_data):
                if media is not None:
                    self.media(media)

    def media(self, media: MediaView) -> None:
        if media.file_uri and not media.file_uri[:6].lower().startswith(SCHEMES):
            raise InvalidRequest(
                f"Invalid 'fileUri': {excerpt(media.file_uri)!r} is no http, https or gs URI and no upload; "
                "put what is in a file into 'inlineData'.",
                param="fileUri",
                code="invalid_value",
            )
        kind = kind_of(media.mime_type or "", media.file_uri or "")
        self.images += kind == "image"
        self.needs |= ABILITY_OF_KIND[kind]

    def tool(self, entry: dict[str, Raw]) -> None:
        for name, raw in entry.items():
            if name != "functionDeclarations":
                self.tools += 1
            elif bytes(raw) not in NOTHING:
                self.functions(raw)

    def functions(self, raw: Raw) -> None:
        found = guarded(lambda: DECLARATIONS.decode(raw), raw, "tools.functionDeclarations")
        self.tools += len(found)
        self.texts += map(bytes, found)
        self.needs |= Ability.TOOLS if found else Ability(0)

    def generation(self, generation: GenerationView) -> None:
        for schema in (generation.response_json_schema, generation.response_schema):
            if bytes(schema) not in NOTHING:
                self.texts.append(bytes(schema))
                self.needs |= Ability.JSON_SCHEMA
        if generation.response_mime_type == "application/json" and Ability.JSON_SCHEMA not in self.needs:
            self.needs |= Ability.JSON_MODE
        if generation.response_logprobs:
            self.needs |= Ability.LOGPROBS


def parse(body: bytes, default_model: str = "", stream: bool = False) -> Prompt:
    """Read a request, just as far as routing needs. default_model and stream: what the URL says.

    Raises InvalidRequest.
    """
    request = read(body)
    contents = request.contents if isinstance(request.contents, list) else [request.contents]
    check(request, len(contents))
    model = default_model or (request.model or "").removeprefix("models/")
    if not model and not request.models:
        raise missing("model")
    generation = request.generation_config or GenerationView()
    gathered = Gathered()
    for content in (request.system_instruction, *contents):
        gathered.content(content)
    for entry in [request.tools] if isinstance(request.tools, dict) else request.tools or ():
        gathered.tool(entry)
    gathered.generation(generation)
    check_length("contents", gathered.parts, MAX_PARTS, "parts of all contents together")
    check_length("tools", gathered.tools, MAX_TOOLS, "tools")
    return Prompt(
        dialect=DIALECT,
        body=body,
        model=model,
        chain=tuple(request.models or ()),
        stream=stream,
        wants_usage=True,  # every chunk of this API may carry it
        needs=gathered.needs,
        texts=tuple(gathered.texts),
        message_count=len(contents) + (request.system_instruction is not None),
        last_role=last_role(contents[-1]),
        tool_count=gathered.tools,
        image_count=gathered.images,
        max_output_tokens=generation.max_output_tokens,
        choices=generation.candidate_count or 1,
        session="",
        wishes=wishes_in(body, request.provider),
        forces_call=FORCED in bytes(request.tool_config),
    )


def read(body: bytes) -> RequestView:
    plain = checked(body)
    return guarded(lambda: REQUEST.decode(plain), plain)


def check(request: RequestView, count: int) -> None:
    if not request.contents:
        raise missing("contents")
    check_length("contents", count, MAX_MESSAGES, "contents")
    generation = request.generation_config or GenerationView()
    check_range("generationConfig.candidateCount", generation.candidate_count, MAX_CHOICES)
    check_range("generationConfig.maxOutputTokens", generation.max_output_tokens, MAX_TOKENS)


def last_role(content: ContentView | str | None) -> str:
    if not isinstance(content, ContentView):
        return "user"
    if content.role == "model":
        return "assistant"
    answers = any(bytes(part.function_response) not in NOTHING for part in content.parts or ())
    return "tool" if answers else "user"
