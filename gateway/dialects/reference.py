"""Write docs/formats.md by asking the translators: `python -m gateway.dialects.reference > docs/formats.md`."""

import sys
from collections.abc import Iterator

from msgspec import Raw

from gateway.dialects.contract import Outbound, TargetManner
from gateway.dialects.formats import INBOUND, OUTBOUND
from gateway.wire.conversation import (
    CacheMark,
    Conversation,
    Media,
    OutputFormat,
    Part,
    Refusal,
    Sampling,
    Text,
    Thinking,
    Thought,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)

INTRODUCTION = """\
# Formats

This page is made by asking the translators: `python -m gateway.dialects.reference > docs/formats.md`. A test fails
when the two differ.

A request reaches a provider of its own format as it was written, byte for byte, but for the model's name and what only
a gateway needs. Every other pair is translated. What the provider's format has no words for is left out, or told as
well as they allow, and named: by the caller's own name for the field in the header `x-steelyard-loss`, with the reason
in `losses` of the `steelyard` object. `loss: refuse` in a router passes such targets over instead. What
would lose `logprobs`, `n`, a forced tool call, a signed thought, or a picture or document that is given by URL is tried
last.
"""
TITLES = {
    "openai_chat": "OpenAI Chat",
    "openai_completions": "OpenAI Completions",
    "openai_responses": "OpenAI Responses",
    "anthropic_messages": "Anthropic Messages",
    "gemini": "Gemini",
    "cohere_v2": "Cohere v2",
    "ollama": "Ollama",
    "bedrock_converse": "Bedrock Converse",
    "anthropic_bedrock": "Claude at Bedrock",
    "anthropic_vertex": "Claude at Vertex",
    "gemini_vertex": "Gemini at Vertex",
}
HOSTED = ("anthropic_bedrock", "anthropic_vertex", "gemini_vertex")  # as at the maker's, but for the envelope
# A model of each format that can do what its kind can.
MODELS = {
    "anthropic_messages": "claude-sonnet-4-5",
    "gemini": "gemini-3-flash",
    "ollama": "gpt-oss:120b",
    "bedrock_converse": "amazon.nova-pro-v1:0",
}
FAMILIES = {"anthropic_messages": "anthropic", "gemini": "google", "openai_responses": "openai"}
NEUTRAL = "openai_completions"  # a caller who is a stranger to every format that providers speak

MAKER = "maker"  # of the model, whoever it is
HELLO = Turn("user", (Text("hello"),))
SCHEMA = Raw(b'{"type":"object","properties":{"city":{"type":"string"}}}')
WEATHER = Tool("weather", "Of a city", SCHEMA)
CALL = ToolCall("call_1", "weather", '{"city":"Oslo"}')
CALLED = (HELLO, Turn("assistant", (CALL,)))
PICTURE = Media("image", data="iVBORw0K", media_type="image/png")


def shown(*parts: Part) -> Conversation:
    """What a user shows."""
    return Conversation(NEUTRAL, (Turn("user", (Text("Look"), *parts)),))


def answered(*parts: Text | Media, is_error: bool = False) -> Conversation:
    """What a tool gave back."""
    result = Turn("tool", (ToolResult("call_1", parts, "weather", is_error),))
    return Conversation(NEUTRAL, (*CALLED, result), tools=(WEATHER,))


def said(*parts: Part) -> Conversation:
    """What the model has said before."""
    return Conversation(NEUTRAL, (HELLO, Turn("assistant", (*parts, Text("hi"))), HELLO))


def offered(tool: Tool = WEATHER, choice: ToolChoice | None = None, parallel: bool | None = None) -> Conversation:
    """A tool, and what to do with it."""
    return Conversation(NEUTRAL, (HELLO,), tools=(tool,), tool_choice=choice, parallel_tool_calls=parallel)


def asked(**members: object) -> Conversation:
    """Members of the request beside what is said."""
    return Conversation(NEUTRAL, (HELLO,), **members)  # type: ignore[arg-type]


def sampled(**members: object) -> Conversation:
    return asked(sampling=Sampling(**members))  # type: ignore[arg-type]


