"""Which codec carries a request between two formats."""

from gateway.dialects.anthropic.hosts import VERTEX
from gateway.dialects.anthropic.splice import MessagesSplice
from gateway.dialects.bedrock.invoked import InvokedSplice
from gateway.dialects.codec import Codec
from gateway.dialects.contract import CallerFormat, Inbound
from gateway.dialects.embeddings import CODECS as OF_EMBEDDINGS
from gateway.dialects.embeddings import EMBEDDINGS
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


BETWEEN_CONVERSATIONS: dict[tuple[CallerFormat, str], Codec] = {
    (callers, name): SPLICES.get((callers, name)) or Translation(callers, providers)
    for callers in (*INBOUND.values(), GEMINI_ARRAY)
    for name, providers in OUTBOUND.items()
}
CODECS = BETWEEN_CONVERSATIONS | {(EMBEDDINGS, name): codec for name, codec in OF_EMBEDDINGS.items()}


def codec_of(callers: CallerFormat, providers: str) -> Codec:
    """callers: their format. providers: the name of theirs."""
    return CODECS[callers, providers]
