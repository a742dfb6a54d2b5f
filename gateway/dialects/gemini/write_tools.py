"""Tools and the choice between them, in Gemini's shape."""

import re

from msgspec import Raw

from gateway.dialects.arguments import FREE_TEXT, WITHOUT_GRAMMAR
from gateway.dialects.gemini.media import DIALECT
from gateway.dialects.gemini.names import encoded
from gateway.dialects.gemini.openapi import understood
from gateway.dialects.gemini.schema import FunctionCallingConfig, FunctionDeclaration
from gateway.dialects.losses import Losses
from gateway.wire.conversation import Conversation, Tool, ToolChoice

# Source: google-genai 3.4.0, FunctionDeclaration.name, read 2026-11-23.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}\Z")
TAKES_NOTHING = (b'{"type":"object"}', b'{"type":"object","properties":{}}')


def write_tools(conversation: Conversation, losses: Losses) -> list[Raw]:
    """Functions in one entry, each hosted tool in its own."""
    functions: list[Raw] = []
    hosted: list[Raw] = []
    for number, tool in enumerate(conversation.tools):
        if tool.cache is not None:
            losses.add("cache_control", "Gemini caches the beginnings of prompts by itself and takes no marks")
        if tool.origin == DIALECT and tool.raw is not None:
            (functions if tool.kind == "function" else hosted).append(tool.raw)
        elif tool.kind == "hosted":
            losses.add(f"tools[{number}]", f"Gemini has no tool of its own that is called {tool.name}")
        else:
            functions.append(declared(tool, number, losses))
    return [*([encoded({"functionDeclarations": functions})] if functions else []), *hosted]


def declared(tool: Tool, number: int, losses: Losses) -> Raw:
    if NAME.match(tool.name) is None:
        losses.add(f"tools[{number}].name", "Gemini takes letters, digits, '_', '.', ':' and '-', 128 at most")
    schema = tool.schema
    if tool.kind == "custom":
        schema = FREE_TEXT
        losses.add(f"tools[{number}]", WITHOUT_GRAMMAR)
    takes_some = schema is not None and bytes(schema) not in TAKES_NOTHING
    return encoded(
        FunctionDeclaration(
            tool.name,
            tool.description or None,
            **({"parameters_json_schema": understood(schema)} if takes_some and schema is not None else {}),
        )
    )


def write_choice(conversation: Conversation, losses: Losses) -> FunctionCallingConfig | None:
    """None where the model is free. VALIDATED is free as well, but keeps to the schemas, which is what strict means.

    Source: ai.google.dev/gemini-api/docs/function-calling, "Function calling modes", read 2026-11-23.
    """
    functions = [tool for tool in conversation.tools if tool.kind == "function"]
    if not functions:
        return None
    choice = conversation.tool_choice
    if conversation.parallel_tool_calls is False:
        losses.add("parallel_tool_calls", "Gemini cannot be held to one call at a time")
    mode, allowed = mode_of(choice, any(tool.strict for tool in functions))
    return FunctionCallingConfig(mode, list(allowed) or None) if mode else None


def mode_of(choice: ToolChoice | None, is_strict: bool) -> tuple[str, tuple[str, ...]]:
    """The mode and the names that it allows; no mode where nothing was said."""
    if choice is not None and choice.mode == "named":
        return "ANY", (choice.name,)
    if choice is not None and choice.mode == "required":
        return "ANY", choice.allowed
    if choice is not None and choice.mode == "none":
        return "NONE", ()
    allowed = choice.allowed if choice is not None else ()
    if is_strict or allowed:
        return "VALIDATED", allowed
    return ("AUTO" if choice is not None else ""), ()
