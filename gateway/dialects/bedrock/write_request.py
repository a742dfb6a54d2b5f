"""A Conversation to the body that Bedrock gets; the model and whether to stream go into the address."""

import re

import msgspec

from gateway.dialects.bedrock.model import Model, model_of
from gateway.dialects.bedrock.write_messages import MessageWriter
from gateway.dialects.bedrock.write_parts import PartWriter
from gateway.dialects.bedrock.write_tools import write_tools
from gateway.dialects.bedrock.written import (
    BlockOut,
    InferenceOut,
    JsonSchemaOut,
    OutputConfigOut,
    RequestOut,
    StructureOut,
    TextFormatOut,
    TierOut,
)
from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.losses import USUAL_TIERS, Losses
from gateway.dialects.thinking import field_of, is_off, note_no_thinker
from gateway.wire.conversation import Conversation, OutputFormat, Sampling, Thinking

SAYABLE = frozenset(("top_k", "parallel_tool_calls", "service_tier", "metadata"))
NO_FIELD = "Bedrock's Converse API has no such field"
TIERS = ("priority", "flex", "reserved")
JSON_PLEASE = "Answer with one JSON object and nothing else: no words around it, no code fence."
SCHEMA_PLEASE = "Answer with JSON that fits this JSON schema and nothing else: no words around it, no code fence.\n\n"
LEVELS = ("low", "medium", "high")  # of Nova 2
EFFORTS = ("minimal", *LEVELS)
# Shares of the answer up to which a budget means low and medium; as in `anthropic.write_thinking`.
SHARES = {"low": 0.2, "medium": 0.5}
USUAL_LIMIT = 8_192
# Source: botocore 1.44.5, RequestMetadata; read 2026-11-23.
MOST_METADATA = 16
METADATA = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}")


def write_request(conversation: Conversation, manner: TargetManner) -> Outgoing:
    """The body, and what could not be said in it."""
    losses, model = Losses(conversation.origin), model_of(manner.model)
    turns = MessageWriter(PartWriter(model, losses), losses).write(conversation)
    body = RequestOut(
        messages=turns.messages,
        system=turns.system or None,
        toolConfig=write_tools(conversation, turns.called, model, losses),
        serviceTier=tier_of(conversation.service_tier, losses),
        requestMetadata=metadata_of(conversation.metadata, losses),
    )
    inference = inference_of(conversation.sampling, manner, losses)
    more: dict[str, object] = {}
    write_top_k(conversation.sampling, model, more, losses)
    if conversation.thinking is not None:
        write_thinking(conversation.thinking, inference, more, manner, model, losses)
    if conversation.output is not None:
        write_output(body, conversation.output, model, losses)
    body.inferenceConfig = None if inference == InferenceOut() else inference
    body.additionalModelRequestFields = more or None
    losses.add_foreign(conversation, SAYABLE, NO_FIELD)
    for field in manner.drop_fields:
        if field != "messages" and getattr(body, field, None) is not None:
            setattr(body, field, None)
            losses.add(field, "the provider refuses it")
    return Outgoing(msgspec.json.encode(body), losses.told())


def inference_of(sampling: Sampling, manner: TargetManner, losses: Losses) -> InferenceOut:
    wanted, most = sampling.max_output_tokens, manner.max_output_tokens
    if wanted is not None and most and wanted > most:
        losses.add("max_completion_tokens", f"{wanted} is over this model's limit; {most} were asked for")
        wanted = most
    temperature = sampling.temperature
    if temperature is not None and temperature > 1:
        losses.add("temperature", f"{temperature:g} is over the limit; 1 was asked for")
        temperature = 1.0
    stops = [stop for stop in sampling.stop if stop]
    return InferenceOut(wanted, temperature, sampling.top_p, stops or None)


def write_top_k(sampling: Sampling, model: Model, more: dict[str, object], losses: Losses) -> None:
    """Each maker has a name of its own for it, where there is one at all."""
    if sampling.top_k is None:
        return
    if model.is_nova:
        more["inferenceConfig"] = {"topK": sampling.top_k}
    elif model.maker in ("anthropic", "mistral"):
        more["top_k"] = sampling.top_k
    else:
        losses.add("top_k", "this model has no such parameter here")


