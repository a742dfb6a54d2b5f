"""The formats in which providers make embeddings, beside OpenAI's: Google's, Cohere's and Ollama's.

Texts that are too long are an error, as they are at OpenAI, wherever a format lets us say so: a vector of half a text
looks like any other.
"""

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.answer import is_something
from gateway.dialects.embeddings.answer import Vectors
from gateway.dialects.embeddings.schema import ABSENT, EmbeddingRequest

MOST_AT_GOOGLE = 100  # ai.google.dev, "Embeddings", models.batchEmbedContents, read 2026-11-23
MOST_AT_COHERE = 96  # docs.cohere.com, "Embed API (v2)", read 2026-11-23
TASK_OF_TYPE = {
    "search_document": "RETRIEVAL_DOCUMENT",
    "search_query": "RETRIEVAL_QUERY",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
    "document": "RETRIEVAL_DOCUMENT",  # Voyage's words
    "query": "RETRIEVAL_QUERY",
    "passage": "RETRIEVAL_DOCUMENT",  # NVIDIA's
}
TYPE_OF_WORD = {"document": "search_document", "passage": "search_document", "query": "search_query"}


class EmbeddingFormat(Protocol):
    """A format that providers of embeddings speak."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str:
        """Whose it is, for people."""
        ...

    @property
    def most_inputs(self) -> int:
        """Texts in one request; 0 for no limit of the format's own."""
        ...

    @property
    def input_types(self) -> frozenset[str]:
        """The values of `input_type` that it has words for."""
        ...

    def path(self, model: str) -> str:
        """Appended to the provider's base URL."""
        ...

    def document(self, texts: Sequence[str], request: EmbeddingRequest, model: str) -> dict[str, object]:
        """The request, before it is encoded."""
        ...

    def read(self, body: bytes) -> Vectors:
        """The answer. Raises ValueError when it is none of this format."""
        ...


class GeminiVector(Struct, frozen=True):
    values: Raw


class GeminiCounts(Struct, frozen=True, rename="camel"):
    prompt_token_count: int | None = None


class GeminiAnswer(Struct, frozen=True, rename="camel"):
    embeddings: list[GeminiVector] = []
    usage_metadata: GeminiCounts = GeminiCounts()
    error: Raw = ABSENT


class GeminiEmbeddings:
    """`models/{model}:batchEmbedContents`. Source: ai.google.dev, "Embeddings", read 2026-11-23."""

    name = "gemini_embeddings"
    title = "Google's"
    most_inputs = MOST_AT_GOOGLE
    input_types = frozenset(TASK_OF_TYPE)
    _answer = msgspec.json.Decoder(GeminiAnswer)

    def path(self, model: str) -> str:
        return f"/models/{quote(model, safe='/:@')}:batchEmbedContents"

    def document(self, texts: Sequence[str], request: EmbeddingRequest, model: str) -> dict[str, object]:
        wishes: dict[str, object] = {}
        if request.dimensions is not None:
            wishes["outputDimensionality"] = request.dimensions
        if request.input_type in TASK_OF_TYPE:
            wishes["taskType"] = TASK_OF_TYPE[request.input_type]
        name = f"models/{model}"
        return {"requests": [{"model": name, "content": {"parts": [{"text": text}]}, **wishes} for text in texts]}

    def read(self, body: bytes) -> Vectors:
        answer = self._answer.decode(body)
        if is_something(answer.error):
            return Vectors(error=bytes(answer.error))
        return Vectors([vector.values for vector in answer.embeddings], answer.usage_metadata.prompt_token_count)


class CohereVectors(Struct, frozen=True, rename={"numbers": "float"}):
    numbers: list[Raw] = []


class CohereUnits(Struct, frozen=True):
    input_tokens: float | None = None


class CohereMeta(Struct, frozen=True):
    billed_units: CohereUnits = CohereUnits()


class CohereAnswer(Struct, frozen=True):
    embeddings: CohereVectors
    meta: CohereMeta = CohereMeta()


class CohereEmbeddings:
    """`/embed` below a base URL that ends in `/v2`. Source: docs.cohere.com, "Embed API (v2)", read 2026-11-23.

    It wants to know what the vectors are for; a caller who does not say gets those of documents.
    """

    name = "cohere_embeddings"
    title = "Cohere's"
    most_inputs = MOST_AT_COHERE
    input_types = frozenset({"search_document", "search_query", "classification", "clustering", *TYPE_OF_WORD})
    _answer = msgspec.json.Decoder(CohereAnswer)

    def path(self, model: str) -> str:
        return "/embed"

    def document(self, texts: Sequence[str], request: EmbeddingRequest, model: str) -> dict[str, object]:
        wanted = request.input_type if request.input_type in self.input_types else "search_document"
        told: dict[str, object] = {
            "model": model,
            "texts": texts,
            "input_type": TYPE_OF_WORD.get(wanted or "", wanted),
            "embedding_types": ["float"],
            "truncate": "NONE",
        }
        return told if request.dimensions is None else told | {"output_dimension": request.dimensions}

    def read(self, body: bytes) -> Vectors:
        answer = self._answer.decode(body)
        tokens = answer.meta.billed_units.input_tokens
        return Vectors(answer.embeddings.numbers, None if tokens is None else round(tokens))


class OllamaAnswer(Struct, frozen=True):
    embeddings: list[Raw] = []
    model: str = ""
    prompt_eval_count: int | None = None
    error: str = ""


class OllamaEmbeddings:
    """`/api/embed`. Source: docs.ollama.com, "Generate embeddings", read 2026-11-23."""

    name = "ollama_embeddings"
    title = "Ollama's"
    most_inputs = 0
    input_types: frozenset[str] = frozenset()
    _answer = msgspec.json.Decoder(OllamaAnswer)

    def path(self, model: str) -> str:
        return "/api/embed"

    def document(self, texts: Sequence[str], request: EmbeddingRequest, model: str) -> dict[str, object]:
        told: dict[str, object] = {"model": model, "input": texts, "truncate": False}
        return told if request.dimensions is None else told | {"dimensions": request.dimensions}

    def read(self, body: bytes) -> Vectors:
        answer = self._answer.decode(body)
        if answer.error:
            return Vectors(error=msgspec.json.encode({"message": answer.error}))
        return Vectors(answer.embeddings, answer.prompt_eval_count, answer.model)
