"""A caller's body to a Conversation."""

import msgspec

from gateway.dialects.answer import is_something
from gateway.dialects.chat.read_messages import MessagesReader
from gateway.dialects.chat.read_tools import read_choice, read_format, read_tools
from gateway.dialects.chat.reading import Unsaid, decoded, unknown_members
from gateway.dialects.chat.request_schema import ChatRequest, RawMessages, ReasoningOptions, ThinkingOptions
from gateway.dialects.chat.words import DIALECT
from gateway.dialects.openai_chat import check_limits, read
from gateway.wire.conversation import Conversation, Sampling, Thinking

REQUEST = msgspec.json.Decoder(ChatRequest)
RAW_MESSAGES = msgspec.json.Decoder(RawMessages)
KNOWN = frozenset(ChatRequest.__struct_fields__)


def read_request(body: bytes) -> Conversation:
    """All of a request. Raises InvalidRequest in OpenAI's words."""
    check_limits(read(body))
    request = decoded(REQUEST, body, "")
    unsaid = Unsaid()
    reader = MessagesReader(unsaid)
    pairs = zip(request.messages, decoded(RAW_MESSAGES, body, "").messages, strict=True)
    turns = tuple(reader.turn(message, raw, f"messages[{number}]") for number, (message, raw) in enumerate(pairs))
    output = read_format(request.response_format)
    known = KNOWN - {"response_format"} if request.response_format is not None and output is None else KNOWN
    unknown = unknown_members(body, known)
    if request.user and request.safety_identifier and request.user != request.safety_identifier:
        unknown |= unknown_members(body, KNOWN - {"safety_identifier"})
    if request.stream_options is not None and request.stream_options.include_obfuscation:
        unsaid.add("stream_options.include_obfuscation")
    return Conversation(
        origin=DIALECT,
        turns=turns,
        tools=read_tools(request, unsaid),
        tool_choice=read_choice(request),
        parallel_tool_calls=request.parallel_tool_calls,
        output=output,
        thinking=read_thinking(request),
        sampling=read_sampling(request),
        stream=bool(request.stream),
        cache_key=request.prompt_cache_key or "",
        cache_retention=request.prompt_cache_retention or "",
        service_tier=request.service_tier or "",
        user=request.user or request.safety_identifier or "",
        metadata=request.metadata or {},
        verbosity=request.verbosity or "",
        modalities=tuple(request.modalities or ()),
        store=request.store,
        unknown=unknown,
        unsaid=unsaid.told(),
    )


def read_sampling(request: ChatRequest) -> Sampling:
    limit = request.max_tokens if request.max_completion_tokens is None else request.max_completion_tokens
    return Sampling(
        max_output_tokens=limit,
        temperature=request.temperature,
        top_p=request.top_p,
        top_k=request.top_k,
        seed=request.seed,
        stop=(request.stop,) if isinstance(request.stop, str) else tuple(request.stop or ()),
        choices=request.n,
        logprobs=bool(request.logprobs),
        top_logprobs=request.top_logprobs,
        frequency_penalty=request.frequency_penalty,
        presence_penalty=request.presence_penalty,
        logit_bias=request.logit_bias if is_something(request.logit_bias) else None,
    )


def read_thinking(request: ChatRequest) -> Thinking | None:
    """OpenAI's reasoning_effort first, then OpenRouter's reasoning, then DeepSeek's thinking."""
    options = request.reasoning or ReasoningOptions()
    switch = request.thinking or ThinkingOptions()
    is_off = switch.type == "disabled" or options.enabled is False
    effort = request.reasoning_effort or options.effort or ""
    budget = switch.budget_tokens if options.max_tokens is None else options.max_tokens
    if not effort and budget is None and not is_off and options.enabled:
        effort = "medium"  # "Enable reasoning with the default parameters": openrouter.ai, Reasoning Tokens, 2026-11-23
    thinking = Thinking(
        effort=effort,
        budget_tokens=0 if is_off and not effort else budget,
        is_adaptive=switch.type in ("adaptive", "enabled") and budget is None and not effort,
        summary=options.summary or "",
        is_shown=request.include_reasoning if options.exclude is None else not options.exclude,
    )
    return None if thinking == Thinking() else thinking