def write_thinking(
    thinking: Thinking,
    inference: InferenceOut,
    more: dict[str, object],
    manner: TargetManner,
    model: Model,
    losses: Losses,
) -> None:
    if not manner.is_reasoning:
        note_no_thinker(thinking, losses)
    elif model.thinks_in_levels:
        write_level(thinking, inference, more, losses)
    elif not model.takes_effort:
        losses.add(field_of(thinking), "how much this model thinks cannot be said here")
    elif effort := effort_of(thinking, inference, losses):
        more["reasoning_effort"] = effort


def write_level(thinking: Thinking, inference: InferenceOut, more: dict[str, object], losses: Losses) -> None:
    """Nova 2 takes neither a limit nor sampling at its highest level."""
    if is_off(thinking):
        more["reasoningConfig"] = {"type": "disabled"}
        return
    effort = effort_of(thinking, inference, losses) or "medium"
    level = effort if effort in LEVELS else "low"
    if effort not in LEVELS:
        losses.add("reasoning_effort", f"this model has no effort '{effort}'; '{level}' was asked for")
    more["reasoningConfig"] = {"type": "enabled", "maxReasoningEffort": level}
    if level == "high":
        names = {"maxTokens": "max_completion_tokens", "temperature": "temperature", "topP": "top_p"}
        for member, field in names.items():
            if getattr(inference, member) is not None:
                setattr(inference, member, None)
                losses.add(field, "it cannot be set while the model thinks its most")


def effort_of(thinking: Thinking, inference: InferenceOut, losses: Losses) -> str:
    """One of OpenAI's words up to high; "" where the model decides."""
    effort = thinking.effort
    if not effort and thinking.budget_tokens:
        share = thinking.budget_tokens / (inference.maxTokens or USUAL_LIMIT)
        effort = next((word for word, most in SHARES.items() if share <= most), "high")
        losses.add("thinking_budget", f"there is no budget in tokens here; effort '{effort}' was asked for")
    if effort in ("none", "") or thinking.budget_tokens == 0:
        if effort == "none" or thinking.budget_tokens == 0:
            losses.add(field_of(thinking), "this model always thinks")
        return ""
    if effort not in EFFORTS:
        losses.add("reasoning_effort", f"this model has no effort '{effort}'; 'high' was asked for")
        return "high"
    return effort


def write_output(body: RequestOut, output: OutputFormat, model: Model, losses: Losses) -> None:
    """A schema where the model takes one; otherwise the wish for JSON is put into words."""
    if output.kind == "json" or (output.kind == "schema" and output.schema is None):
        body.system = [*(body.system or ()), BlockOut(text=JSON_PLEASE)]
        losses.add("response_format", "JSON without a schema can only be asked for in words")
    elif output.kind == "schema" and output.schema is not None and model.has_schemas:
        schema = JsonSchemaOut(bytes(output.schema).decode(), output.name or None, output.description or None)
        body.outputConfig = OutputConfigOut(TextFormatOut("json_schema", StructureOut(schema)))
    elif output.kind == "schema" and output.schema is not None:
        words = SCHEMA_PLEASE + msgspec.json.format(bytes(output.schema), indent=0).decode()
        body.system = [*(body.system or ()), BlockOut(text=words)]
        losses.add("response_format", "this model is not held to a schema; it was asked for in words")


def tier_of(tier: str, losses: Losses) -> TierOut | None:
    if tier in TIERS:
        return TierOut(tier)
    if tier not in USUAL_TIERS:
        losses.add("service_tier", f"there is no tier '{tier}' here")
    return None


def metadata_of(metadata: dict[str, str], losses: Losses) -> dict[str, str] | None:
    """Bedrock writes it into its log of calls, so the alphabet is small."""
    fitting = {key: value for key, value in metadata.items() if key and METADATA.fullmatch(key + value)}
    told = dict(list(fitting.items())[:MOST_METADATA])
    if len(told) < len(metadata):
        losses.add("metadata", f"Bedrock takes {MOST_METADATA} short values of plain letters; the others were dropped")
    return told or None
