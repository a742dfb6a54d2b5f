"""A caller's body to a Prompt, and to a Conversation of one turn."""

import msgspec
from msgspec import Raw

from core.scan import Malformed, check_object
from gateway.dialects.answer import is_something
from gateway.dialects.chat.reading import decoded, unknown_members
from gateway.dialects.completions.schema import DIALECT, REQUEST, CompletionRequest
from gateway.dialects.findings import kind_of, missing, wrong_type
from gateway.dialects.openai_chat import MAX_CHOICES, MAX_TOKENS, MAX_VALUES, check_range, refused
from gateway.dialects.wishes import wishes_in
from gateway.errors import InvalidRequest
from gateway.wire.ability import Ability
from gateway.wire.conversation import Conversation, Sampling, Text, Turn
from gateway.wire.prompt import Prompt

ITEMS = msgspec.json.Decoder(list[Raw])
TEXT = msgspec.json.Decoder(str)
KNOWN = frozenset(CompletionRequest.__struct_fields__) - {"best_of"}
SWITCHES = ("echo", "suffix")  # false and "" are what they are anyway


def parse(body: bytes, default_model: str = "") -> Prompt:
    """Read a request, just as far as routing needs. Raises InvalidRequest."""
    request = read(body)
    model = request.model or default_model
    if not model and not request.models:
        raise missing("model")
    prompt = prompt_of(request)
    return Prompt(
        dialect=DIALECT,
        body=body,
        model=model,
        chain=tuple(request.models or ()),
        stream=bool(request.stream),
        wants_usage=request.stream_options is not None and bool(request.stream_options.include_usage),
        needs=Ability(0),
        texts=(bytes(prompt),),
        message_count=1,
        last_role="user",
        tool_count=0,
        image_count=0,
        max_output_tokens=request.max_tokens,
        choices=request.n or 1,
        session=request.prompt_cache_key or request.session_id or request.user or "",
        wishes=wishes_in(body, request.provider),
    )


def read_request(body: bytes) -> Conversation:
    """All of a request. Raises InvalidRequest.

    OpenAI's limit of 16 tokens for callers who state none is not kept: it was made for models that complete words.
    """
    request = read(body)
    prompt = decoded(TEXT, prompt_of(request), "prompt")
    changes_nothing = ("best_of",) if (request.best_of or 1) <= (request.n or 1) else ()
    unknown = {
        name: value
        for name, value in unknown_members(body, KNOWN).items()
        if name not in changes_nothing and (is_something(value) or name not in SWITCHES)
    }
    return Conversation(
        origin=DIALECT,
        turns=(Turn("user", (Text(prompt),) if prompt else ()),),
        sampling=Sampling(
            max_output_tokens=request.max_tokens,
            temperature=request.temperature,
            top_p=request.top_p,
            top_k=request.top_k,
            seed=request.seed,
            stop=(request.stop,) if isinstance(request.stop, str) else tuple(request.stop or ()),
            choices=request.n,
            frequency_penalty=request.frequency_penalty,
            presence_penalty=request.presence_penalty,
            logit_bias=request.logit_bias if is_something(request.logit_bias) else None,
        ),
        stream=bool(request.stream),
        cache_key=request.prompt_cache_key or "",
        user=request.user or "",
        unknown=unknown,
    )


def read(body: bytes) -> CompletionRequest:
    """Refuses, beside what is no JSON of this format, what the decoder skips over: deep nesting, wrong UTF-8."""
    try:
        check_object(body, MAX_VALUES)
    except Malformed as error:
        raise refused(body, error, REQUEST) from error
    request = decoded(REQUEST, body, "")
    check_range("n", request.n, MAX_CHOICES)
    check_range("max_tokens", request.max_tokens, MAX_TOKENS)
    return request


def prompt_of(request: CompletionRequest) -> Raw:
    """The one prompt, as the JSON string it is."""
    kind = kind_of(request.prompt)
    if kind == "str":
        return request.prompt
    if kind == "null":
        raise missing("prompt")
    if kind != "array":
        raise wrong_type("prompt", "a string or an array with one string", kind)
    prompts = decoded(ITEMS, request.prompt, "prompt")
    if not prompts:
        raise InvalidRequest(
            "Invalid 'prompt': empty array. Expected a string or an array with one string.",
            param="prompt",
            code="empty_array",
        )
    kinds = {kind_of(item) for item in prompts}
    if kinds & {"int", "array"}:
        raise InvalidRequest(
            "Invalid 'prompt': an array of tokens means something to one model only. Expected text.",
            param="prompt",
            code="invalid_type",
        )
    if kinds != {"str"}:
        raise wrong_type("prompt[0]", "a string", kind_of(prompts[0]))
    if len(prompts) > 1:
        raise InvalidRequest(
            f"Invalid 'prompt': array too long. Expected at most 1 prompt, but got {len(prompts)} instead; "
            "send one request per prompt.",
            param="prompt",
            code="array_above_max_length",
        )
    return prompts[0]
