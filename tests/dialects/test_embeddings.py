"""Embeddings: what callers may send, what each format of providers gets, and what comes back."""

import base64
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.codec import AnswerFacts, Asked, Codec, Identity
from gateway.dialects.contract import TargetManner
from gateway.dialects.embeddings import CODECS, EMBEDDINGS, wordless
from gateway.errors import InvalidRequest
from gateway.wire.delta import Usage

OPENAI, GEMINI, COHERE, OLLAMA = (
    "openai_embeddings",
    "gemini_embeddings",
    "cohere_embeddings",
    "ollama_embeddings",
)
FOREIGN = (GEMINI, COHERE, OLLAMA)
TWO = [[0.5, -0.25], [0.125, 1.0]]  # exact in 32 bits
MANNER = TargetManner("theirs")


def asked(**members: Any) -> Asked:
    body = msgspec.json.encode({"model": "ours", "input": ["one", "two"], **members})
    return Asked(EMBEDDINGS.parse(body, ""), EMBEDDINGS, Identity("dec_1", 1))


def sent(dialect: str, **members: Any) -> tuple[dict[str, Any], list[str]]:
    """What the provider gets, and the fields that were lost."""
    outgoing = CODECS[dialect].request(asked(**members), MANNER)
    return msgspec.json.decode(outgoing.body), [loss.field for loss in outgoing.losses]


def answer_of(dialect: str, vectors: list[list[float]], tokens: int | None = 7) -> bytes:
    """An answer as a provider of this format writes it."""
    documents: dict[str, Any] = {
        OPENAI: {
            "object": "list",
            "data": [{"object": "embedding", "index": n, "embedding": one} for n, one in enumerate(vectors)],
            "model": "theirs",
            **({} if tokens is None else {"usage": {"prompt_tokens": tokens, "total_tokens": tokens}}),
        },
        GEMINI: {
            "embeddings": [{"values": one} for one in vectors],
            **({} if tokens is None else {"usageMetadata": {"promptTokenCount": tokens}}),
        },
        COHERE: {
            "id": "1",
            "embeddings": {"float": vectors},
            "texts": ["one", "two"],
            **({} if tokens is None else {"meta": {"billed_units": {"input_tokens": tokens}}}),
        },
        OLLAMA: {
            "model": "theirs",
            "embeddings": vectors,
            **({} if tokens is None else {"prompt_eval_count": tokens}),
        },
    }
    return msgspec.json.encode(documents[dialect])


def got(dialect: str, body: bytes, **members: Any) -> tuple[AnswerFacts, dict[str, Any]]:
    codec: Codec = CODECS[dialect]
    facts, answer = codec.answer(body, asked(**members), "theirs")
    return facts, msgspec.json.decode(answer) if answer else {}


def packed(vector: list[float]) -> str:
    return base64.b64encode(np.array(vector, "<f4").tobytes()).decode()


def test_a_request_in_the_providers_own_format_changes_nothing_but_the_model() -> None:
    body = b'{"input": ["a",  "b"], "model":"ours", "dimensions": 8, "truncation": true, "steelyard": 1}'
    prompt = Asked(EMBEDDINGS.parse(body, ""), EMBEDDINGS, Identity("dec_1", 1))
    told = CODECS[OPENAI].request(prompt, MANNER).body
    assert told == b'{"input": ["a",  "b"], "model":"theirs", "dimensions": 8, "truncation": true}'


def test_google_gets_a_request_for_each_text() -> None:
    told, lost = sent(GEMINI, dimensions=256, input_type="search_query")
    assert told["requests"][1] == {
        "model": "models/theirs",
        "content": {"parts": [{"text": "two"}]},
        "outputDimensionality": 256,
        "taskType": "RETRIEVAL_QUERY",
    }
    assert lost == []


def test_cohere_gets_what_the_vectors_are_for_and_refuses_texts_that_are_too_long() -> None:
    told, _ = sent(COHERE, dimensions=256, input_type="query")
    assert told == {
        "model": "theirs",
        "texts": ["one", "two"],
        "input_type": "search_query",
        "embedding_types": ["float"],
        "truncate": "NONE",
        "output_dimension": 256,
    }
    assert sent(COHERE)[0]["input_type"] == "search_document"


