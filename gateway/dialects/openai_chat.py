"""OpenAI Chat Completions, inbound: a body to a Prompt, an error to a body."""

import re

import msgspec
from msgspec import Raw

from core.scan import Malformed, top_level_spans
from gateway.dialects.edits import attach
from gateway.errors import GatewayError, InvalidRequest, ProviderRefused
from gateway.wire.ability import Ability
from gateway.wire.openai_chat import ChatRequest, ErrorObject, Part
from gateway.wire.prompt import Prompt

DIALECT = "openai_chat"
MAX_MESSAGES = 10_000
MAX_CHOICES = 128  # OpenAI's limit of `n`
MAX_TOKENS = 2**53  # the largest whole number that every JSON reader keeps exact

REQUEST = msgspec.json.Decoder(ChatRequest)
PARTS = msgspec.json.Decoder(list[Part])

ABILITY_OF_PART = {
    "image_url": Ability.IMAGES,
    "input_audio": Ability.AUDIO,
    "file": Ability.FILES,
    "video_url": Ability.VIDEO,
}
ABILITY_OF_FORMAT = {"json_object": Ability.JSON_MODE, "json_schema": Ability.JSON_SCHEMA}

WRONG_TYPE = re.compile(r"Expected `(?P<expected>[^`]+)`, got `(?P<got>[^`]+)`(?: - at `\$\.?(?P<path>.*)`)?$")
MISSING = re.compile(r"Object missing required field `(?P<field>[^`]+)`(?: - at `\$\.?(?P<path>.*)`)?$")
WRONG_ROLE = re.compile(r"Invalid enum value '(?P<value>.*)' - at `\$\.?(?P<path>.*)`$", re.DOTALL)
ANYTHING_ELSE = re.compile(r"(?P<finding>.*) - at `\$\.?(?P<path>.*)`$")
AT_BYTE = re.compile(r"^(?:JSON is malformed: )?(?P<reason>.*) \(byte (?P<byte>\d+)\)$")
TYPE_NAMES = {
    "str": "a string",
    "int": "an integer",
    "float": "a decimal number",
    "bool": "a boolean",
    "array": "an array",
    "object": "an object",
    "null": "null",
}


class Gathered:
    """What walking the messages and tools brings together."""

    __slots__ = ("images", "needs", "texts")

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.needs = Ability(0)
        self.images = 0

    def text(self, raw: Raw) -> None:
        if raw:
            self.texts.append(bytes(raw))

    def part(self, part: Part) -> None:
        if part.type == "text":
            self.text(part.text)
            return
        self.images += part.type == "image_url"
        self.needs |= ABILITY_OF_PART.get(part.type, Ability(0))


def parse(body: bytes, default_model: str = "") -> Prompt:
    """Read a request, just as far as routing needs. Raises InvalidRequest.

    `default_model` stands in for an absent `model`; with `models` none is needed. Of the fields that may name a session
    the most specific one counts.
    """
    request = read(body)
    check_limits(request)
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
        wants_usage=request.stream_options is not None and bool(request.stream_options.include_usage),
        needs=gathered.needs,
        texts=tuple(gathered.texts),
        message_count=len(request.messages),
        last_role=request.messages[-1].role,
        tool_count=len(request.tools or ()) + len(request.functions or ()),
        image_count=gathered.images,
        max_output_tokens=max_tokens,
        choices=request.n or 1,
        session=request.prompt_cache_key or request.session_id or request.user or "",
    )


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
    """The thin view. The scan behind it refuses what the decoder skips over: deep nesting, wrong UTF-8."""
    try:
        request = REQUEST.decode(body)
        top_level_spans(body, ())
    except msgspec.ValidationError as error:
        raise wrong_field(str(error), "") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_json(body, str(error)) from error
    except RecursionError as error:
        raise InvalidRequest("The request body is nested too deep.") from error
    except Malformed as error:
        raise InvalidRequest(f"The request body cannot be accepted: {error}.") from error
    return request


def check_limits(request: ChatRequest) -> None:
    count = len(request.messages)
    if count == 0:
        raise InvalidRequest(
            "Invalid 'messages': empty array. Expected at least 1 message.", param="messages", code="empty_array"
        )
    if count > MAX_MESSAGES:
        raise InvalidRequest(
            f"Invalid 'messages': array too long. Expected at most {MAX_MESSAGES} messages, but got {count} instead.",
            param="messages",
            code="array_above_max_length",
        )
    check_range("n", request.n, MAX_CHOICES)
    check_range("max_completion_tokens", request.max_completion_tokens, MAX_TOKENS)
    check_range("max_tokens", request.max_tokens, MAX_TOKENS)


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


