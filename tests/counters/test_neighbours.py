"""Questions among workers, over a real stream to whoever started them."""

import asyncio
import contextlib
import socket

from gateway.counters.neighbours import Neighbours, Word, read_word, write_word


async def test_a_neighbour_that_is_stuck_is_not_waited_for_and_may_answer_too_late() -> None:
    ours, theirs = socket.socketpair()
    neighbours = Neighbours(0, 2)
    listening = asyncio.create_task(neighbours.listen(await neighbours.open(ours)))
    reader, writer = await asyncio.open_connection(sock=theirs)
    with contextlib.closing(writer):
        asking = asyncio.create_task(neighbours.ask("weather", b"today?", 0.01))
        asked = await read_word(reader)
        assert asked is not None
        assert (asked.topic, asked.said) == ("weather", b"today?")
        write_word(writer, Word("asked", question=asked.question, workers=(1,)))
        assert await asking == []
        write_word(writer, Word("answer", 1, 0, asked.question, said=b"fine"))

        asking = asyncio.create_task(neighbours.ask("weather", b"tomorrow?"))
        asked = await read_word(reader)
        assert asked is not None
        write_word(writer, Word("asked", question=asked.question, workers=(1,)))
        write_word(writer, Word("answer", 1, 0, asked.question, said=b"rain"))
        assert await asking == [b"rain"]
    await listening
