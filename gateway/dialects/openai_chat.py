"""OpenAI Chat Completions, inbound: a body to a Prompt, an error to a body."""

from typing import Any

import msgspec
from msgspec import Raw

from core.scan import NOT_AN_OBJECT, Malformed, check_object, too_many, top_level_spans
from gateway.dialects.edits import attach
from gateway.dialects.findings import (
    excerpt,
    half_a_character,
    kind_of,
    missing,
    not_json,
    wrong_field,
    wrong_role,
    wrong_text,
    wrong_type,
)
from gateway.dialects.forced import forces_call
from gateway.dialects.sessions import session_in
from gateway.dialects.wishes import wishes_in
from gateway.errors import GatewayError, InvalidRequest, ProviderRefused
from gateway.wire.ability import Ability
from gateway.wire.openai_chat import ABSENT, ROLES, ChatRequest, ErrorObject, Link, Part
from gateway.wire.prompt import Prompt

DIALECT = "openai_chat"
MAX_CHOICES = 128  # OpenAI's limit of `n`
MAX_TOKENS = 2**53  # the largest whole number that every JSON reader keeps exact

# Each value, message, part and tool costs time on the event loop, whatever its size; these keep the sum near 20 ms.
# Real agents send up to a few hundred messages, a dozen parts in each, 10,000 values; OpenAI takes 128 tools.
MAX_VALUES = 300_000
MAX_MESSAGES = 10_000
MAX_PARTS = 10_000  # of all messages together
MAX_TOOLS = 2_048
MAX_NAME_CHARACTERS = 256  # of a model; the longest in the catalog has 70 or so

REQUEST = msgspec.json.Decoder(ChatRequest)
PARTS = msgspec.json.Decoder(list[Part])
STRING = msgspec.json.Decoder(str)

ABILITY_OF_PART = {
    "image_url": Ability.IMAGES,
    "input_audio": Ability.AUDIO,
    "file": Ability.FILES,
    "video_url": Ability.VIDEO,
}
ABILITY_OF_FORMAT = {"json_object": Ability.JSON_MODE, "json_schema": Ability.JSON_SCHEMA}
LINK_SCHEMES = ("http:", "https:", "data:")  # a provider on this machine might open a file: URL


class Gathered:
    """What walking the messages and tools brings together."""

    __slots__ = ("images", "needs", "parts", "texts")

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.needs = Ability(0)
        self.images = 0
        self.parts = 0

    def text(self, raw: Raw) -> None:
        if raw:
            self.texts.append(bytes(raw))


def parse(body: bytes, default_model: str = "") -> Prompt:
    """Read a request, just as far as routing needs. Raises InvalidRequest.

    `default_model` stands in for an absent `model`; with `models` none is needed. Of the fields that may name a session
    the most specific one counts.
    """
    request = read(body)
    check_limits(request)
    check_names(request)
    model = request.model or default_model
    if not model and not request.models:
        raise missing("model")
    gathered = gather(request)
    max_tokens = request.max_completion_tokens if request.max_completion_tokens is not None else request.max_tokens
    return Prompt(
        dialect=DIALECT,
        body=body,
        model=model,
        chain=tuple(request.models or ()),
        stream=bool(request.stream),
        wants_usage=wants_usage(request),
        needs=gathered.needs,
        texts=tuple(gathered.texts),
        message_count=len(request.messages),
        last_role=request.messages[-1].role,
        tool_count=len(request.tools or ()) + len(request.functions or ()),
        image_count=gathered.images,
        max_output_tokens=max_tokens,
        choices=request.n or 1,
        session=request.prompt_cache_key or request.session_id or weaker_session(request),
        wishes=wishes_in(body, request.provider),
        forces_call=forces_call(request.tool_choice),
    )


def wants_usage(request: ChatRequest) -> bool:
    """Whether a stream shall end with its usage, in OpenAI's words or OpenRouter's."""
    options, usage = request.stream_options, request.usage
    return (options is not None and bool(options.include_usage)) or (usage is not None and bool(usage.include))


