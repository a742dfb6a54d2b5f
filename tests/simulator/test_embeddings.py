"""Embeddings of a simulated provider: by the official SDKs of OpenAI and Google, and against the others' grammar.

cohere and ollama-python are not among the test requirements; their answers are read as their references give them.
"""

import asyncio
import base64
import math
import struct
from collections.abc import Iterator
from typing import Any, Literal

import httpx2
import msgspec
import openai
import pytest
from google import genai
from google.genai import types
from msgspec import Struct

from gateway.simulator.embedders import EMBEDDER_OFFERS, EMBEDDERS, EmbedderOffer
from gateway.simulator.spawn import SimulatorProcess, spawn
from tests.simulator.wire import log_of

TEXTS = ["hello", "Grüße"]


@pytest.fixture
def url(simulator: SimulatorProcess) -> str:
    return simulator.base_url("sim-alpha").removesuffix("/v1")


@pytest.fixture
def gpt(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0) as client:
        yield client


@pytest.fixture
def gemini(url: str) -> Iterator[genai.Client]:
    client = genai.Client(api_key="unused", http_options=types.HttpOptions(base_url=url))
    yield client
    client.close()


def length(vector: list[float]) -> float:
    return math.sqrt(sum(number * number for number in vector))


def is_float32(number: float) -> bool:
    found: float = struct.unpack("<f", struct.pack("<f", number))[0]
    return found == number


def openai_vectors(base_url: str, name: str, given: object, **fields: object) -> list[list[float]]:
    body = {"model": name, "input": given, **fields}
    told = httpx2.post(f"{base_url}/embeddings", json=body).json()
    return [row["embedding"] for row in told["data"]]


# OpenAI


def test_the_sdk_reads_both_encodings_to_the_same_vectors(gpt: openai.OpenAI) -> None:
    packed = gpt.embeddings.create(model="sim/embed-small", input=TEXTS)  # the SDK asks for base64, unless told
    plain = gpt.embeddings.create(model="sim/embed-small", input=TEXTS, encoding_format="float")
    assert [row.embedding for row in packed.data] == [row.embedding for row in plain.data]
    assert [(row.object, row.index, len(row.embedding)) for row in plain.data] == [
        ("embedding", 0, 384),
        ("embedding", 1, 384),
    ]
    assert all(is_float32(number) for row in plain.data for number in row.embedding)
    assert all(length(row.embedding) == pytest.approx(1, abs=1e-6) for row in plain.data)
    assert (plain.object, plain.model, plain.usage) == ("list", "sim/embed-small", packed.usage)


def test_base64_is_of_little_endian_float32(url: str) -> None:
    (vector,) = openai_vectors(f"{url}/v1", "sim/embed-small", "hello")
    told = httpx2.post(
        f"{url}/v1/embeddings", json={"model": "sim/embed-small", "input": "hello", "encoding_format": "base64"}
    ).json()["data"][0]["embedding"]
    assert list(struct.unpack("<384f", base64.b64decode(told))) == vector


def test_usage_is_what_was_read_and_the_log_bills_no_more(gpt: openai.OpenAI, port: int) -> None:
    usage = gpt.embeddings.create(model="sim/embed-small", input=["a" * 400, "b" * 40]).usage
    assert (usage.prompt_tokens, usage.total_tokens) == (110, 110)
    (entry,) = log_of(port)
    assert (entry["prompt_tokens"], entry["output_tokens"], entry["cached_tokens"]) == (110, 0, 0)
    assert (entry["cost_nano_usd"], entry["outcome"], entry["status"]) == (110 * 20, "done", 200)
    assert (entry["model"], entry["stream"]) == ("sim/embed-small", False)


def test_tokens_are_inputs_too_and_count_as_they_are(gpt: openai.OpenAI) -> None:
    one = gpt.embeddings.create(model="sim/embed-small", input=[7, 8, 9], dimensions=4)
    several = gpt.embeddings.create(model="sim/embed-small", input=[[7, 8, 9], [7, 8]], dimensions=4)
    assert one.usage.prompt_tokens == 3
    assert several.usage.prompt_tokens == 5
    assert several.data[0].embedding == one.data[0].embedding != several.data[1].embedding


