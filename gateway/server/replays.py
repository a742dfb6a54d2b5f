"""Answers to requests with an `Idempotency-Key`, kept for whoever sends the same request again: one charge, one answer.

A request that nobody answered is not kept, so that sending it again is worth something. What is kept is in this
process's memory; the other workers of the host are asked what is in theirs.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Iterator
from time import monotonic
from typing import Any

import msgspec
from msgspec import Struct

from gateway.errors import InvalidRequest
from gateway.server.limits import Message, Scope

HEADER = b"idempotency-key"
LONGEST_KEY = 255  # characters, as Stripe has it
KEPT_SECONDS = 86_400.0
LONGEST_REQUEST_SECONDS = 660.0  # for which another worker may still be at it
SAMPLED_BYTES = 4_096  # at either end of a body, by which two requests are told apart


class Claim(Struct, frozen=True):
    """Whose request it is, where it was sent, and by which key he knows it."""

    caller: str
    path: str
    query: bytes
    key: bytes


class Kept(Struct):
    """A request under way, or its answer."""

    fingerprint: tuple[int, int, int]
    since: float  # monotonic second
    ended: asyncio.Event
    messages: list[Message]  # of the whole answer; empty as long as there is none
    size: int = 0  # bytes


class Repeated(Struct, frozen=True, array_like=True):
    """A request with a key, as one worker asks the others of it."""

    claim: Claim
    fingerprint: tuple[int, int, int]


class Answered(Struct, frozen=True, array_like=True):
    """What another worker knows of it: its answer, or that the key stood for another request."""

    is_other: bool
    messages: tuple[dict[str, Any], ...] = ()


REPLAY = "replay"
PACK = msgspec.msgpack.Encoder().encode
REPEATED = msgspec.msgpack.Decoder(Repeated).decode
ANSWERED = msgspec.msgpack.Decoder(Answered).decode


class Replays:
    """At most `most_answers` of them, and `most_bytes` together; the oldest makes room."""

    def __init__(self, most_answers: int, most_bytes: int, number: int = 0) -> None:
        """number: of the worker."""
        self._kept: OrderedDict[Claim, Kept] = OrderedDict()
        self._most_answers = most_answers
        self._most_bytes = most_bytes
        self._bytes = 0
        self._number = number
        self._asking: set[Claim] = set()

    async def claim(self, claim: Claim, body: bytes) -> list[Message]:
        """The answer that this request had; none when it has to be asked now, which ends with `settle`.

        While the first one is under way the second waits for it. Raises InvalidRequest for a key that stood for another
        request.
        """
        while (kept := self._known(claim)) is not None:
            if kept.fingerprint != fingerprint(body):
                raise reused()
            if kept.messages:
                return kept.messages
            await kept.ended.wait()
        self._kept[claim] = Kept(fingerprint(body), monotonic(), asyncio.Event(), [])
        return []

    @contextlib.contextmanager
    def asking(self, claim: Claim) -> Iterator[None]:
        """While the other workers are asked whether one of them has had this request."""
        self._asking.add(claim)
        try:
            yield
        finally:
            self._asking.discard(claim)

    async def asked_by_another(self, said: bytes, sender: int) -> bytes:
        """What is known here of another worker's request, once it has ended.

        When two workers have taken in the same request at once, and ask each other, that with the lower number goes on.
        """
        asked = REPEATED(said)
        while (kept := self._known(asked.claim)) is not None:
            if asked.claim in self._asking and sender < self._number:
                return b""
            if kept.fingerprint != asked.fingerprint:
                return PACK(Answered(True))
            if kept.messages:
                return PACK(Answered(False, tuple(dict(message) for message in kept.messages)))
            await kept.ended.wait()
        return b""

    def settle(self, claim: Claim, messages: list[Message]) -> None:
        """It has ended. messages: the whole answer; none where the next one with this key is to be asked anew."""
        kept = self._kept[claim]
        if not messages:
            self._forget(claim)
            return
        kept.messages = messages
        kept.size = sum(len(message.get("body", b"")) for message in messages)
        kept.ended.set()
        self._bytes += kept.size
        while len(self._kept) > self._most_answers or self._bytes > self._most_bytes:
            oldest = next((one for one, other in self._kept.items() if other.messages), None)
            if oldest is None:
                break
            self._forget(oldest)

    def _known(self, claim: Claim) -> Kept | None:
        kept = self._kept.get(claim)
        if kept is not None and kept.messages and monotonic() - kept.since > KEPT_SECONDS:
            self._forget(claim)
            return None
        return kept

    def _forget(self, claim: Claim) -> None:
        kept = self._kept.pop(claim)
        self._bytes -= kept.size
        kept.ended.set()


def key_of(scope: Scope) -> bytes:
    """The request's Idempotency-Key, b"" without one. Raises InvalidRequest for one that is too long."""
    for name, value in scope["headers"]:
        if name == HEADER:
            if len(value) > LONGEST_KEY:
                raise InvalidRequest(
                    f"The Idempotency-Key has {len(value)} characters; at most {LONGEST_KEY} are possible.",
                    code="invalid_idempotency_key",
                )
            key: bytes = value
            return key
    return b""


def reused() -> InvalidRequest:
    return InvalidRequest(
        "This Idempotency-Key was sent before, with another body; take a new key for a new request.",
        status=422,
        code="idempotency_key_reused",
    )


def claim_of(scope: Scope, caller: str, key: bytes) -> Claim:
    return Claim(caller, scope["path"], scope["query_string"], key)


def fingerprint(body: bytes) -> tuple[int, int, int]:
    """Tells different bodies apart by their length and their ends: to hash all of a long one takes too long."""
    return len(body), hash(body[:SAMPLED_BYTES]), hash(body[-SAMPLED_BYTES:])