def test_ollama_gets_the_texts_and_refuses_those_that_are_too_long() -> None:
    told, _ = sent(OLLAMA, input="one", dimensions=64)
    assert told == {"model": "theirs", "input": ["one"], "truncate": False, "dimensions": 64}


@pytest.mark.parametrize("dialect", FOREIGN)
def test_what_a_format_has_no_words_for_is_named(dialect: str) -> None:
    _, lost = sent(dialect, user="somebody", input_type="image", truncation=True)
    assert sorted(lost) == ["input_type", "truncation", "user"]


@pytest.mark.parametrize("dialect", FOREIGN)
@pytest.mark.parametrize("tokens", [[1, 2, 3], [[1, 2], [3]]])
def test_tokens_are_refused_where_texts_are_wanted_and_other_hosts_are_better(dialect: str, tokens: object) -> None:
    with pytest.raises(InvalidRequest, match="texts only"):
        sent(dialect, input=tokens)
    assert dialect in wordless(asked(input=tokens).prompt)
    assert sent(OPENAI, input=tokens)[0]["input"] == tokens


@pytest.mark.parametrize(("dialect", "most"), [(GEMINI, 100), (COHERE, 96)])
def test_more_texts_than_a_format_takes_are_refused_with_its_limit(dialect: str, most: int) -> None:
    assert len(msgspec.json.encode(sent(dialect, input=["a"] * most)[0])) > most
    assert dialect not in wordless(asked(input=["a"] * most).prompt)
    with pytest.raises(InvalidRequest, match=f"takes {most} texts"):
        sent(dialect, input=["a"] * (most + 1))
    assert dialect in wordless(asked(input=["a"] * (most + 1)).prompt)


@pytest.mark.parametrize("dialect", CODECS)
def test_an_answer_of_any_format_is_openais(dialect: str) -> None:
    facts, answer = got(dialect, answer_of(dialect, TWO))
    assert facts.usage == Usage(input_tokens=7)
    assert facts.finish
    assert [row["embedding"] for row in answer["data"]] == TWO
    assert [(row["object"], row["index"]) for row in answer["data"]] == [("embedding", 0), ("embedding", 1)]
    assert (answer["object"], answer["model"]) == ("list", "theirs")
    assert answer["usage"] == {"prompt_tokens": 7, "total_tokens": 7}


@pytest.mark.parametrize("dialect", CODECS)
def test_a_caller_who_wants_base64_gets_it_from_every_provider(dialect: str) -> None:
    _, answer = got(dialect, answer_of(dialect, TWO), encoding_format="base64")
    assert [row["embedding"] for row in answer["data"]] == [packed(one) for one in TWO]


def test_a_caller_who_wants_numbers_gets_them_from_a_provider_who_packs() -> None:
    rows = [{"index": 1, "embedding": packed(TWO[1])}, {"index": 0, "embedding": packed(TWO[0])}]
    _, answer = got(OPENAI, msgspec.json.encode({"data": rows}), encoding_format="float")
    assert [row["embedding"] for row in answer["data"]] == TWO


def test_an_answer_that_is_written_as_asked_for_passes_untouched() -> None:
    body = answer_of(OPENAI, TWO).replace(b'"object":"list"', b'"object" : "list", "new": [1e0]')
    facts, _ = CODECS[OPENAI].answer(body, asked(), "theirs")
    assert CODECS[OPENAI].answer(body, asked(), "theirs")[1] == body
    assert facts.model == "theirs"


@pytest.mark.parametrize("dialect", CODECS)
def test_an_answer_without_usage_leaves_the_counting_to_us(dialect: str) -> None:
    facts, answer = got(dialect, answer_of(dialect, TWO, tokens=None))
    assert facts.usage is None
    assert dialect == OPENAI or answer["usage"]["estimated"]


@pytest.mark.parametrize("dialect", CODECS)
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"data": 3}', b'{"embeddings": "x"}'])
def test_what_is_no_answer_is_a_fault_of_the_provider(dialect: str, body: bytes) -> None:
    facts, _ = CODECS[dialect].answer(body, asked(), "theirs")
    assert facts.malformed or facts.empty


