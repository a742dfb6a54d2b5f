"""The response object: what a request asked for, echoed as clients expect it, and what came of it."""

import re

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from gateway.dialects.losses import Losses
from gateway.dialects.responses.names import DIALECT
from gateway.dialects.responses.namespaces import places_of
from gateway.dialects.responses.usage import UsageOut
from gateway.dialects.responses.write_tools import FormatOut, write_choice, write_format, write_tools
from gateway.wire.conversation import Conversation, Thinking
from gateway.wire.partial import Partial

PREFIX = "resp_"
STRANGE = re.compile(r"[^A-Za-z0-9_-]")
TAIL_CHARACTERS = 24  # OpenAI takes ids of items up to 64 characters back
EMPTY_LIST = Raw(b"[]")

encode = msgspec.json.encode


class TextOut(Struct, frozen=True, gc=False):
    format: FormatOut
    verbosity: str | UnsetType


class ReasoningOut(Struct, frozen=True, gc=False):
    effort: str | None
    summary: str | None


class Incomplete(Struct, frozen=True, gc=False):
    reason: str


class ErrorOut(Struct, frozen=True, gc=False):
    code: str
    message: str
    type: str | UnsetType = UNSET
    partial: Partial | UnsetType = UNSET  # of an answer that broke off


class ResponseOut(Struct):
    """The same members, null or not, whatever happened: clients read them without asking."""

    id: str
    created_at: int
    status: str
    model: str
    error: ErrorOut | None
    incomplete_details: Incomplete | None
    instructions: None
    max_output_tokens: int | None
    max_tool_calls: Raw | None
    metadata: dict[str, str]
    output: Raw
    parallel_tool_calls: bool
    previous_response_id: Raw | None
    prompt_cache_key: str | None
    reasoning: ReasoningOut
    safety_identifier: str | None
    service_tier: str
    store: bool
    temperature: float | None
    text: TextOut
    tool_choice: Raw
    tools: Raw
    top_logprobs: int
    top_p: float | None
    truncation: Raw
    usage: UsageOut | None
    user: str | None
    background: bool = False
    object: str = "response"


def response_of(conversation: Conversation) -> ResponseOut:
    """One that has just been created: everything that the request says about it."""
    asked, sampling, thinking = conversation.unknown, conversation.sampling, conversation.thinking or Thinking()
    tools = write_tools(conversation.tools, conversation.origin == DIALECT, Losses(DIALECT))
    choice = asked.get("tool_choice")
    if choice is None:
        chosen = conversation.tool_choice
        choice = Raw(encode(write_choice(chosen, places_of(conversation.tools)) if chosen else "auto"))
    return ResponseOut(
        id=PREFIX,
        created_at=0,
        status="in_progress",
        model="",
        error=None,
        incomplete_details=None,
        instructions=None,
        max_output_tokens=sampling.max_output_tokens,
        max_tool_calls=asked.get("max_tool_calls"),
        metadata=conversation.metadata,
        output=EMPTY_LIST,
        parallel_tool_calls=conversation.parallel_tool_calls is not False,
        previous_response_id=asked.get("previous_response_id"),
        prompt_cache_key=conversation.cache_key or None,
        reasoning=ReasoningOut(thinking.effort or None, thinking.summary or None)
        if thinking
        else ReasoningOut(None, None),
        safety_identifier=None,
        service_tier=conversation.service_tier or "default",
        store=conversation.store is not False,
        temperature=sampling.temperature,
        text=TextOut(write_format(conversation.output), conversation.verbosity or UNSET),
        tool_choice=choice,
        tools=Raw(encode(tools)),
        top_logprobs=sampling.top_logprobs or 0,
        top_p=sampling.top_p,
        truncation=asked.get("truncation", Raw(b'"disabled"')),
        usage=None,
        user=conversation.user or None,
    )


def response_id(id_: str) -> str:
    """The provider's, made to look like one of this format."""
    return id_ if id_.startswith(PREFIX) else PREFIX + STRANGE.sub("", id_)


def tail_of(response: str) -> str:
    """What the ids of its items have of it."""
    return response.removeprefix(PREFIX)[-TAIL_CHARACTERS:]
