"""A request for embeddings as a simulated model sees it, whatever format it came in, and the answer to it."""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from gateway.simulator.answer import Answer, Choice
from gateway.simulator.chat import BYTES_PER_TOKEN, Chat, Wanted
from gateway.simulator.complaint import Refusal
from gateway.simulator.embedders import Embedder, EmbedderOffer
from gateway.simulator.extras import Extras
from gateway.simulator.vectors import vector

WORDLESS = (Choice(0, [], [], (), "stop"),)  # what an embedding model says; faults look for it


class Passage(Struct, frozen=True):
    """One input. Tokens that came as numbers are never cut: only OpenAI takes them, and it refuses what is too long."""

    content: bytes  # a text in UTF-8, or numbers with commas after them
    tokens: int
    dimensions: int | None = None  # as asked for
    most_tokens: int | None = None  # the caller's own limit; what is longer is cut
    cut: Literal["NONE", "START", "END"] = "NONE"  # where the model's limit cuts it; NONE: it is refused

    def shortened(self, tokens: int) -> "Passage":
        """Its first `tokens`, or its last when it is cut at the start."""
        size = tokens * BYTES_PER_TOKEN
        kept = self.content[-size:] if self.cut == "START" else self.content[:size]
        return replace(self, content=kept, tokens=tokens)


class Words(Struct, frozen=True):
    """How a vendor refuses what its model cannot do.

    `too_long` is filled with `tokens` and `most`, `too_wide` with `asked`, `most` and all `widths` that the model has.
    """

    too_long: str
    too_wide: str  # "": so many dimensions are not refused, the vector has as many as the model
    widths: tuple[int, ...] = ()  # the only dimensions there are beside the model's own; (): any


class EmbeddingChat(Chat, kw_only=True):
    """A request that wants vectors and no words."""

    passages: list[Passage]
    words: Words


def text_passage(text: str) -> Passage:
    """Four bytes are a token."""
    content = text.encode()
    return Passage(content, max(1, len(content) // BYTES_PER_TOKEN))


def token_passage(numbers: list[int]) -> Passage:
    return Passage(b"".join(b"%d," % number for number in numbers), len(numbers))


def embedding_chat(model: str, passages: list[Passage], words: Words, extras: Extras) -> EmbeddingChat:
    """The request for `passages`."""
    return EmbeddingChat(
        request=Wanted(model=model), messages=[], tools=[], prompt=b"", extras=extras, passages=passages, words=words
    )


def embedded(chat: EmbeddingChat, offer: EmbedderOffer) -> Answer:
    """One vector for each passage, or a Refusal."""
    model, words = offer.model, chat.words
    read = [_fitted(passage, model, words) for passage in chat.passages]
    vectors = tuple(vector(model.id, passage.content, _width(passage, model, words)) for passage in read)
    return Answer(WORDLESS, sum(passage.tokens for passage in read), 0, vectors)


def _fitted(passage: Passage, model: Embedder, words: Words) -> Passage:
    """What the model reads of it."""
    if passage.most_tokens is not None and passage.tokens > passage.most_tokens:
        passage = passage.shortened(passage.most_tokens)
    if passage.tokens <= model.max_input_tokens:
        return passage
    if passage.cut == "NONE":
        raise Refusal(400, words.too_long.format(tokens=passage.tokens, most=model.max_input_tokens))
    return passage.shortened(model.max_input_tokens)


def _width(passage: Passage, model: Embedder, words: Words) -> int:
    """Dimensions of its vector."""
    asked, own = passage.dimensions, model.dimensions
    if asked is None or asked == own:
        return own
    if asked < own and (not words.widths or asked in words.widths):
        return asked
    if not words.too_wide:
        return own
    widths = " ".join(str(width) for width in sorted({*words.widths, own}) if width <= own)
    raise Refusal(400, words.too_wide.format(asked=asked, most=own, widths=widths))
