"""Gemini's embedContent and batchEmbedContents.

Source: ai.google.dev/api/embeddings, and google-genai 3.4.0, `models.embed_content`, read 2026-11-23.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from msgspec.json import encode
from msgspec.structs import replace

from gateway.simulator.chat import Count
from gateway.simulator.complaint import Complaint
from gateway.simulator.embedding import EmbeddingChat, Passage, Words, embedding_chat, text_passage
from gateway.simulator.extras import Extras
from gateway.simulator.faces.camel import in_camel_case
from gateway.simulator.faces.face import Where
from gateway.simulator.faces.gemini import error_object
from gateway.simulator.faces.gemini_request import Content, Strict
from gateway.simulator.faces.reading import decoded, refused
from gateway.simulator.faces.unstreamed import Unstreamed
from gateway.simulator.telling import Telling

MOST_REQUESTS = 100
Json = dict[str, object]
WORDS = Words(
    too_long="The input token count ({tokens}) exceeds the maximum number of tokens allowed ({most}).",
    too_wide="outputDimensionality is {asked}; it must be in the range from 1 to {most}.",
)
TaskType = Literal[
    "TASK_TYPE_UNSPECIFIED",
    "RETRIEVAL_QUERY",
    "RETRIEVAL_DOCUMENT",
    "SEMANTIC_SIMILARITY",
    "CLASSIFICATION",
    "CLUSTERING",
    "QUESTION_ANSWERING",
    "FACT_VERIFICATION",
    "CODE_RETRIEVAL_QUERY",
]


class EmbedContentConfig(Strict, frozen=True):
    """The later place of three members of the request. What the text is for changes nothing here."""

    task_type: TaskType | None = None
    title: str | None = None
    output_dimensionality: Count | None = None
    auto_truncate: bool = True
    document_ocr: bool | None = None
    audio_track_extraction: bool | None = None


class EmbedContentRequest(Strict, frozen=True):
    content: Content
    model: str = ""
    task_type: TaskType | None = None
    title: str | None = None
    output_dimensionality: Count | None = None
    embed_content_config: EmbedContentConfig = EmbedContentConfig()


class BatchRequest(Strict, frozen=True):
    requests: Annotated[list[EmbedContentRequest], Meta(min_length=1)]


REQUEST = msgspec.json.Decoder(EmbedContentRequest)
BATCH = msgspec.json.Decoder(BatchRequest)


class EmbedContentFace(Unstreamed):
    """A Face, see `faces.face`: one content."""

    manner = "gemini"

    def read(self, body: bytes, headers: list[tuple[bytes, bytes]], where: Where) -> EmbeddingChat:
        request = decoded(REQUEST, in_camel_case(body))
        if request.model:
            check_model(request, where)
        return embedding_chat(where.model, [passage_of(request)], WORDS, Extras())

    def document(self, telling: Telling) -> Json:
        (vector,) = telling.answer.vectors
        return {"embedding": {"values": vector}, **usage(telling)}

    def hollow(self, telling: Telling, *, is_null: bool) -> Json:
        return {"embedding": None, **usage(telling)} if is_null else usage(telling)

    def error(self, status: int, complaint: Complaint) -> bytes:
        return encode({"error": error_object(status, complaint)})


class BatchEmbedContentsFace(EmbedContentFace):
    """Up to a hundred of them, in the same order."""

    def read(self, body: bytes, headers: list[tuple[bytes, bytes]], where: Where) -> EmbeddingChat:
        requests = decoded(BATCH, in_camel_case(body)).requests
        if len(requests) > MOST_REQUESTS:  # in these words: geldata/gel, issue 9032
            raise refused("* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n")
        for request in requests:
            check_model(request, where)
        return embedding_chat(where.model, [passage_of(request) for request in requests], WORDS, Extras())

    def document(self, telling: Telling) -> Json:
        rows = [{"values": vector} for vector in telling.answer.vectors]
        return {"embeddings": rows, **usage(telling)}

    def hollow(self, telling: Telling, *, is_null: bool) -> Json:
        return {"embeddings": [None] if is_null else [], **usage(telling)}


def check_model(request: EmbedContentRequest, where: Where) -> None:
    """The body's model is the address's, in full."""
    resource = where.model if where.model.startswith("tunedModels/") else f"models/{where.model}"
    if request.model != resource:
        raise refused(f"The model in the request, {request.model!r}, is not that of the address, {resource!r}.")


def passage_of(request: EmbedContentRequest) -> Passage:
    """Only texts count, and there has to be one."""
    texts = [part.text for part in request.content.parts if part.text]
    if len(texts) < len(request.content.parts) or not texts:
        raise refused("* EmbedContentRequest.content contains an empty Part.\n")
    config = request.embed_content_config
    return replace(
        text_passage("".join(texts)),
        dimensions=config.output_dimensionality or request.output_dimensionality,
        cut="END" if config.auto_truncate else "NONE",
    )


def usage(telling: Telling) -> Json:
    """EmbeddingUsageMetadata; its details are in `promptTokenDetails`, a name that generateContent spells otherwise."""
    if not telling.extras.tells_usage:
        return {}
    count = telling.counts.prompt
    details = [{"modality": "TEXT", "tokenCount": count}]
    return {"usageMetadata": {"promptTokenCount": count, "promptTokenDetails": details}}
