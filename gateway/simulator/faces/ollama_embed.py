"""Ollama's embed API. Source: ollama/ollama, docs/openapi.yaml and server/routes.go, read 2026-11-23."""

from typing import Literal

import msgspec
from msgspec import Raw, Struct
from msgspec.json import encode
from msgspec.structs import replace

from gateway.simulator.complaint import Complaint
from gateway.simulator.embedding import EmbeddingChat, Words, embedding_chat, text_passage
from gateway.simulator.extras import Extras
from gateway.simulator.faces.face import Where
from gateway.simulator.faces.ollama import NANOSECONDS_PER_TOKEN
from gateway.simulator.faces.reading import decoded
from gateway.simulator.faces.unstreamed import Unstreamed
from gateway.simulator.telling import Telling
from gateway.simulator.vectors import Vector

LOAD_NANOSECONDS = 1_000_000  # invented
Json = dict[str, object]

# More dimensions than the model has are neither refused nor given: routes.go, EmbedHandler.
WORDS = Words(too_long="the input length exceeds the context length", too_wide="")


class OllamaEmbedRequest(Struct, frozen=True, kw_only=True):
    """Members that it does not know, Ollama ignores."""

    model: str
    input: str | list[str] | None = None
    truncate: bool | None = None
    dimensions: int | None = None
    options: Raw = Raw()
    keep_alive: str | float | None = None


REQUEST = msgspec.json.Decoder(OllamaEmbedRequest)


class OllamaEmbedFace(Unstreamed):
    """A Face, see `faces.face`."""

    def read(self, body: bytes, headers: list[tuple[bytes, bytes]], where: Where) -> EmbeddingChat:
        request = decoded(REQUEST, body)
        # Without a text it loads the model and has no embeddings; an empty one in a list is embedded.
        texts = ([request.input] if request.input else []) if not isinstance(request.input, list) else request.input
        dimensions = request.dimensions if request.dimensions and request.dimensions > 0 else None
        cut: Literal["NONE", "END"] = "NONE" if request.truncate is False else "END"
        passages = [replace(text_passage(text), dimensions=dimensions, cut=cut) for text in texts]
        return embedding_chat(request.model, passages, WORDS, Extras())

    def document(self, telling: Telling) -> Json:
        return told(telling, telling.answer.vectors)

    def hollow(self, telling: Telling, *, is_null: bool) -> Json:
        return told(telling, [None] if is_null else [])

    def error(self, status: int, complaint: Complaint) -> bytes:
        return encode({"error": complaint.message})


def told(telling: Telling, embeddings: tuple[Vector, ...] | list[None]) -> Json:
    """Members that are nothing are left out."""
    document: Json = {"model": telling.who.model, "embeddings": embeddings}
    if not telling.answer.vectors:
        return document
    read = telling.answer.prompt_tokens * NANOSECONDS_PER_TOKEN
    document |= {"total_duration": read + LOAD_NANOSECONDS, "load_duration": LOAD_NANOSECONDS}
    return {**document, "prompt_eval_count": telling.counts.prompt} if telling.extras.tells_usage else document