FEATURES: dict[str, Conversation] = {
    "text; system and developer messages": Conversation(
        NEUTRAL, (Turn("system", (Text("Be brief."),)), Turn("developer", (Text("In English."),)), HELLO)
    ),
    "image, as data": shown(PICTURE),
    "image, by URL": shown(Media("image", url="https://example.org/a.png")),
    "PDF, as data": shown(Media("file", data="JVBERi0x", media_type="application/pdf", name="a.pdf")),
    "PDF, by URL": shown(Media("file", url="https://example.org/a.pdf", media_type="application/pdf")),
    "audio": shown(Media("audio", data="UklGRg==", media_type="audio/wav")),
    "video, by URL": shown(Media("video", url="https://example.org/a.mp4", media_type="video/mp4")),
    "tools, calls, results": answered(Text("rain")),
    "a result that is an error": answered(Text("no such city"), is_error=True),
    "a result with an image": answered(Text("see"), PICTURE),
    "a custom tool (free text)": offered(Tool("patch", "Edits", kind="custom")),
    "`strict` of a tool": offered(Tool("weather", "Of a city", SCHEMA, strict=True)),
    "a tool must be called": offered(choice=ToolChoice("required")),
    "one tool must be called": offered(choice=ToolChoice("named", "weather")),
    "no tool may be called": offered(choice=ToolChoice("none")),
    "one call at a time": offered(parallel=False),
    "JSON mode": asked(output=OutputFormat("json")),
    "JSON schema": asked(output=OutputFormat("schema", "city", "", SCHEMA, strict=True)),
    "reasoning effort": asked(thinking=Thinking(effort="low")),
    "reasoning budget in tokens": asked(thinking=Thinking(budget_tokens=4096)),
    "thoughts without a signature": said(Thought("hm")),
    "thoughts signed by the same maker": said(Thought("hm", signature="c2ln", origin=MAKER)),
    "thoughts signed by another maker": said(Thought("hm", signature="c2ln", origin="another")),
    "a refusal said before": said(Refusal("No.")),
    "cache marks": Conversation(NEUTRAL, (Turn("user", (Text("long", cache=CacheMark()), Text("hello"))),)),
    "`prompt_cache_key`": asked(cache_key="k"),
    "limit of output tokens": sampled(max_output_tokens=1000),
    "`temperature`, `top_p`": sampled(temperature=0.5),
    "`top_k`": sampled(top_k=5),
    "`seed`": sampled(seed=7),
    "stop sequences": sampled(stop=("END",)),
    "`n`": sampled(choices=2),
    "`logprobs`": sampled(logprobs=True),
    "frequency and presence penalty": sampled(frequency_penalty=0.5, presence_penalty=0.5),
    "`logit_bias`": sampled(logit_bias=Raw(b'{"50256":-100}')),
    "service tier": asked(service_tier="flex"),
    "`user`": asked(user="u-1"),
    "`metadata`": asked(metadata={"k": "v"}),
    "`verbosity`": asked(verbosity="low"),
}


def losses_of(name: str, outbound: Outbound, conversation: Conversation) -> tuple[str, ...]:
    """Why something of it does not arrive there as it was said."""
    family = FAMILIES.get(name, MAKER)
    manner = TargetManner(MODELS.get(name, "m"), family=family, is_reasoning=True, max_output_tokens=32_000)
    return tuple(loss.reason for loss in outbound.write_request(signed_by(conversation, family), manner).losses)


def signed_by(conversation: Conversation, family: str) -> Conversation:
    """The same, with the maker's name where it stands for one."""
    turns = tuple(
        Turn(turn.role, tuple(renamed(part, family) for part in turn.parts), turn.name) for turn in conversation.turns
    )
    return Conversation(
        **{name: getattr(conversation, name) for name in Conversation.__struct_fields__} | {"turns": turns}
    )


def renamed(part: Part, family: str) -> Part:
    """OpenAI's models seal their thoughts by hiding them."""
    if not isinstance(part, Thought) or part.origin != MAKER:
        return part
    return Thought("", "", "c2VhbGVk", family) if family == "openai" else Thought(part.text, part.signature, "", family)


def reference() -> str:
    return "".join(lines())


def lines() -> Iterator[str]:
    """The page."""
    yield INTRODUCTION
    yield "\n## Who speaks what\n\n| format | callers | providers |\n|---|---|---|\n"
    for name, title in TITLES.items():
        yield f"| {title} (`{name}`) | {'yes' if name in INBOUND else ''} | {'yes' if name in OUTBOUND else ''} |\n"
    yield "\n## What arrives\n\nClaude and Gemini take at other hosts what they take at their makers'.\n\n"
    columns = {name: outbound for name, outbound in OUTBOUND.items() if name not in HOSTED}
    yield f"| asked for | {' | '.join(TITLES[name] for name in columns)} |\n|---|{'---|' * len(columns)}\n"
    reasons: dict[str, int] = {}
    for feature, conversation in FEATURES.items():
        cells = []
        for name, outbound in columns.items():
            found = [reasons.setdefault(reason, len(reasons) + 1) for reason in losses_of(name, outbound, conversation)]
            cells.append(", ".join(f"[{number}](#reasons)" for number in found) if found else "yes")
        yield f"| {feature} | {' | '.join(cells)} |\n"
    yield "\n### Reasons\n\n"
    for reason, number in reasons.items():
        yield f"{number}. {reason}\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
