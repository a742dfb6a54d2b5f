"""Which codec carries a request between two formats."""

from gateway.dialects.anthropic.hosts import VERTEX
from gateway.dialects.anthropic.splice import MessagesSplice
from gateway.dialects.bedrock.invoked import InvokedSplice
from gateway.dialects.codec import Codec
from gateway.dialects.contract import Inbound
from gateway.dialects.formats import CHAT, GEMINI, GEMINI_ARRAY, INBOUND, MESSAGES, OUTBOUND, RESPONSES
from gateway.dialects.gemini.splice import GeminiSplice
from gateway.dialects.responses.splice import ResponsesSplice
from gateway.dialects.splice import ChatSplice
from gateway.dialects.translation import Translation

SPLICES: dict[tuple[Inbound, str], Codec] = {
    (CHAT, "openai_chat"): ChatSplice(),
    (RESPONSES, "openai_responses"): ResponsesSplice(),
    (MESSAGES, "anthropic_messages"): MessagesSplice(),
    (MESSAGES, "anthropic_bedrock"): InvokedSplice(),
    (MESSAGES, "anthropic_vertex"): MessagesSplice(VERTEX),
    (GEMINI, "gemini"): GeminiSplice(),
    (GEMINI_ARRAY, "gemini"): GeminiSplice(sse=False),
}


CODECS: dict[tuple[Inbound, str], Codec] = {
    (callers, name): SPLICES.get((callers, name)) or Translation(callers, providers)
    for callers in (*INBOUND.values(), GEMINI_ARRAY)
    for name, providers in OUTBOUND.items()
}


def codec_of(callers: Inbound, providers: str) -> Codec:
    """callers: their format. providers: the name of theirs."""
    return CODECS[callers, providers]
