"""The wire formats, by name."""

from gateway.dialects.anthropic import MessagesInbound, MessagesOutbound
from gateway.dialects.chat import Chat
from gateway.dialects.completions import Completions
from gateway.dialects.contract import Inbound, Outbound
from gateway.dialects.gemini import GEMINI, GEMINI_ARRAY

__all__ = ["CHAT", "COMPLETIONS", "GEMINI", "GEMINI_ARRAY", "INBOUND", "MESSAGES", "OUTBOUND"]

CHAT, COMPLETIONS, MESSAGES = Chat(), Completions(), MessagesInbound()

INBOUND: dict[str, Inbound] = {
    "openai_chat": CHAT,
    "openai_completions": COMPLETIONS,
    "anthropic_messages": MESSAGES,
    "gemini": GEMINI,
}
OUTBOUND: dict[str, Outbound] = {
    "openai_chat": CHAT,
    "anthropic_messages": MessagesOutbound(),
    "gemini": GEMINI,
}
