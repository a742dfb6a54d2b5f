"""Cohere's embed API, version 2.

Source: docs.cohere.com/embed-reference, and cohere-python, `types.embed_by_type_response`, read 2026-11-23.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.json import encode
from msgspec.structs import replace

from gateway.simulator.chat import Count
from gateway.simulator.complaint import Complaint
from gateway.simulator.embedding import EmbeddingChat, Words, embedding_chat, text_passage
from gateway.simulator.extras import Extras
from gateway.simulator.faces.encodings import ENCODINGS
from gateway.simulator.faces.face import Where
from gateway.simulator.faces.reading import decoded, refused
from gateway.simulator.faces.unstreamed import Unstreamed
from gateway.simulator.telling import Telling

MOST_TEXTS = 96
Json = dict[str, object]

# Smaller sizes than the model's own are refused too, but for these: n24q02m/crg, pull request 905, in these words.
WORDS = Words(
    too_long="invalid request: a text has {tokens} tokens, more than the {most} of this model, and truncate is NONE",
    too_wide="{asked} is not a valid output_dimension value for this model, [{widths}] is supported",
    widths=(256, 512, 1024, 1536),
)


class EmbedRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Cohere refuses members that it does not know. What the texts are for changes nothing here."""

    model: str
    input_type: Literal["search_document", "search_query", "classification", "clustering", "image"]
    texts: list[str] | None = None
    images: Raw = Raw()
    inputs: Raw = Raw()
    embedding_types: (
        Annotated[list[Literal["float", "int8", "uint8", "binary", "ubinary", "base64"]], Meta(min_length=1)] | None
    ) = None
    output_dimension: Count | None = None
    max_tokens: Count | None = None
    truncate: Literal["NONE", "START", "END"] = "END"
    priority: int | None = None


REQUEST = msgspec.json.Decoder(EmbedRequest)


class CohereEmbedFace(Unstreamed):
    """A Face, see `faces.face`."""

    def read(self, body: bytes, headers: list[tuple[bytes, bytes]], where: Where) -> EmbeddingChat:
        request = decoded(REQUEST, body)
        texts = request.texts
        if bytes(request.images) or bytes(request.inputs) or request.input_type == "image":
            raise refused("invalid request: this model embeds texts only")
        if not texts:
            raise refused("invalid request: at least one of texts, images or inputs must be given")
        if len(texts) > MOST_TEXTS:  # in these words: misbahsy/RAGTune, issue 2
            raise refused(f"invalid request: total number of texts must be at most 96 - received {len(texts)}")
        passages = [
            replace(
                text_passage(text),
                dimensions=request.output_dimension,
                most_tokens=request.max_tokens,
                cut=request.truncate,
            )
            for text in texts
        ]
        extras = Extras(encodings=tuple(request.embedding_types or ("float",)), echo={"texts": texts})
        return embedding_chat(request.model, passages, WORDS, extras)

    def document(self, telling: Telling) -> Json:
        vectors = telling.answer.vectors
        kinds = dict.fromkeys(telling.extras.encodings)
        return told(telling, {kind: [ENCODINGS[kind](vector) for vector in vectors] for kind in kinds})

    def hollow(self, telling: Telling, *, is_null: bool) -> Json:
        return told(telling, None if is_null else {kind: [] for kind in telling.extras.encodings})

    def error(self, status: int, complaint: Complaint) -> bytes:
        return encode({"message": complaint.message})


def told(telling: Telling, embeddings: Json | None) -> Json:
    meta: Json = {"api_version": {"version": "2"}}
    if telling.extras.tells_usage:
        meta["billed_units"] = {"input_tokens": telling.counts.prompt}
    return {
        "id": telling.who.id,
        "embeddings": embeddings,
        **telling.extras.echo,
        "meta": meta,
        "response_type": "embeddings_by_type",
    }
