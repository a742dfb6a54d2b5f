"""What the endpoint of OpenAI's Responses keeps, and that keeping it never costs an answer."""

import json
from typing import Any

import pytest

from gateway.dialects.formats import RESPONSES
from gateway.server.responses import ResponsesGeneration
from tests.execution.providers import Visit, raw
from tests.execution.spine import opened, snapshot_of

MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "word", "annotations": []}],
}
NAMELESS = {"object": "response", "status": "completed", "model": "m", "output": [MESSAGE]}
EVENTS: list[dict[str, Any]] = [
    {"type": "response.created", "response": NAMELESS | {"status": "in_progress", "output": []}},
    {"type": "response.output_item.added", "output_index": 0, "item": MESSAGE | {"content": []}},
    {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "item_id": "msg_1", "delta": "word"},
    {"type": "response.output_item.done", "output_index": 0, "item": MESSAGE},
    {"type": "response.completed", "response": NAMELESS},
]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_an_answer_that_cannot_be_kept_arrives_all_the_same(
    stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def serve(visit: Visit) -> None:
        await visit.request()
        if not stream:
            await visit.answer(NAMELESS)
            return
        await visit.begin()
        for event in EVENTS:
            await visit.chunk(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        await visit.chunk(b"")

    async with raw(serve) as server:
        own = {
            "base_url": f"http://127.0.0.1:{server.port}/v1",
            "dialect": "openai_responses",
            "models": [{"id": "own/model"}],
        }
        async with opened(snapshot_of({}, providers={"own": own})) as spine:
            reply = await spine.ask(
                inbound=RESPONSES,
                endpoint=ResponsesGeneration(spine.state),
                document={"model": "own/model", "input": "hi", "stream": stream},
            )
            assert (reply.status, reply.ended) == (200, True)
            assert b"word" in reply.body
            assert (b"response.completed" in reply.body) == stream
            assert [receipt.outcome for receipt in spine.receipts] == ["ok"]
            assert len([record for record in caplog.records if "cannot be kept" in record.getMessage()]) == 1
