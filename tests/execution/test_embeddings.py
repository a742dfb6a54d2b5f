"""Requests for embeddings through the whole spine: the model stays, its hosts stand in for each other."""

from typing import Any

import pytest

from gateway.live import Snapshot
from gateway.server.embeddings import EmbeddingGeneration
from tests.execution.providers import simulated
from tests.execution.spine import Reply, Spine, opened, snapshot_of

EVERYBODY = ("sim-alpha", "sim-bravo", "sim-charlie", "sim-delta")
BASES = {"openai_chat": "/v1", "gemini": "/v1beta", "cohere_v2": "/v2", "ollama": ""}
SMALL, TEXTS = "sim/embed-small", ["a balance", "a scale", "a sliding weight"]


async def embed(spine: Spine, document: dict[str, Any], simulate: str = "") -> Reply:
    return await spine.ask(document=document, endpoint=EmbeddingGeneration(spine.state), simulate=simulate)


def vectors(reply: Reply) -> list[Any]:
    assert reply.status == 200, reply.body
    return [row["embedding"] for row in reply.json["data"]]


def own_servers(ports: dict[str, int], **router: object) -> Snapshot:
    """The same made-up model at a server of each format, the dearer the further down; its own names for it."""
    providers = {
        f"own-{place}": {
            "base_url": f"http://127.0.0.1:{ports['sim-delta']}{base}",
            "dialect": dialect,
            "models": [
                {
                    "id": "own/embed",
                    "upstream_name": "embed-multi",
                    "embeddings": True,
                    "dimensions": 768,
                    "input_price_usd": 0.1 + place,
                }
            ],
        }
        for place, (dialect, base) in enumerate(BASES.items())
    }
    return snapshot_of({}, providers=providers, router=router)


async def test_the_cheapest_host_of_the_model_answers_and_the_receipt_has_it_all() -> None:
    async with simulated(*EVERYBODY) as sim, opened(snapshot_of(sim.ports, router={"preset": "economy"})) as spine:
        reply = await embed(spine, {"model": SMALL, "input": TEXTS})
    assert [len(vector) for vector in vectors(reply)] == [384] * 3
    (receipt,) = spine.receipts
    assert (receipt.target, receipt.task, receipt.dialect) == (f"{SMALL}@sim-alpha", "embedding", "openai_embeddings")
    assert receipt.usage.input_tokens == reply.json["usage"]["prompt_tokens"] > 0
    assert receipt.usage.output_tokens == 0
    assert receipt.cost_nano_usd == receipt.usage.input_tokens * 20
    assert receipt.carbon_g is None
    assert reply.headers["x-steelyard-model"] == SMALL
    assert reply.json["steelyard"]["target"] == receipt.target


@pytest.mark.parametrize("fault", ["F29", "F21", "F31", "F12", "F46"])
async def test_a_fault_of_one_host_leads_to_another_of_the_same_model_with_the_same_vectors(fault: str) -> None:
    async with simulated(*EVERYBODY) as sim, opened(snapshot_of(sim.ports)) as spine:
        well = await embed(spine, {"model": SMALL, "input": TEXTS})
        first = well.json["steelyard"]["provider"]
        other = await embed(spine, {"model": SMALL, "input": TEXTS}, f"{first}={fault}")
    assert other.json["steelyard"]["provider"] != first
    assert other.headers["x-steelyard-fallback"] == "true"
    assert vectors(other) == vectors(well)


async def test_no_other_model_is_ever_asked() -> None:
    async with simulated(*EVERYBODY) as sim, opened(snapshot_of(sim.ports)) as spine:
        reply = await embed(spine, {"model": SMALL, "input": "x"}, "F29")
    assert reply.status == 502
    assert {attempt["target"] for attempt in reply.json["steelyard"]["attempts"]} == {
        f"{SMALL}@sim-alpha",
        f"{SMALL}@sim-bravo",
    }


@pytest.mark.parametrize("place", range(len(BASES)))
@pytest.mark.parametrize("encoding", ["float", "base64"])
async def test_a_provider_of_any_format_gives_the_same_vectors(place: int, encoding: str) -> None:
    body = {"model": f"own/embed@own-{place}", "input": TEXTS, "encoding_format": encoding, "dimensions": 256}
    async with simulated(*EVERYBODY) as sim:
        async with opened(own_servers(dict(sim.ports))) as spine:
            reply = await embed(spine, body)
        async with opened(snapshot_of(sim.ports)) as spine:
            straight = await embed(spine, {**body, "model": "sim/embed-multi"})
    assert vectors(reply) == vectors(straight)
    assert reply.json["steelyard"]["usage"]["estimated"] is False or place == 1  # Google's own may not count
    assert "x-steelyard-loss" not in reply.headers


async def test_tokens_and_long_lists_go_to_hosts_that_can_take_them() -> None:
    async with simulated(*EVERYBODY) as sim:
        snapshot = own_servers(dict(sim.ports), deny=["@own-0"], weights={"cost": 1})
        async with opened(snapshot) as spine:
            refused = await embed(spine, {"model": "own/embed", "input": [1, 2, 3]})
            many = await embed(spine, {"model": "own/embed", "input": ["x"] * 120})
        async with opened(own_servers(dict(sim.ports))) as spine:
            tokens = await embed(spine, {"model": "own/embed", "input": [[1, 2, 3], [4]]})
    assert refused.status == 400
    assert "texts only" in refused.json["error"]["message"]
    assert many.json["steelyard"]["provider"] == "own-3"
    assert len(vectors(many)) == 120
    assert tokens.json["steelyard"]["provider"] == "own-0"
    assert tokens.json["steelyard"]["usage"]["input_tokens"] == 4