def weaker_session(request: ChatRequest) -> str:
    """What an application may have said for another purpose."""
    named = "" if request.metadata is ABSENT else session_in(request.metadata)
    return named or request.user or request.safety_identifier or ""


def error_body(error: GatewayError, decision: str | None) -> bytes:
    """The error in OpenAI's shape, with the id of the decision it belongs to, if any.

    A provider's own document is passed on as it is when it has that shape.
    """
    if isinstance(error, ProviderRefused) and is_error_document(error.body):
        body = error.body
    else:
        body = msgspec.json.encode({"error": ErrorObject(error.message, error.type, error.param, error.code)})
    return body if decision is None else attach(body, msgspec.json.encode({"decision": decision}))


def is_error_document(body: bytes) -> bool:
    try:
        spans = top_level_spans(body, (b"error",))
    except Malformed:
        return False
    return any(body[start : start + 1] == b"{" for _, _, start, _, _ in spans)


def read(body: bytes) -> ChatRequest:
    """The thin view. The check before it refuses what the decoder would skip over or take long for."""
    try:
        check_object(body, MAX_VALUES)
        return REQUEST.decode(body)
    except msgspec.ValidationError as error:
        raise wrong_field(str(error), "", body) from error
    except msgspec.DecodeError as error:  # the check has passed, so it is about what the escapes spell
        raise half_a_character(body, str(error)) from error
    except Malformed as error:
        raise refused(body, error) from error


def refused(
    body: bytes, error: Malformed, decoder: "msgspec.json.Decoder[Any]" = REQUEST, most_values: int = MAX_VALUES
) -> InvalidRequest:
    """What is wrong with a body that did not pass the check. Of broken JSON the decoder knows the place.

    decoder: that of the format. most_values: that the check allowed.
    """
    if str(error) == NOT_AN_OBJECT:
        try:
            decoder.decode(body)
        except msgspec.ValidationError as finding:
            return wrong_field(str(finding), "", body)
        except (msgspec.DecodeError, UnicodeDecodeError) as finding:
            return not_json(body, str(finding))
    advice = "; send less at once" if str(error) == too_many(most_values) else ""
    return InvalidRequest(f"The request body cannot be accepted: {error}{advice}.")


def check_limits(request: ChatRequest) -> None:
    if not request.messages:
        raise InvalidRequest(
            "Invalid 'messages': empty array. Expected at least 1 message.", param="messages", code="empty_array"
        )
    check_length("messages", len(request.messages), MAX_MESSAGES, "messages")
    if request.tools is not None:
        check_length("tools", len(request.tools), MAX_TOOLS, "tools")
    if request.functions is not None:
        check_length("functions", len(request.functions), MAX_TOOLS, "functions")
    check_range("n", request.n, MAX_CHOICES)
    check_range("max_completion_tokens", request.max_completion_tokens, MAX_TOKENS)
    check_range("max_tokens", request.max_tokens, MAX_TOKENS)


def check_length(param: str, count: int, most: int, things: str) -> None:
    if count > most:
        raise InvalidRequest(
            f"Invalid '{param}': array too long. Expected at most {most} {things}, but got {count} instead.",
            param=param,
            code="array_above_max_length",
        )


def check_range(param: str, value: int | None, most: int) -> None:
    """1 to `most`; absent is fine."""
    if value is None or 1 <= value <= most:
        return
    side, bound = ("below minimum", ">= 1") if value < 1 else ("above maximum", f"<= {most}")
    raise InvalidRequest(
        f"Invalid '{param}': integer {side} value. Expected a value {bound}, but got {shown(value)} instead.",
        param=param,
        code="integer_below_min_value" if value < 1 else "integer_above_max_value",
    )


def shown(value: int) -> str:
    """Whole numbers of any length arrive; nobody reads more than a line of them."""
    return str(value) if abs(value) < 10**20 else "a number of more than 20 digits"


