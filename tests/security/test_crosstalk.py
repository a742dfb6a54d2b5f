"""Nobody gets the answer of somebody else (S21)."""

import asyncio
import json

from tests.execution.providers import GOOD, Visit, raw
from tests.execution.spine import opened, snapshot_of
from tests.security.counts import count

OWN = "own/model@own"


async def echo(visit: Visit) -> None:
    """Answers each request with its own words."""
    while True:
        asked = json.loads(await visit.request())
        word = asked["messages"][0]["content"]
        if asked["stream"]:
            await visit.begin()
            await visit.event({"content": word[:8]})
            await visit.event({"content": word[8:]}, "stop")
            await visit.chunk(b"data: [DONE]\n\n")
            await visit.chunk(b"")
        else:
            message = {"role": "assistant", "content": word}
            await visit.answer({**GOOD, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


async def test_of_many_at_once_each_gets_its_own_words_though_some_of_them_leave() -> None:
    room = asyncio.Semaphore(count(50, 100))
    async with raw(echo) as server:
        own = {"base_url": f"http://127.0.0.1:{server.port}/v1", "models": [{"id": "own/model"}]}
        async with opened(snapshot_of({}, providers={"own": own})) as spine:

            async def one(number: int) -> bool:
                word = f"nonce-{number:012d}-{number * 7_919 % 1_000_003:07d}"
                leaves_at = asyncio.get_running_loop().time() + number % 7 / 1_000 if number % 10 == 0 else None
                async with room:
                    try:
                        async with asyncio.timeout_at(leaves_at):
                            reply = await spine.ask(OWN, stream=number % 2 == 0, messages=said(word))
                    except TimeoutError:
                        return False
                assert reply.status == 200, reply.body
                assert reply.text == word
                return True

            async with asyncio.TaskGroup() as tasks:
                served = [tasks.create_task(one(number)) for number in range(count(400, 10_000))]
    assert sum(task.result() for task in served) >= 0.9 * len(served)


def said(word: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": word}]