@pytest.mark.parametrize("vector", [3, None, {"a": 1}, True])
@pytest.mark.parametrize("dialect", CODECS)
def test_what_is_no_vector_is_a_fault_of_the_provider(dialect: str, vector: Any) -> None:
    assert CODECS[dialect].answer(answer_of(dialect, [vector, vector]), asked(), "theirs")[0].malformed


@pytest.mark.parametrize("dialect", CODECS)
def test_a_vector_too_few_or_too_many_is_a_fault_of_the_provider(dialect: str) -> None:
    assert CODECS[dialect].answer(answer_of(dialect, TWO[:1]), asked(), "")[0].malformed
    assert CODECS[dialect].answer(answer_of(dialect, [*TWO, TWO[0]]), asked(), "")[0].malformed
    assert CODECS[dialect].answer(answer_of(dialect, []), asked(), "")[0].empty


@pytest.mark.parametrize(
    ("dialect", "error"),
    [
        (OPENAI, {"error": {"message": "no"}}),
        (GEMINI, {"error": {"message": "no", "status": "UNAVAILABLE"}}),
        (OLLAMA, {"error": "no"}),
    ],
)
def test_an_error_inside_an_answer_is_told(dialect: str, error: object) -> None:
    facts, _ = CODECS[dialect].answer(msgspec.json.encode(error), asked(), "theirs")
    assert facts.error is not None
    assert msgspec.json.decode(facts.error)["message"] == "no"


@pytest.mark.parametrize("dialect", CODECS)
@pytest.mark.parametrize("vector", ["not base64!", packed([1.0])[:-3] + "=", [True, "x"]])
def test_a_vector_that_is_none_never_reaches_a_caller_who_wants_it_converted(dialect: str, vector: Any) -> None:
    body = answer_of(dialect, [vector, vector])
    wanted = "float" if isinstance(vector, str) else "base64"
    facts, answer = CODECS[dialect].answer(body, asked(encoding_format=wanted), "theirs")
    assert facts.malformed
    assert answer == b""


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=40))
def test_vectors_are_the_same_in_both_ways_of_writing_them(vector: list[float]) -> None:
    one = {"input": "text"}
    body = answer_of(OPENAI, [vector])
    _, in_base64 = CODECS[OPENAI].answer(body, asked(**one, encoding_format="base64"), "theirs")
    _, in_numbers = CODECS[OPENAI].answer(in_base64, asked(**one), "theirs")
    assert msgspec.json.decode(in_numbers)["data"][0]["embedding"] == vector


@pytest.mark.parametrize(
    ("members", "param", "told"),
    [
        ({"input": None}, "input", "Missing"),
        ({"input": ""}, "input", "empty string"),
        ({"input": []}, "input", "empty array"),
        ({"input": 3}, "input", "input"),
        ({"input": {"text": "a"}}, "input", "input"),
        ({"input": ["a", ""]}, "input[1]", "empty string"),
        ({"input": ["a", 7]}, "input[1]", "input[1]"),
        ({"input": ["a", ["b"]]}, "input[1][0]", "input[1][0]"),
        ({"input": [1, "a"]}, "input[1]", "input[1]"),
        ({"input": [[1], []]}, "input[1]", "empty array"),
        ({"input": [[1], 2]}, "input[1]", "input[1]"),
        ({"input": [1, -2]}, "input", "-2"),
        ({"input": ["a"] * 2_049}, "input", "2049"),
        ({"encoding_format": "int8"}, "encoding_format", "int8"),
        ({"dimensions": 0}, "dimensions", "0"),
        ({"model": "m" * 300}, "model", "300"),
        ({"model": None}, "model", "model"),
    ],
)
def test_what_cannot_be_embedded_is_refused_by_place_and_value(members: Any, param: str, told: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        asked(**members)
    assert refusal.value.param == param
    assert told in refusal.value.message


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists, max_leaves=12))
def test_whatever_the_input_is_it_is_embedded_or_refused_by_name(value: object) -> None:
    try:
        prompt = asked(input=value).prompt
    except InvalidRequest as refusal:
        place = refusal.param
    else:
        place = "input" if bool(prompt.texts) is not bool(prompt.counted_tokens) else ""
    assert (place or "").startswith("input")