def check_names(request: ChatRequest) -> None:
    if request.model is not None and len(request.model) > MAX_NAME_CHARACTERS:
        raise too_long("model", request.model)
    for number, name in enumerate(request.models or ()):
        if len(name) > MAX_NAME_CHARACTERS:
            raise too_long(f"models[{number}]", name)


def too_long(param: str, name: str) -> InvalidRequest:
    return InvalidRequest(
        f"Invalid '{param}': string too long. Expected at most {MAX_NAME_CHARACTERS} characters, "
        f"but got {len(name)} instead.",
        param=param,
        code="string_above_max_length",
    )


def gather(request: ChatRequest) -> Gathered:
    gathered = Gathered()
    for number, message in enumerate(request.messages):
        if message.role not in ROLES:
            raise wrong_role(message.role, f"messages[{number}].role")
        gather_content(gathered, message.content, number)
        gathered.text(message.tool_calls)
    gather_tools(gathered, "tools", request.tools)
    gather_tools(gathered, "functions", request.functions)
    if request.response_format is not None:
        gathered.needs |= ABILITY_OF_FORMAT.get(request.response_format.type, Ability(0))
        gathered.text(request.response_format.json_schema)
    if request.logprobs:
        gathered.needs |= Ability.LOGPROBS
    return gathered


def gather_content(gathered: Gathered, content: Raw, number: int) -> None:
    """`number` is the message's."""
    kind = kind_of(content)
    if kind == "str":
        gathered.texts.append(bytes(content))
    elif kind == "array":
        gather_parts(gathered, content, number)
    elif kind != "null":
        raise wrong_type(f"messages[{number}].content", "a string or an array of parts", kind)


def gather_parts(gathered: Gathered, content: Raw, number: int) -> None:
    try:
        parts = PARTS.decode(content)
    except msgspec.ValidationError as error:
        raise wrong_field(str(error), f"messages[{number}].content") from error
    gathered.parts += len(parts)
    if gathered.parts > MAX_PARTS:
        check_length("messages", gathered.parts, MAX_PARTS, "parts of content in all messages together")
    texts = gathered.texts
    for index, part in enumerate(parts):
        if part.type == "text":
            text = bytes(part.text)
            if not text.startswith(b'"'):
                raise wrong_text(part.text, f"messages[{number}].content[{index}].text")
            texts.append(text)
        else:
            gather_media(gathered, part, f"messages[{number}].content[{index}]")


def gather_media(gathered: Gathered, part: Part, path: str) -> None:
    if part.type == "image_url":
        gathered.images += 1
        check_link(part.image_url, f"{path}.image_url")
    elif part.type == "video_url":
        check_link(part.video_url, f"{path}.video_url")
    gathered.needs |= ABILITY_OF_PART.get(part.type, Ability(0))


def check_link(link: Link | str | None, path: str) -> None:
    """Only what every provider may fetch. A plain string in place of the object is what Mistral takes too."""
    if isinstance(link, str):
        check_scheme(link, path)
    elif link is None or not link.url:
        raise missing(f"{path}.url")
    elif kind_of(link.url) != "str":
        raise wrong_type(f"{path}.url", "a string", kind_of(link.url))
    elif not bytes(memoryview(link.url)[1:7]).lower().startswith((b"https:", b"http:", b"data:")):
        check_scheme(STRING.decode(link.url), f"{path}.url")  # it may be written with escapes


def check_scheme(url: str, path: str) -> None:
    if not url[:6].lower().startswith(LINK_SCHEMES):
        raise InvalidRequest(
            f"Invalid '{path}': {excerpt(url)!r} is no http, https or data URL; put what is in a file into a data URL.",
            param=path,
            code="invalid_value",
        )


def gather_tools(gathered: Gathered, param: str, tools: list[Raw] | None) -> None:
    if not tools:
        return
    gathered.needs |= Ability.TOOLS
    for number, tool in enumerate(tools):
        text = bytes(tool)
        if not text.startswith(b"{"):
            raise wrong_type(f"{param}[{number}]", "an object", kind_of(tool))
        gathered.texts.append(text)
