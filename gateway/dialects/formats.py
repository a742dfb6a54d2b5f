"""The wire formats, by name."""

from gateway.dialects.anthropic import MessagesInbound, MessagesOutbound
from gateway.dialects.chat import Chat
from gateway.dialects.cohere import CohereOutbound
from gateway.dialects.completions import Completions
from gateway.dialects.contract import Inbound, Outbound
from gateway.dialects.gemini import GEMINI, GEMINI_ARRAY
from gateway.dialects.ollama import OllamaOutbound
from gateway.dialects.responses import Responses

__all__ = ["CHAT", "COMPLETIONS", "GEMINI", "GEMINI_ARRAY", "INBOUND", "MESSAGES", "OUTBOUND", "RESPONSES"]

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
}