def gather(request: ChatRequest) -> Gathered:
    gathered = Gathered()
    for number, message in enumerate(request.messages):
        gather_content(gathered, message.content, f"messages[{number}].content")
        gathered.text(message.tool_calls)
    for tool in request.tools or ():
        gathered.text(tool)
    for function in request.functions or ():
        gathered.text(function)
    if request.tools or request.functions:
        gathered.needs |= Ability.TOOLS
    if request.response_format is not None:
        gathered.needs |= ABILITY_OF_FORMAT.get(request.response_format.type, Ability(0))
        gathered.text(request.response_format.json_schema)
    if request.logprobs:
        gathered.needs |= Ability.LOGPROBS
    return gathered


def gather_content(gathered: Gathered, content: Raw, path: str) -> None:
    kind = kind_of(content)
    if kind == "str":
        gathered.text(content)
    elif kind == "array":
        try:
            parts = PARTS.decode(content)
        except msgspec.ValidationError as error:
            raise wrong_field(str(error), path) from error
        for number, part in enumerate(parts):
            check_text(part, f"{path}[{number}].text")
            gathered.part(part)
    elif kind != "null":
        raise wrong_type(path, "a string or an array of parts", kind)


def check_text(part: Part, path: str) -> None:
    if part.type != "text":
        return
    if not part.text:
        raise missing(path)
    if kind_of(part.text) != "str":
        raise wrong_type(path, "a string", kind_of(part.text))


def kind_of(raw: Raw) -> str:
    """The decoder's name of a value's type, by its first byte; "null" for an absent one."""
    first = bytes(memoryview(raw)[:1])
    if first in (b'"', b"[", b"{"):
        return {b'"': "str", b"[": "array", b"{": "object"}[first]
    if first in (b"", b"n"):
        return "null"
    return "bool" if first in (b"t", b"f") else "int"


def wrong_field(reason: str, prefix: str) -> InvalidRequest:
    """The decoder's finding in OpenAI's words."""
    if found := WRONG_TYPE.match(reason):
        expected = " or ".join(TYPE_NAMES.get(name, name) for name in found["expected"].split(" | ") if name != "null")
        return wrong_type(joined(prefix, found["path"] or ""), expected, found["got"])
    if found := MISSING.match(reason):
        return missing(joined(prefix, found["path"] or "", found["field"]))
    if found := WRONG_ROLE.match(reason):
        roles = "'system', 'developer', 'user', 'assistant', 'tool', and 'function'"
        return InvalidRequest(
            f"Invalid value: '{found['value']}'. Supported values are: {roles}.",
            param=joined(prefix, found["path"]),
            code="invalid_value",
        )
    if found := ANYTHING_ELSE.match(reason):
        where = joined(prefix, found["path"])
        return InvalidRequest(f"Invalid '{where}': {found['finding']}.", param=where, code="invalid_value")
    return InvalidRequest(f"The request body cannot be accepted: {reason}.")


def joined(*names: str) -> str:
    """`messages[0]` and `role` to `messages[0].role`; `content` and `[1].type` to `content[1].type`."""
    return ".".join(name for name in names if name).replace(".[", "[")


def wrong_type(param: str, expected: str, got: str) -> InvalidRequest:
    where = f"for '{param}'" if param else "of the request body"
    return InvalidRequest(
        f"Invalid type {where}: expected {expected}, but got {TYPE_NAMES.get(got, got)} instead.",
        param=param or None,
        code="invalid_type",
    )


def missing(param: str) -> InvalidRequest:
    return InvalidRequest(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def not_json(body: bytes, reason: str) -> InvalidRequest:
    """Names the place where the JSON stops making sense."""
    if not body.strip():
        return InvalidRequest("The request body is empty; expected a JSON object.")
    found = AT_BYTE.match(reason)
    if found is None:
        return InvalidRequest(f"The request body is not valid JSON: {reason}.")
    place = int(found["byte"])
    line = body.count(b"\n", 0, place) + 1
    column = place - body.rfind(b"\n", 0, place)
    return InvalidRequest(
        f"The request body is not valid JSON: {found['reason']} near byte {place} (line {line}, column {column})."
    )