def test_fewer_dimensions_are_the_first_ones_at_unit_length_again(gpt: openai.OpenAI) -> None:
    whole, few = (
        gpt.embeddings.create(model="sim/embed-small", input="hello", dimensions=count).data[0].embedding
        for count in (384, 32)
    )
    rest = length(whole[:32])
    assert few == pytest.approx([number / rest for number in whole[:32]], abs=1e-6)
    assert length(few) == pytest.approx(1, abs=1e-6)


# Whoever sells it, in whatever format, in whichever process


@pytest.mark.parametrize("offer", EMBEDDER_OFFERS, ids=lambda offer: offer.id)
def test_every_offer_is_sold_under_its_own_name_at_its_own_size(
    simulator: SimulatorProcess, offer: EmbedderOffer
) -> None:
    base_url = simulator.base_url(offer.provider)
    (vector,) = openai_vectors(base_url, offer.upstream_name, "hello")
    assert len(vector) == offer.model.dimensions
    listed = {row["id"]: row for row in httpx2.get(f"{base_url}/models").json()["data"]}
    assert listed[offer.upstream_name]["context_length"] == offer.model.max_input_tokens
    assert listed[offer.upstream_name]["dimensions"] == offer.model.dimensions


def test_providers_give_the_same_vector_and_models_do_not(simulator: SimulatorProcess) -> None:
    told = {
        offer.id: tuple(
            openai_vectors(simulator.base_url(offer.provider), offer.upstream_name, "hello", dimensions=64)[0]
        )
        for offer in EMBEDDER_OFFERS
    }
    assert told["sim/embed-small@sim-alpha"] == told["sim/embed-small@sim-bravo"]
    assert told["sim/embed-large@sim-bravo"] == told["sim/embed-large@sim-charlie"]
    assert len(set(told.values())) == len(EMBEDDERS)


@pytest.mark.asyncio(loop_scope="session")
async def test_another_process_with_another_seed_gives_the_same_vector(process: SimulatorProcess) -> None:
    other = await spawn(("sim-bravo",), pace=0, seed=99)
    try:
        told = [
            await asyncio.to_thread(openai_vectors, where.base_url("sim-bravo"), "sim/embed-small", TEXTS)
            for where in (process, other)
        ]
    finally:
        await other.stop()
    assert told[0] == told[1]


def test_all_formats_give_the_same_vector(url: str, gemini: genai.Client) -> None:
    (vector,) = openai_vectors(f"{url}/v1", "sim/embed-small", "hello")
    batch = gemini.models.embed_content(model="sim/embed-small", contents="hello").embeddings
    single = httpx2.post(
        f"{url}/v1beta/models/sim/embed-small:embedContent", json={"content": {"parts": [{"text": "hello"}]}}
    ).json()
    assert batch is not None
    told = [batch[0].values, single["embedding"]["values"]]
    told.append(ask_cohere(url).embeddings["float"][0])
    told.append(ask_ollama(url, input="hello").embeddings[0])
    assert told == [vector] * 4


# Google


def test_googles_sdk_reads_a_batch_and_its_usage(gemini: genai.Client) -> None:
    config = types.EmbedContentConfig(output_dimensionality=16, task_type="RETRIEVAL_DOCUMENT", title="Greetings")
    contents = [types.Content(parts=[types.Part(text=text)]) for text in ("a" * 40, "b" * 20)]
    answer = gemini.models.embed_content(model="sim/embed-small", contents=list(contents), config=config)
    assert answer.embeddings is not None
    assert [len(row.values or ()) for row in answer.embeddings] == [16, 16]
    assert answer.usage_metadata is not None
    assert answer.usage_metadata.prompt_token_count == 15


