"""OpenAI's Embeddings.

Source: developers.openai.com/api/reference/resources/embeddings, and openai 3.54.0,
`types.embedding_create_params`, read 2026-11-23.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from gateway.simulator.chat import Count
from gateway.simulator.complaint import Complaint, Refusal, openai_document
from gateway.simulator.embedding import (
    EmbeddingChat,
    Passage,
    Words,
    embedding_chat,
    text_passage,
    token_passage,
)
from gateway.simulator.extras import Extras
from gateway.simulator.faces.encodings import ENCODINGS
from gateway.simulator.faces.face import Where
from gateway.simulator.faces.reading import decoded
from gateway.simulator.faces.unstreamed import Unstreamed
from gateway.simulator.telling import Telling

MOST_INPUTS = 2048
MOST_TOKENS = 300_000  # of all inputs together
Json = dict[str, object]

# The first as reported in pingcap/autoflow, issue 265.
WORDS = Words(
    too_long="This model's maximum context length is {most} tokens, however you requested {tokens} tokens "
    "({tokens} in your prompt; 0 for the completion). Please reduce your prompt; or completion length.",
    too_wide="Invalid value for 'dimensions' = {asked}. Must be less than or equal to {most}.",
)
INVALID_INPUT = "'$.input' is invalid. Please check the API reference."  # as in embeddings-benchmark/mteb, issue 1200

Token = Annotated[int, Meta(ge=0)]


class EmbeddingsRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The specification has `additionalProperties: false`."""

    model: str
    input: str | list[str | Token | list[Token]]
    dimensions: Count | None = None
    encoding_format: Literal["float", "base64"] = "float"
    user: str | None = None


REQUEST = msgspec.json.Decoder(EmbeddingsRequest)


class EmbeddingsFace(Unstreamed):
    """A Face, see `faces.face`."""

    id_prefix = "embd-"

    def read(self, body: bytes, headers: list[tuple[bytes, bytes]], where: Where) -> EmbeddingChat:
        request = decoded(REQUEST, body)
        passages = [msgspec.structs.replace(passage, dimensions=request.dimensions) for passage in passages_of(request)]
        tokens = sum(passage.tokens for passage in passages)
        if tokens > MOST_TOKENS:
            raise Refusal(400, f"Requested {tokens} tokens, max {MOST_TOKENS} tokens per request")
        return embedding_chat(request.model, passages, WORDS, Extras(encodings=(request.encoding_format,)))

    def document(self, telling: Telling) -> Json:
        encode = ENCODINGS[telling.extras.encodings[0]]
        return told(telling, [encode(vector) for vector in telling.answer.vectors])

    def hollow(self, telling: Telling, *, is_null: bool) -> Json:
        return told(telling, [None] if is_null else [])

    def error(self, status: int, complaint: Complaint) -> bytes:
        return openai_document(complaint)


def passages_of(request: EmbeddingsRequest) -> list[Passage]:
    """A text, texts, tokens or lists of tokens: one of the four, and none of them empty."""
    given = request.input
    if isinstance(given, str):
        given = [given]
    if not 1 <= len(given) <= MOST_INPUTS or "" in given or [] in given:
        raise Refusal(400, INVALID_INPUT)
    texts = [item for item in given if isinstance(item, str)]
    numbers = [item for item in given if isinstance(item, int)]
    lists = [item for item in given if isinstance(item, list)]
    for items, passages in (
        (texts, map(text_passage, texts)),
        (numbers, map(token_passage, [numbers])),
        (lists, map(token_passage, lists)),
    ):
        if len(items) == len(given):
            return list(passages)
    raise Refusal(400, INVALID_INPUT)


def told(telling: Telling, vectors: list[object]) -> Json:
    rows = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    document: Json = {"object": "list", "data": rows, "model": telling.who.model}
    if telling.extras.tells_usage:
        document["usage"] = {"prompt_tokens": telling.counts.prompt, "total_tokens": telling.counts.total}
    return document
