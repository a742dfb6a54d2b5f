"""An answer as callers get it: whole, or the pieces that every chunk of a stream has."""

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.gemini.citations import write_grounding
from gateway.dialects.gemini.finishes import word_of
from gateway.dialects.gemini.names import encoded
from gateway.dialects.gemini.schema import ABSENT, Part, UsageMetadata
from gateway.dialects.gemini.usage import written
from gateway.dialects.gemini.write_parts import CandidateOut, ContentOut, answer_part, logprobs_of
from gateway.wire.conversation import Answer, AnswerChoice, Text
from gateway.wire.delta import Usage


class ResponseOut(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A GenerateContentResponse, in the order in which Google writes it."""

    candidates: list[CandidateOut]
    usage_metadata: UsageMetadata | None = None
    model_version: str = ""
    response_id: str = ""
    steelyard: Raw = ABSENT


def write_answer(answer: Answer, usage: Usage | None) -> bytes:
    """The whole answer."""
    candidates = [candidate_of(choice, index) for index, choice in enumerate(answer.choices)]
    told = None if usage is None else written(usage)
    return msgspec.json.encode(ResponseOut(candidates, told, answer.model, answer.id))


def candidate_of(choice: AnswerChoice, index: int) -> CandidateOut:
    parts = [written for part in choice.parts for written in answer_part(part)]
    texts = [part for part in choice.parts if isinstance(part, Text)]
    citations = [citation for text in texts for citation in text.citations]
    grounding = write_grounding(citations, "".join(text.text for text in texts))
    return CandidateOut(
        ContentOut(parts or [Part(text="")]),
        word_of(choice.finish),
        index,
        encoded(grounding) if grounding is not None else ABSENT,
        logprobs_of(choice.logprobs),
    )
