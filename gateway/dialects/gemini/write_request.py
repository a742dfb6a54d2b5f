"""A Conversation to the body that Google gets."""

from urllib.parse import quote

import msgspec
from msgspec import Raw

from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.gemini.media import DIALECT
from gateway.dialects.gemini.model import Model, model_of
from gateway.dialects.gemini.names import encoded
from gateway.dialects.gemini.openapi import ignored_words, understood
from gateway.dialects.gemini.schema import ABSENT, GenerationConfig
from gateway.dialects.gemini.thinking import write_thinking
from gateway.dialects.gemini.write_contents import write_contents
from gateway.dialects.gemini.write_tools import write_choice, write_tools
from gateway.dialects.losses import USUAL_TIERS, Losses
from gateway.wire.conversation import Conversation, OutputFormat, Sampling

# Source: ai.google.dev/api/generate-content, GenerationConfig, read 2026-11-23.
MAX_STOP_SEQUENCES = 5
COLLECTIONS = ("models/", "tunedModels/", "dynamic/")  # of Google's resource names
TIERS = ("flex", "priority")
SAYABLE = frozenset(
    (
        "n",
        "seed",
        "top_k",
        "logprobs",
        "top_logprobs",
        "frequency_penalty",
        "presence_penalty",
        "parallel_tool_calls",
        "service_tier",
        "modalities",
    )
)

MEMBERS = msgspec.json.Decoder(dict[str, Raw])


def path(model: str, stream: bool) -> str:
    """Appended to the provider's base URL, which ends in the version."""
    collection, slash, name = model.partition("/")
    if collection + slash not in COLLECTIONS:
        collection, name = "models", model
    name = f"{collection}/{quote(name, safe='/:@')}"
    return f"/{name}:streamGenerateContent?alt=sse" if stream else f"/{name}:generateContent"


def write_request(conversation: Conversation, manner: TargetManner) -> Outgoing:
    """What the provider gets; the model and whether to stream go into the URL."""
    losses, model = Losses(conversation.origin), model_of(manner.model)
    system, contents = write_contents(conversation, model, manner.family, losses)
    body: dict[str, object] = {"contents": contents}
    if system is not None:
        body["systemInstruction"] = system
    if tools := write_tools(conversation, losses):
        body["tools"] = tools
    choice = write_choice(conversation, losses)
    if choice is not None:
        body["toolConfig"] = {"functionCallingConfig": choice}
    generation = MEMBERS.decode(encoded(write_generation(conversation, manner, model, losses)))
    if generation:
        body["generationConfig"] = generation
    write_the_rest(conversation, body, losses)
    drop(body, manner.drop_fields, losses)
    return Outgoing(msgspec.json.encode(body), losses.told())


def write_generation(
    conversation: Conversation, manner: TargetManner, model: Model, losses: Losses
) -> GenerationConfig:
    sampling = conversation.sampling
    mime_type, schema = write_output(conversation, model, losses)
    return GenerationConfig(
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        max_output_tokens=write_limit(sampling, manner, losses),
        stop_sequences=write_stop(sampling, losses) or None,
        candidate_count=sampling.choices,
        seed=sampling.seed,
        presence_penalty=sampling.presence_penalty,
        frequency_penalty=sampling.frequency_penalty,
        response_logprobs=sampling.logprobs or None,
        logprobs=sampling.top_logprobs,
        response_mime_type=mime_type,
        response_json_schema=schema,
        response_modalities=write_modalities(conversation),
        thinking_config=write_thinking(conversation, manner, model, losses),
    )


def write_limit(sampling: Sampling, manner: TargetManner, losses: Losses) -> int | None:
    wanted, most = sampling.max_output_tokens, manner.max_output_tokens
    if wanted is None or not most or wanted <= most:
        return wanted
    losses.add("max_completion_tokens", f"{wanted} is over this model's limit; {most} were asked for")
    return most


def write_stop(sampling: Sampling, losses: Losses) -> list[str]:
    if len(sampling.stop) > MAX_STOP_SEQUENCES:
        losses.add("stop", f"Gemini takes {MAX_STOP_SEQUENCES} stop sequences; the first ones are told")
    return list(sampling.stop[:MAX_STOP_SEQUENCES])


def write_modalities(conversation: Conversation) -> list[str] | None:
    """Text alone is what everybody gets who says nothing."""
    if conversation.modalities in ((), ("text",)) and conversation.origin != DIALECT:
        return None
    return [modality.upper() for modality in conversation.modalities] or None


def write_output(conversation: Conversation, model: Model, losses: Losses) -> tuple[str | None, Raw]:
    """The media type of the answer, and its schema."""
    output = conversation.output
    if output is None or output.kind == "text":
        return None, ABSENT
    if conversation.tools and not model.has_json_beside_tools:
        losses.add("response_format", f"{model.name} cannot be held to JSON and have tools as well")
        return None, ABSENT
    if output.schema is None:
        return "application/json", ABSENT
    for word in ignored_words(output.schema):
        losses.add(f"response_format.json_schema.{word}", "Gemini does not keep to it")
    return "application/json", described(understood(output.schema), output)


def described(schema: Raw, output: OutputFormat) -> Raw:
    """The description goes into the schema, the only place that it has here."""
    if not output.description:
        return schema
    return encoded({"description": output.description, **MEMBERS.decode(schema)})


def write_the_rest(conversation: Conversation, body: dict[str, object], losses: Losses) -> None:
    """Whatever else the caller said; to Google in his own words if it was Google that he spoke to."""
    tier = conversation.service_tier
    if conversation.origin != DIALECT:
        if tier in TIERS:
            body["serviceTier"] = tier
        elif tier not in USUAL_TIERS:
            losses.add("service_tier", f"Gemini has no tier that is called {tier}")
        losses.add_foreign(conversation, SAYABLE, "Gemini has no such field")
        return
    if tier:
        body["serviceTier"] = tier
    if conversation.metadata:
        body["labels"] = conversation.metadata
    for name, raw in conversation.unknown.items():
        put_back(body, name, raw)


def put_back(body: dict[str, object], name: str, raw: Raw) -> None:
    """A member of the body, or of its `generationConfig` or `toolConfig`."""
    outer, _, inner = name.rpartition(".")
    place = body.setdefault(outer, {}) if outer else body
    if isinstance(place, dict):
        place[inner] = raw


def drop(body: dict[str, object], fields: tuple[str, ...], losses: Losses) -> None:
    """What this provider refuses, by its name here."""
    for field in fields:
        for place in (body, body.get("generationConfig")):
            if isinstance(place, dict) and place.pop(field, None) is not None:
                losses.add(field, "the provider refuses it")
