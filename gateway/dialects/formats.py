"""The wire formats, by name."""

from gateway.dialects.anthropic import MessagesInbound, MessagesOutbound
from gateway.dialects.anthropic.hosts import VERTEX
from gateway.dialects.bedrock import ConverseOutbound
from gateway.dialects.bedrock.invoked import InvokedOutbound
from gateway.dialects.chat import Chat
from gateway.dialects.cohere import CohereOutbound
from gateway.dialects.completions import Completions
from gateway.dialects.contract import Inbound, Outbound
from gateway.dialects.gemini import GEMINI, GEMINI_ARRAY
from gateway.dialects.gemini.vertex import VertexOutbound
from gateway.dialects.ollama import OllamaOutbound
from gateway.dialects.responses import Responses
from gateway.wire.ability import Ability
from gateway.wire.prompt import Prompt

__all__ = ["CHAT", "COMPLETIONS", "GEMINI", "GEMINI_ARRAY", "INBOUND", "MESSAGES", "OUTBOUND", "RESPONSES", "wordless"]

CHAT, COMPLETIONS, MESSAGES, RESPONSES = Chat(), Completions(), MessagesInbound(), Responses()

INBOUND: dict[str, Inbound] = {
    "openai_chat": CHAT,
    "openai_completions": COMPLETIONS,
    "openai_responses": RESPONSES,
    "anthropic_messages": MESSAGES,
    "gemini": GEMINI,
}
OUTBOUND: dict[str, Outbound] = {
    "openai_chat": CHAT,
    "openai_responses": RESPONSES,
    "anthropic_messages": MessagesOutbound(),
    "gemini": GEMINI,
    "cohere_v2": CohereOutbound(),
    "ollama": OllamaOutbound(),
    "bedrock_converse": ConverseOutbound(),
    "anthropic_bedrock": InvokedOutbound(),
    "anthropic_vertex": MessagesOutbound(VERTEX, "anthropic_vertex"),
    "gemini_vertex": VertexOutbound(),
}
OF_CLAUDE = frozenset({"anthropic_messages", "anthropic_bedrock", "anthropic_vertex"})

# Formats without words for what answers may hold in others, or for pictures and documents that are elsewhere.
WITHOUT_LOGPROBS = OF_CLAUDE | {"bedrock_converse"}
WITHOUT_FORCE = frozenset({"ollama"})  # cannot make a model call a tool
ONE_CHOICE = OF_CLAUDE | {"bedrock_converse", "cohere_v2", "ollama", "openai_responses"}
IMAGES_AS_DATA = frozenset({"bedrock_converse", "ollama"})
FILES_AS_DATA = frozenset({"bedrock_converse", "cohere_v2", "ollama", "openai_chat"})
LOGPROBS, IMAGES, FILES = int(Ability.LOGPROBS), int(Ability.IMAGES), int(Ability.FILES)
ADDRESS = b'"http'  # how a URL begins in a body


def wordless(prompt: Prompt) -> frozenset[str]:
    """The formats that providers speak in which part of what this request shows or asks for could not be said."""
    needs = int(prompt.needs)  # arithmetic on flags costs a microsecond each
    lacking: frozenset[str] = ONE_CHOICE if prompt.choices > 1 else frozenset()
    if prompt.forces_call:
        lacking |= WITHOUT_FORCE
    if needs & LOGPROBS:
        lacking |= WITHOUT_LOGPROBS
    if needs & (IMAGES | FILES) and ADDRESS in prompt.body:
        lacking |= (IMAGES_AS_DATA if needs & IMAGES else frozenset()) | (
            FILES_AS_DATA if needs & FILES else frozenset()
        )
    return lacking
