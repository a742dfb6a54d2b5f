"""Which format is spoken at which address."""

import re
from urllib.parse import unquote

from gateway.simulator.faces.chat import ChatFace
from gateway.simulator.faces.cohere import CohereFace
from gateway.simulator.faces.cohere_embed import CohereEmbedFace
from gateway.simulator.faces.completions import CompletionsFace
from gateway.simulator.faces.embed_content import BatchEmbedContentsFace, EmbedContentFace
from gateway.simulator.faces.embeddings import EmbeddingsFace
from gateway.simulator.faces.face import Face, Where
from gateway.simulator.faces.gemini import GeminiArrayFace, GeminiFace
from gateway.simulator.faces.messages import MessagesFace
from gateway.simulator.faces.ollama import OllamaFace
from gateway.simulator.faces.ollama_embed import OllamaEmbedFace
from gateway.simulator.faces.responses import ResponsesFace

NOWHERE = Where()

BY_PATH: dict[str, Face] = {
    "/v1/chat/completions": ChatFace(),
    "/v1/completions": CompletionsFace(),
    "/v1/responses": ResponsesFace(),
    "/v1/messages": MessagesFace(),
    "/v1/embeddings": EmbeddingsFace(),
    "/v2/chat": CohereFace(),
    "/v2/embed": CohereEmbedFace(),
    "/api/chat": OllamaFace(),
    "/api/embed": OllamaEmbedFace(),
}

# Google serves both versions. A name with a slash is a resource of its own kind, such as tunedModels/x.
GEMINI_PATH = re.compile(r"/v1(?:beta)?/(?:models/)?(.+):(\w+)")
GEMINI, GEMINI_ARRAY = GeminiFace(), GeminiArrayFace()
UNSTREAMED: dict[str, Face] = {
    "generateContent": GEMINI,
    "embedContent": EmbedContentFace(),
    "batchEmbedContents": BatchEmbedContentsFace(),
}


def face_at(path: str, query: str) -> tuple[Face, Where] | None:
    """The format of a path below a provider's address, and what the path says; None where no model answers."""
    face = BY_PATH.get(path)
    if face is not None:
        return face, NOWHERE
    found = GEMINI_PATH.fullmatch(path)
    return None if found is None else gemini_at(unquote(found[1]), found[2], query)


def gemini_at(model: str, method: str, query: str) -> tuple[Face, Where] | None:
    """The address says which model, and whether and how to stream."""
    face = UNSTREAMED.get(method)
    if face is not None:
        return face, Where(model)
    if method != "streamGenerateContent":
        return None
    return GEMINI if "alt=sse" in query.split("&") else GEMINI_ARRAY, Where(model, stream=True)
