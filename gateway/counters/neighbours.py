"""The other workers of this host: what one has learned the others hear at once; what one keeps they can ask for.

Every worker has one stream to the process that started it, which passes on what comes: a word to all others, a question
to all others, an answer to who has asked. A word that is lost or late does no harm; a question is answered by all who
are there, or by nobody.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec
from msgspec import Struct

log = logging.getLogger("steelyard")

LENGTH_BYTES = 4
LONGEST = 128 * 2**20  # bytes of a message
ANSWER_SECONDS = 2.0  # for what a neighbour has at hand; one that is stuck is gone without

Kind = Literal["tell", "ask", "answer", "asked", "gone", "ready", "announce", "alive"]
Handler = Callable[[bytes, int], "bytes | Awaitable[bytes]"]  # what is said, the number of who says it -> an answer


class Word(Struct, frozen=True, array_like=True):
    """One message. Every kind uses the members that it needs."""

    kind: Kind
    sender: int = -1  # number of a worker
    receiver: int = -1  # of an answer
    question: int = 0
    topic: str = ""
    said: bytes = b""
    workers: tuple[int, ...] = ()  # who was asked


ENCODE = msgspec.msgpack.Encoder().encode
DECODE = msgspec.msgpack.Decoder(Word).decode


async def read_word(reader: asyncio.StreamReader) -> Word | None:
    """The next one; None when the other side is gone."""
    try:
        length = int.from_bytes(await reader.readexactly(LENGTH_BYTES))
        return DECODE(await reader.readexactly(length)) if length <= LONGEST else None
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def write_word(writer: asyncio.StreamWriter, word: Word) -> None:
    """Send it, some time."""
    data = ENCODE(word)
    if not writer.is_closing():
        writer.write(len(data).to_bytes(LENGTH_BYTES) + data)


class Question(Struct):
    """One that was asked and not answered by everybody yet."""

    answered: asyncio.Event
    waiting: set[int] | None = None  # numbers; None until it is known who was asked
    early: set[int] = set()  # who answered before that was known
    answers: list[bytes] = []

    def settle(self, number: int) -> None:
        """This one has answered, or is gone."""
        if self.waiting is None:
            self.early.add(number)
        else:
            self.waiting.discard(number)
            if not self.waiting:
                self.answered.set()


class Neighbours:
    """A worker's side. `number` is its place, from 0; `count` how many there are."""

    def __init__(self, number: int = 0, count: int = 1) -> None:
        self.number = number
        self.count = count
        self.when_announced: Callable[[], None] = lambda: None
        self._writer: asyncio.StreamWriter | None = None
        self._handlers: dict[str, Handler] = {}
        self._questions: dict[int, Question] = {}
        self._last_question = 0

    @property
    def exist(self) -> bool:
        """Whether there is anybody."""
        return self.count > 1

    def on(self, topic: str, handler: Handler) -> None:
        """Have what others say or ask of this topic answered; b"" says nothing."""
        self._handlers[topic] = handler

    def tell(self, topic: str, said: bytes) -> None:
        """Have all others hear it."""
        if self._writer is not None:
            write_word(self._writer, Word("tell", self.number, topic=topic, said=said))

    async def ask(self, topic: str, said: bytes, seconds: float = ANSWER_SECONDS) -> list[bytes]:
        """What the others know of it: all answers that say something and come within `seconds`."""
        if self._writer is None:
            return []
        self._last_question += 1
        number, question = self._last_question, Question(asyncio.Event())
        self._questions[number] = question
        write_word(self._writer, Word("ask", self.number, question=number, topic=topic, said=said))
        try:
            async with asyncio.timeout(seconds):
                await question.answered.wait()
        except TimeoutError:
            log.warning("the other workers have not answered about %s within %g s", topic, seconds)
        finally:
            del self._questions[number]
        return question.answers

    def is_ready(self) -> None:
        """Say that requests are served from now on."""
        if self._writer is not None:
            write_word(self._writer, Word("ready", self.number))

    async def open(self, link: socket.socket) -> asyncio.StreamReader:
        """From now on words go out; what comes in is for `listen`."""
        reader, self._writer = await asyncio.open_connection(sock=link)
        return reader

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Hear and answer, until who started us is gone."""
        async with asyncio.TaskGroup() as tasks:
            while (word := await read_word(reader)) is not None:
                self._hear(word, tasks)
            for question in self._questions.values():
                question.answered.set()
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    def _hear(self, word: Word, tasks: asyncio.TaskGroup) -> None:
        question = self._questions.get(word.question)
        if word.kind in ("tell", "ask"):
            tasks.create_task(self._answer(word))
        elif word.kind == "announce":
            self.when_announced()
        elif word.kind == "alive":
            if self._writer is not None:
                write_word(self._writer, word)
        elif word.kind == "gone":
            for one in self._questions.values():
                one.settle(word.sender)
        elif question is not None and word.kind == "asked":
            question.waiting = set(word.workers) - question.early
            if not question.waiting:
                question.answered.set()
        elif question is not None and word.kind == "answer":
            if word.said:
                question.answers.append(word.said)
            question.settle(word.sender)

    async def _answer(self, word: Word) -> None:
        handler, said = self._handlers.get(word.topic), b""
        try:
            if handler is not None:
                found = handler(word.said, word.sender)
                said = found if isinstance(found, bytes) else await found
        except Exception:  # whatever it is, the others must not wait for it
            log.exception("a question of another worker about %s ended in a fault of ours", word.topic)
        if word.kind == "ask" and self._writer is not None:
            write_word(self._writer, Word("answer", self.number, word.sender, word.question, said=said))
