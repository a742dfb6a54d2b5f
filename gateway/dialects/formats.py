"""The wire formats, by name."""

from gateway.dialects.anthropic import MessagesInbound, MessagesOutbound
from gateway.dialects.chat import Chat
from gateway.dialects.contract import Inbound, Outbound
from gateway.dialects.gemini import GEMINI

INBOUND: dict[str, Inbound] = {}
OUTBOUND: dict[str, Outbound] = {}

INBOUND["anthropic_messages"], OUTBOUND["anthropic_messages"] = MessagesInbound(), MessagesOutbound()
INBOUND["gemini"] = OUTBOUND["gemini"] = GEMINI
INBOUND["openai_chat"] = OUTBOUND["openai_chat"] = Chat()
