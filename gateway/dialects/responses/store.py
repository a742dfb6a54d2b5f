"""Responses that a later request may go on from: a bounded store in memory, least recently used out first.

Nobody sees what another caller's key has put there.
"""

from collections import OrderedDict
from collections.abc import Iterable

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.responses.events import HEAD

Key = tuple[str, str]  # the caller's key, the id of a response or of an item


class Kept(Struct, frozen=True, gc=False):
    """One response: what led to it, what it said, and all of it as the caller got it. Everything is JSON."""

    items: tuple[bytes, ...]  # all input, that of earlier responses included
    output: tuple[bytes, ...]
    response: bytes
    size: int  # bytes; what several responses share counts for each, so the bound is never exceeded

    @property
    def history(self) -> tuple[bytes, ...]:
        """The input of a request that goes on from here, up to its own."""
        return self.items + self.output


class ResponseParts(Struct, frozen=True, gc=False):
    id: str
    output: list[Raw] = []


PARTS = msgspec.json.Decoder(ResponseParts)


class ResponseStore:
    """See above. max_entries of 0 keeps nothing."""

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._items: dict[Key, bytes] = {}  # of the output, by id
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, caller: str, response: bytes, items: Iterable[bytes]) -> None:
        """Keep a response with the input that led to it. One that is larger than all the room is not kept."""
        parts = PARTS.decode(response)
        given, output = tuple(items), tuple(bytes(raw) for raw in parts.output)
        size = len(response) + sum(map(len, given)) + sum(map(len, output))
        self.delete(caller, parts.id)
        if size > self._max_bytes or self._max_entries < 1:
            return
        self._kept[caller, parts.id] = Kept(given, output, response, size)
        self._items.update(((caller, id_), item) for id_, item in with_ids(output))
        self.bytes += size
        while self.bytes > self._max_bytes or len(self._kept) > self._max_entries:
            self._forget(next(iter(self._kept)))

    def get(self, caller: str, response_id: str) -> Kept | None:
        """What is known of this response, if it is this caller's. It counts as used."""
        key = caller, response_id
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def item(self, caller: str, item_id: str) -> bytes | None:
        """An item of the output of any response of this caller."""
        return self._items.get((caller, item_id))

    def delete(self, caller: str, response_id: str) -> bool:
        """Whether it was there."""
        key = caller, response_id
        if key not in self._kept:
            return False
        self._forget(key)
        return True

    def _forget(self, key: Key) -> None:
        kept = self._kept.pop(key)
        self.bytes -= kept.size
        for id_, item in with_ids(kept.output):
            if self._items.get((key[0], id_)) is item:
                del self._items[key[0], id_]


def with_ids(items: tuple[bytes, ...]) -> list[tuple[str, bytes]]:
    """Those items that have an id."""
    heads = [(HEAD.decode(item).id, item) for item in items]
    return [(id_, item) for id_, item in heads if id_]


def deleted_body(response_id: str) -> bytes:
    """The answer of DELETE /v1/responses/{id}."""
    return msgspec.json.encode({"id": response_id, "object": "response", "deleted": True})
