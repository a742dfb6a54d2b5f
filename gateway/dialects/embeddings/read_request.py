"""A caller's body to a Prompt, and to the texts to embed."""

import msgspec
from msgspec import Raw, Struct

from core.scan import Malformed, check_object
from gateway.dialects.chat.reading import decoded, unknown_members
from gateway.dialects.embeddings.schema import DIALECT, INPUT, KNOWN, MOST_INPUTS, REQUEST, EmbeddingRequest
from gateway.dialects.findings import kind_of, missing, wrong_field, wrong_type
from gateway.dialects.openai_chat import MAX_NAME_CHARACTERS, check_length, check_range, refused, too_long
from gateway.dialects.wishes import wishes_in
from gateway.errors import InvalidRequest
from gateway.wire.ability import Ability
from gateway.wire.prompt import Prompt

# OpenAI takes 300,000 tokens in all inputs together, and each may be a number. A body of so many is read on a thread.
MAX_VALUES = 400_000
MAX_DIMENSIONS = 2**16

Item = str | int | list[int]


class Inputs(Struct, frozen=True):
    """What is to be embedded, each in its place."""

    texts: tuple[str, ...]
    counted_tokens: int = 0  # of inputs that are tokens already; then there are no texts
    count: int = 0


def parse(body: bytes, default_model: str = "") -> Prompt:
    """Read a request, just as far as routing needs. Raises InvalidRequest."""
    request = read(body)
    model = request.model or default_model
    if not model and not request.models:
        raise missing("model")
    inputs = inputs_of(request.input)
    return Prompt(
        dialect=DIALECT,
        body=body,
        model=model,
        chain=tuple(request.models or ()),
        stream=False,
        wants_usage=False,
        needs=Ability(0),
        texts=(bytes(request.input),) if inputs.texts else (),
        message_count=inputs.count,
        last_role="user",
        tool_count=0,
        image_count=0,
        max_output_tokens=None,
        choices=1,
        session=request.session_id or request.user or "",
        wishes=wishes_in(body, request.provider),
        counted_tokens=inputs.counted_tokens,
    )


def read(body: bytes) -> EmbeddingRequest:
    """Refuses, beside what is no JSON of this format, what the decoder skips over: deep nesting, wrong UTF-8."""
    try:
        check_object(body, MAX_VALUES)
    except Malformed as error:
        raise refused(body, error, REQUEST, MAX_VALUES) from error
    request = decoded(REQUEST, body, "")
    check_range("dimensions", request.dimensions, MAX_DIMENSIONS)
    if request.model is not None and len(request.model) > MAX_NAME_CHARACTERS:
        raise too_long("model", request.model)
    return request


def unknown_of(body: bytes) -> tuple[str, ...]:
    """The members that this gateway does not know."""
    return tuple(unknown_members(body, KNOWN))


def inputs_of(raw: Raw) -> Inputs:
    """One text, several, one list of tokens or several. Raises InvalidRequest that names the place."""
    if kind_of(raw) == "null":
        raise missing("input")
    try:
        stated = INPUT.decode(raw)
    except msgspec.ValidationError as error:
        raise wrong_field(str(error), "input") from error
    if isinstance(stated, str):
        check_text(stated, "input")
        return Inputs((stated,), count=1)
    if not stated:
        raise empty("input", "array", "at least one text")
    if isinstance(stated[0], int):
        return Inputs((), counted_tokens=tokens_in(stated, "input"), count=1)
    check_length("input", len(stated), MOST_INPUTS, "inputs")
    if isinstance(stated[0], str):
        return Inputs(tuple(texts_in(stated)), count=len(stated))
    counts = [tokens_in(item, f"input[{place}]") for place, item in enumerate(stated)]
    return Inputs((), counted_tokens=sum(counts), count=len(stated))


def texts_in(items: list[Item]) -> list[str]:
    """All of them, which have to be texts like the first."""
    texts = []
    for place, item in enumerate(items):
        if not isinstance(item, str):
            raise wrong_type(f"input[{place}]", "a string, as input[0] is", name_of(item))
        check_text(item, f"input[{place}]")
        texts.append(item)
    return texts


def tokens_in(item: Item | list[Item], path: str) -> int:
    """How many there are."""
    if not isinstance(item, list):
        raise wrong_type(path, "an array of tokens, as input[0] is", name_of(item))
    if not item:
        raise empty(path, "array", "at least one token")
    for place, token in enumerate(item):
        if not isinstance(token, int):
            raise wrong_type(f"{path}[{place}]", "a token, as the first is", name_of(token))
        if token < 0:
            raise InvalidRequest(f"Invalid '{path}[{place}]': {token} is no token.", param=path, code="invalid_value")
    return len(item)


def name_of(item: object) -> str:
    return {str: "str", int: "int", list: "array"}[type(item)]


def check_text(text: str, path: str) -> None:
    if not text:
        raise empty(path, "string", "some text")


def empty(path: str, kind: str, expected: str) -> InvalidRequest:
    return InvalidRequest(f"Invalid '{path}': empty {kind}. Expected {expected}.", param=path, code=f"empty_{kind}")
