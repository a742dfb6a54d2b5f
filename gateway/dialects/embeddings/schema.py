"""OpenAI's embeddings: what callers and the compatible family of providers say.

Source of the names: openai 3.54, `openai.types.embedding_create_params` and `create_embedding_response`; of the limits:
OpenAI's API reference, "Create embeddings". Read 2026-11-23.
"""

from typing import Literal

import msgspec
from msgspec import Raw, Struct

from gateway.wire.no_address import NoAddress
from gateway.wire.wishes import Wishes

DIALECT = "openai_embeddings"
ABSENT = Raw(b"")
MOST_INPUTS = 2_048

Encoding = Literal["float", "base64"]
FLOAT, BASE64 = "float", "base64"


class EmbeddingRequest(NoAddress, frozen=True, gc=False):
    """A caller's request. `input_type` is what Cohere's, Voyage's, NVIDIA's and vLLM's callers add."""

    input: Raw = ABSENT
    model: str | None = None
    models: list[str] | None = None
    encoding_format: Encoding | None = None
    dimensions: int | None = None
    user: str | None = None
    input_type: str | None = None
    session_id: str | None = None
    provider: Wishes | None = None
    steelyard: Raw = ABSENT


class Manner(Struct, frozen=True):
    """The part of a request that says how the vectors are to be written."""

    encoding_format: Encoding | None = None


class Embedding(Struct, frozen=True):
    """One vector: an array of numbers, or a string of base64."""

    embedding: Raw
    index: int | None = None  # of the input; the place in the list, where none is stated


class Counts(Struct, frozen=True):
    prompt_tokens: int | None = None
    total_tokens: int | None = None


class EmbeddingAnswer(Struct, frozen=True):
    """A provider's answer; members that nobody here reads travel on unread."""

    data: list[Embedding] | None = None
    model: str | None = None
    usage: Counts | None = None
    error: Raw = ABSENT


REQUEST = msgspec.json.Decoder(EmbeddingRequest)
INPUT = msgspec.json.Decoder(str | list[str | int | list[int]])
MANNER = msgspec.json.Decoder(Manner)
ANSWER = msgspec.json.Decoder(EmbeddingAnswer)
KNOWN = frozenset(EmbeddingRequest.__struct_fields__)
