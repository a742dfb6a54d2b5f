"""A Conversation to the body that a provider of this format gets, at Anthropic or at another host of Claude."""

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from gateway.dialects.anthropic.hosts import ANTHROPIC, Host
from gateway.dialects.anthropic.models import Abilities, abilities_of
from gateway.dialects.anthropic.names import DIALECT, FAMILY
from gateway.dialects.anthropic.write_parts import PartWriter
from gateway.dialects.anthropic.write_thinking import write_thinking
from gateway.dialects.anthropic.write_tools import write_output, write_tools
from gateway.dialects.anthropic.write_turns import TurnWriter
from gateway.dialects.anthropic.written import BlockOut, MetadataOut, RequestOut, ToolOut
from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.losses import Losses
from gateway.wire.conversation import Conversation, Sampling

MOST_MARKS = 4  # Source: platform.claude.com, "Prompt caching", read 2026-11-23
FILES_BETA = "files-api-2025-04-14"
SAYABLE = frozenset(("top_k", "parallel_tool_calls", "service_tier", "user"))
TIER_OF = {"auto": "auto", "priority": "auto", "standard_only": "standard_only", "default": "standard_only"}


def write_request(conversation: Conversation, manner: TargetManner, host: Host = ANTHROPIC) -> Outgoing:
    """The body, what could not be said in it, and the beta header that it needs."""
    losses = Losses(conversation.origin)
    able = abilities_of(manner.model)
    if not able.is_claude:
        able = replace(able, budget=manner.is_reasoning)
    parts = PartWriter(manner.family or FAMILY, losses, host.fetches)
    turns = TurnWriter(parts, able, losses).write(conversation)
    body = RequestOut(
        model=manner.model if host.has_model else None,
        max_tokens=max_tokens_of(conversation.sampling, manner, able, losses),
        messages=turns.messages,
        anthropic_version=host.version,
        system=turns.system or None,
        stop_sequences=stops_of(conversation.sampling, losses),
        metadata=MetadataOut(conversation.user) if conversation.user else None,
        service_tier=tier_of(conversation.service_tier, losses),
        stream=True if conversation.stream and host.has_stream else None,
    )
    write_tools(body, conversation, turns.called, able, losses)
    write_thinking(body, conversation, able, losses)
    if conversation.output is not None:
        write_output(body, conversation.output, conversation.origin == DIALECT, able, losses)
    limit_marks(body, losses)
    if conversation.origin != DIALECT:
        losses.add_foreign(conversation, SAYABLE, "the Anthropic Messages format has no such field")
    drop_fields(body, manner.drop_fields, losses)
    betas = host.taken(betas_of(manner.beta, parts.uploads))
    if host.betas_in_body:
        body.anthropic_beta = betas or None
    headers = (("anthropic-beta", ",".join(betas)),) if betas and not host.betas_in_body else ()
    return Outgoing(with_unknown(msgspec.json.encode(body), conversation, manner), losses.told(), headers)


def max_tokens_of(sampling: Sampling, manner: TargetManner, able: Abilities, losses: Losses) -> int:
    """The API requires it: what the caller said, else what the model allows, else what its whole generation does."""
    most = manner.max_output_tokens
    asked = sampling.max_output_tokens
    if asked is None:
        return most or able.max_output_tokens
    if most and asked > most:
        losses.add("max_completion_tokens", f"{asked} is over this model's limit; {most} were asked for")
        return most
    return asked


def stops_of(sampling: Sampling, losses: Losses) -> list[str] | None:
    """The API refuses stop sequences of white space."""
    stops = [stop for stop in sampling.stop if stop.strip()]
    if len(stops) < len(sampling.stop):
        losses.add("stop", "a stop sequence needs something else than white space")
    return stops or None


def tier_of(tier: str, losses: Losses) -> str | None:
    if tier and tier not in TIER_OF:
        losses.add("service_tier", f"there is no tier '{tier}' here")
    return TIER_OF.get(tier)


def limit_marks(body: RequestOut, losses: Losses) -> None:
    """The first mark, which keeps tools and system prompt, and the latest, which follow the conversation."""
    marked = [block for block in markable(body) if getattr(block, "cache_control", None) is not None]
    for block in marked[1 : len(marked) - MOST_MARKS + 1]:
        block.cache_control = None  # type: ignore[union-attr]
        losses.add(
            "cache_control", f"{MOST_MARKS} marks are allowed; the earlier ones in the conversation were dropped"
        )


def markable(body: RequestOut) -> list[BlockOut | ToolOut]:
    """Everything that may carry a mark, in the order of the prompt."""
    system = body.system if isinstance(body.system, list) else []
    said = [block for message in body.messages for block in message.content if not isinstance(block, str)]
    return [*(body.tools or ()), *system, *said]


def drop_fields(body: RequestOut, fields: tuple[str, ...], losses: Losses) -> None:
    for field in fields:
        if getattr(body, field, None) is not None and field not in ("model", "messages", "max_tokens"):
            setattr(body, field, None)
            losses.add(field, "the provider refuses it")


def betas_of(callers: str, has_uploads: bool) -> list[str]:
    """Each once, in order."""
    named = [name.strip() for name in callers.split(",") if name.strip()]
    return list(dict.fromkeys([*named, *([FILES_BETA] if has_uploads else [])]))


def with_unknown(body: bytes, conversation: Conversation, manner: TargetManner) -> bytes:
    """The caller's own members that we do not know, where they came in this format."""
    if conversation.origin != DIALECT or not conversation.unknown:
        return body
    members = msgspec.json.decode(body, type=dict[str, Raw])
    for name, raw in conversation.unknown.items():
        outer, _, inner = name.partition(".")
        if outer in manner.drop_fields or outer in ("anthropic_version", "anthropic_beta"):
            continue
        if inner:
            inside = msgspec.json.decode(members.get(outer, b"{}"), type=dict[str, Raw])
            raw = Raw(msgspec.json.encode(inside | {inner: raw}))
        members[outer] = raw
    return msgspec.json.encode(members)
