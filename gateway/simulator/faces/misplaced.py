"""What vendors say to a request that asks a chat model for vectors, or an embedding model for words."""

from gateway.simulator.complaint import Refusal
from gateway.simulator.faces.cohere import CohereFace
from gateway.simulator.faces.cohere_embed import CohereEmbedFace
from gateway.simulator.faces.embed_content import BatchEmbedContentsFace, EmbedContentFace
from gateway.simulator.faces.embeddings import EmbeddingsFace
from gateway.simulator.faces.face import Face
from gateway.simulator.faces.gemini import GeminiFace
from gateway.simulator.faces.messages import MessagesFace
from gateway.simulator.faces.ollama import OllamaFace
from gateway.simulator.faces.ollama_embed import OllamaEmbedFace

GOOGLE = (
    "models/{model} is not found for API version v1beta, or is not supported for %s. "
    "Call ListModels to see the list of available models and their supported methods."
)
# The first that fits. OpenAI's is in infiniflow/ragflow, issue 1835; Google's in feyninc/chonkie, issue 529; Cohere's
# in langchain-ai/langchain, pull request 637; Ollama's in ollama/ollama, issue 12182, and chunkhound/chunkhound, issue
# 41, which has it under a 500.
WORDS: tuple[tuple[type, int, str], ...] = (
    (EmbeddingsFace, 403, "You are not allowed to generate embeddings from this model"),
    (BatchEmbedContentsFace, 404, GOOGLE % "batchEmbedContents"),
    (EmbedContentFace, 404, GOOGLE % "embedContent"),
    (GeminiFace, 404, GOOGLE % "generateContent"),
    (CohereEmbedFace, 400, "embed is not an available endpoint on this model"),
    (CohereFace, 400, "chat is not an available endpoint on this model"),
    (OllamaEmbedFace, 400, "this model does not support embeddings"),
    (OllamaFace, 400, '"{model}" does not support chat'),
    (MessagesFace, 404, "model: {model}"),
    (object, 403, "You are not allowed to sample from this model"),
)


def misplaced(face: Face, model: str) -> Refusal:
    """The refusal of `model`, which is of the other kind."""
    status, message = next((status, message) for kind, status, message in WORDS if isinstance(face, kind))
    return Refusal(status, message.format(model=model))
