"""Embeddings: callers speak OpenAI's format, providers that or one of three others.

A request for embeddings is no conversation, so it has codecs of its own; everything around them is shared.
"""

from gateway.dialects.codec import Codec
from gateway.dialects.embeddings.inbound import EmbeddingsInbound
from gateway.dialects.embeddings.outbound import CohereEmbeddings, EmbeddingFormat, GeminiEmbeddings, OllamaEmbeddings
from gateway.dialects.embeddings.schema import DIALECT
from gateway.dialects.embeddings.splice import EmbeddingSplice
from gateway.dialects.embeddings.translation import EmbeddingTranslation
from gateway.wire.prompt import Prompt

__all__ = ["CODECS", "EMBEDDINGS", "FORMAT_OF", "path", "wordless"]

EMBEDDINGS = EmbeddingsInbound()
FOREIGN: tuple[EmbeddingFormat, ...] = (GeminiEmbeddings(), CohereEmbeddings(), OllamaEmbeddings())
CODECS: dict[str, Codec] = {DIALECT: EmbeddingSplice(), **{one.name: EmbeddingTranslation(one) for one in FOREIGN}}

# How a provider is asked for embeddings, by the format in which it is asked for conversations.
FORMAT_OF = {
    "openai_chat": DIALECT,
    "openai_responses": DIALECT,
    "gemini": "gemini_embeddings",
    "cohere_v2": "cohere_embeddings",
    "ollama": "ollama_embeddings",
}
BY_NAME = {one.name: one for one in FOREIGN}


def path(dialect: str, model: str) -> str:
    """Appended to the provider's base URL."""
    return "/embeddings" if dialect == DIALECT else BY_NAME[dialect].path(model)


def wordless(prompt: Prompt) -> frozenset[str]:
    """The formats of providers in which this request cannot be put."""
    count = prompt.message_count
    return frozenset(
        one.name for one in FOREIGN if prompt.counted_tokens or (one.most_inputs and count > one.most_inputs)
    )