async def test_what_a_format_cannot_say_is_named_or_the_host_passed_over() -> None:
    body = {"model": "own/embed", "input": "x", "user": "somebody"}
    async with simulated(*EVERYBODY) as sim:
        async with opened(own_servers(dict(sim.ports), deny=["@own-0"])) as spine:
            told = await embed(spine, body)
        async with opened(own_servers(dict(sim.ports), deny=["@own-0"], loss="refuse")) as spine:
            refused = await embed(spine, body)
    assert told.headers["x-steelyard-loss"] == "user"
    assert refused.status == 400


async def test_a_routers_name_means_the_one_model_that_it_lets_in_or_names() -> None:
    async with simulated(*EVERYBODY) as sim:
        async with opened(snapshot_of(sim.ports)) as spine:
            unclear = await embed(spine, {"input": "x"})
        async with opened(snapshot_of(sim.ports, router={"allow": ["sim/embed-large", "sim/swift-*"]})) as spine:
            only = await embed(spine, {"input": "x"})
        stated = {"embeddings": "sim/embed-multi", "allow": ["sim/swift-*"], "limits": {"min_quality": 0.3}}
        async with opened(snapshot_of(sim.ports, router=stated)) as spine:
            named = await embed(spine, {"input": "x"})
    assert unclear.status == 400
    assert "routers.test.embeddings" in unclear.json["error"]["message"]
    assert all(f"sim/embed-{size}" in unclear.json["error"]["message"] for size in ("small", "large", "multi"))
    assert only.json["steelyard"]["model"] == "sim/embed-large"
    assert named.json["steelyard"]["model"] == "sim/embed-multi"


async def test_a_chain_may_name_hosts_but_not_models() -> None:
    async with simulated(*EVERYBODY) as sim, opened(snapshot_of(sim.ports)) as spine:
        hosts = await embed(spine, {"models": [f"{SMALL}@sim-bravo", f"{SMALL}@sim-alpha"], "input": "x"})
        models = await embed(spine, {"models": [SMALL, "sim/embed-large"], "input": "x"})
    assert hosts.json["steelyard"]["provider"] == "sim-bravo"
    assert models.status == 400
    assert models.json["error"]["param"] == "models"


async def test_models_that_write_and_models_that_embed_are_never_taken_for_each_other() -> None:
    async with simulated(*EVERYBODY) as sim, opened(snapshot_of(sim.ports)) as spine:
        chat = await spine.ask(model=SMALL)
        vector = await embed(spine, {"model": "sim/swift-mini", "input": "x"})
    assert (chat.status, vector.status) == (404, 404)
    assert "POST /v1/embeddings" in chat.json["error"]["message"]
    assert "makes no embeddings" in vector.json["error"]["message"]


async def test_where_nobody_makes_embeddings_the_answer_says_so() -> None:
    own = {"base_url": "http://127.0.0.1:9/v1", "models": [{"id": "own/writer"}]}
    async with opened(snapshot_of({}, providers={"own": own})) as spine:
        reply = await embed(spine, {"model": "text-embedding-3-small", "input": "x"})
    assert reply.status == 400
    assert reply.json["error"]["code"] == "no_eligible_model"
    assert "makes embeddings" in reply.json["error"]["message"]


def test_a_router_cannot_stand_for_a_model_that_writes() -> None:
    with pytest.raises(Exception, match=r"routers\.test\.embeddings is 'sim/swift-mini', which is no embedding model"):
        snapshot_of(dict.fromkeys(EVERYBODY, 1), router={"embeddings": "sim/swift-mini"})


async def test_a_long_batch_is_embedded_whole() -> None:
    texts = [f"text {number}" for number in range(2_048)]
    async with simulated(*EVERYBODY) as sim, opened(snapshot_of(sim.ports)) as spine:
        reply = await embed(spine, {"model": "sim/embed-small", "input": texts})
        straight = await embed(spine, {"model": "sim/embed-small", "input": texts[2_000:]})
    assert vectors(reply)[2_000:] == vectors(straight)
    assert len(reply.body) > 2**20


async def test_a_text_that_is_too_long_for_one_host_goes_to_one_that_takes_more() -> None:
    async with simulated("sim-alpha", "sim-bravo") as sim:
        providers = {
            name: {
                "base_url": f"http://127.0.0.1:{sim.ports[seller]}/v1",
                "models": [
                    {
                        "id": "own/embed",
                        "upstream_name": f"sim/embed-small{fault}",
                        "embeddings": True,
                        "input_price_usd": price,
                        "context_window": window,
                    }
                ],
            }
            for name, seller, fault, price, window in (
                ("small", "sim-alpha", ":F27", 0.1, 512),
                ("large", "sim-bravo", "", 9.0, 8_192),
            )
        }
        async with opened(snapshot_of({}, providers=providers, router={"weights": {"cost": 1}})) as spine:
            reply = await embed(spine, {"model": "own/embed", "input": "long " * 600})
    assert [one["target"] for one in reply.json["steelyard"]["attempts"]] == ["own/embed@small", "own/embed@large"]
    assert len(vectors(reply)) == 1


async def test_an_answer_that_is_nested_too_deep_is_a_fault_of_the_provider() -> None:
    async with simulated(*EVERYBODY) as sim, opened(snapshot_of(sim.ports)) as spine:
        reply = await embed(spine, {"model": SMALL, "input": "x"}, "sim-alpha=F43")
    assert reply.json["steelyard"]["provider"] == "sim-bravo"
