"""Which format is spoken at which address."""

import re
from urllib.parse import unquote

from gateway.simulator.faces.chat import ChatFace
from gateway.simulator.faces.cohere import CohereFace
from gateway.simulator.faces.completions import CompletionsFace
from gateway.simulator.faces.face import Face, Where
from gateway.simulator.faces.gemini import GeminiArrayFace, GeminiFace
from gateway.simulator.faces.messages import MessagesFace
from gateway.simulator.faces.ollama import OllamaFace
from gateway.simulator.faces.responses import ResponsesFace

NOWHERE = Where()

BY_PATH: dict[str, Face] = {
    "/v1/chat/completions": ChatFace(),
    "/v1/completions": CompletionsFace(),
    "/v1/responses": ResponsesFace(),
    "/v1/messages": MessagesFace(),
    "/v2/chat": CohereFace(),
    "/api/chat": OllamaFace(),
}

# Google serves both versions. A name with a slash is a resource of its own kind, such as tunedModels/x.
GEMINI_PATH = re.compile(r"/v1(?:beta)?/(?:models/)?(.+):(generateContent|streamGenerateContent)")
GEMINI, GEMINI_ARRAY = GeminiFace(), GeminiArrayFace()


def face_at(path: str, query: str) -> tuple[Face, Where] | None:
    """The format of a path below a provider's address, and what the path says; None where no model answers."""
    face = BY_PATH.get(path)
    if face is not None:
        return face, NOWHERE
    found = GEMINI_PATH.fullmatch(path)
    return None if found is None else gemini_at(unquote(found[1]), found[2], query)


def gemini_at(model: str, method: str, query: str) -> tuple[Face, Where]:
    """The address says which model, and whether and how to stream."""
    if method == "generateContent":
        return GEMINI, Where(model)
    return GEMINI if "alt=sse" in query.split("&") else GEMINI_ARRAY, Where(model, stream=True)
