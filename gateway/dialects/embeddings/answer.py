"""What an answer with vectors is made of, whoever sent it."""

from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.codec import AnswerFacts, Asked
from gateway.dialects.embeddings.schema import BASE64, MANNER
from gateway.dialects.embeddings.vectors import is_vector, written
from gateway.wire.delta import Usage

MALFORMED = AnswerFacts(malformed=True)
BYTES_PER_TOKEN = 4  # of text, where nobody has counted


class Vectors(Struct, frozen=True):
    """A provider's answer, read."""

    vectors: Sequence[Raw] = ()  # in the order of the inputs
    input_tokens: int | None = None  # as the provider counts
    model: str = ""
    error: bytes | None = None  # its error object


def facts_of(read: Vectors, asked: Asked) -> AnswerFacts:
    """What is to be known of an answer. One vector for each input, or it is none."""
    if read.error is not None:
        return AnswerFacts(error=read.error)
    if len(read.vectors) != asked.prompt.message_count or not all(map(is_vector, read.vectors)):
        return AnswerFacts(empty=not read.vectors, malformed=bool(read.vectors))
    usage = None if read.input_tokens is None else Usage(input_tokens=read.input_tokens)
    return AnswerFacts(usage=usage, finish="stop", model=read.model)


def wants_base64(asked: Asked) -> bool:
    return MANNER.decode(asked.prompt.body).encoding_format == BASE64


def document(read: Vectors, asked: Asked, model: str) -> bytes:
    """The answer in OpenAI's words. Raises ValueError for a vector that is none."""
    is_packed = wants_base64(asked)
    data = [
        {"object": "embedding", "index": place, "embedding": Raw(written(vector, is_packed))}
        for place, vector in enumerate(read.vectors)
    ]
    counted = read.input_tokens
    tokens = estimated_tokens(asked) if counted is None else counted
    usage = {"prompt_tokens": tokens, "total_tokens": tokens} | ({"estimated": True} if counted is None else {})
    return msgspec.json.encode({"object": "list", "data": data, "model": read.model or model, "usage": usage})


def estimated_tokens(asked: Asked) -> int:
    size = sum(map(len, asked.prompt.texts))
    return asked.prompt.counted_tokens + -(-size // BYTES_PER_TOKEN)