def test_what_is_too_long_for_gemini_is_cut_unless_told_not_to(simulator: SimulatorProcess) -> None:
    url = f"http://127.0.0.1:{simulator.ports['sim-delta']}/v1beta/models/embed-multi:embedContent"
    content = {"parts": [{"text": "word " * 2000}]}
    cut = httpx2.post(url, json={"content": content})
    assert cut.json()["usageMetadata"]["promptTokenCount"] == 2048
    refused = httpx2.post(url, json={"content": content, "embedContentConfig": {"autoTruncate": False}})
    assert (refused.status_code, refused.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


# Cohere


class Strict(Struct, forbid_unknown_fields=True, kw_only=True):
    """Unknown members fail."""


class Version(Strict):
    version: str


class Billed(Strict):
    input_tokens: int


class Meta(Strict):
    api_version: Version
    billed_units: Billed


class CohereAnswer(Strict):
    id: str
    embeddings: dict[Literal["float", "int8", "uint8", "binary", "ubinary", "base64"], list[Any]]
    texts: list[str]
    meta: Meta
    response_type: Literal["embeddings_by_type"]


def ask_cohere(url: str, **fields: object) -> CohereAnswer:
    body = {"model": "sim/embed-small", "texts": ["hello"], "input_type": "search_query", **fields}
    return msgspec.json.decode(httpx2.post(f"{url}/v2/embed", json=body).content, type=CohereAnswer)


def test_cohere_gives_floats_unless_asked_and_says_what_it_billed(url: str) -> None:
    answer = ask_cohere(url, texts=["a" * 40, "b" * 20], output_dimension=256)
    assert set(answer.embeddings) == {"float"}
    assert [len(vector) for vector in answer.embeddings["float"]] == [256, 256]
    assert (answer.texts, answer.meta.billed_units.input_tokens) == (["a" * 40, "b" * 20], 15)


def test_coheres_encodings_are_of_one_vector(url: str) -> None:
    kinds = ["float", "base64", "int8", "uint8", "binary", "ubinary"]
    told = {kind: rows[0] for kind, rows in ask_cohere(url, embedding_types=kinds).embeddings.items()}
    assert list(told) == kinds
    assert list(struct.unpack("<384f", base64.b64decode(told["base64"]))) == told["float"]
    bits = [byte >> place & 1 for byte in told["ubinary"] for place in range(7, -1, -1)]
    assert bits == [int(number > 0) for number in told["float"]]
    assert told["binary"] == [byte - 128 for byte in told["ubinary"]]
    assert told["uint8"] == [number + 128 for number in told["int8"]]
    assert told["int8"] == pytest.approx([number * 127 for number in told["float"]], abs=0.5)


@pytest.mark.parametrize(("cut", "kept"), [("END", "ab"), ("START", "bc")])
def test_cohere_cuts_where_it_is_told(url: str, cut: str, kept: str) -> None:
    long = ask_cohere(url, texts=["aaaabbbbcccc"], max_tokens=2, truncate=cut)
    same = ask_cohere(url, texts=["".join(letter * 4 for letter in kept)])
    assert long.embeddings == same.embeddings
    assert long.meta == same.meta


# Ollama


class OllamaAnswer(Strict, omit_defaults=True):
    model: str
    embeddings: list[list[float]]
    total_duration: int = 0
    load_duration: int = 0
    prompt_eval_count: int = 0


def ask_ollama(url: str, **fields: object) -> OllamaAnswer:
    body = {"model": "sim/embed-small", **fields}
    return msgspec.json.decode(httpx2.post(f"{url}/api/embed", json=body).content, type=OllamaAnswer)


def test_ollama_counts_what_it_read_and_how_long_it_took(url: str) -> None:
    answer = ask_ollama(url, input=["a" * 40, "b" * 20], dimensions=32)
    assert [len(vector) for vector in answer.embeddings] == [32, 32]
    assert (answer.model, answer.prompt_eval_count) == ("sim/embed-small", 15)
    assert answer.total_duration > answer.load_duration > 0


@pytest.mark.parametrize("nothing", [{}, {"input": ""}, {"input": []}], ids=str)
def test_ollama_without_a_text_has_no_embeddings(url: str, nothing: dict[str, object]) -> None:
    assert ask_ollama(url, **nothing) == OllamaAnswer(model="sim/embed-small", embeddings=[])


def test_ollama_gives_no_more_dimensions_than_there_are(url: str) -> None:
    assert ask_ollama(url, input="hello", dimensions=9999) == ask_ollama(url, input="hello")


def test_ollama_cuts_what_is_too_long_unless_told_not_to(url: str) -> None:
    assert ask_ollama(url, input="word " * 9000).prompt_eval_count == 8192
    body = {"model": "sim/embed-small", "input": "word " * 9000, "truncate": False}
    refused = httpx2.post(f"{url}/api/embed", json=body)
    assert (refused.status_code, refused.json()) == (400, {"error": "the input length exceeds the context length"})
