"""Seeded chance: the same words give the same throws, in every process and on every machine."""

from hashlib import blake2b
from typing import TypeVar

Item = TypeVar("Item")


def digest(*parts: bytes) -> bytes:
    """16 bytes that depend on every part and on where one ends and the next begins."""
    state = blake2b(digest_size=16)
    for part in parts:
        state.update(b"%d:" % len(part))
        state.update(part)
    return state.digest()


class Dice:
    """A reproducible stream of throws."""

    __slots__ = ("_pool", "_seed", "_turn")

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._turn = 0
        self._pool = 0

    def below(self, sides: int) -> int:
        """A whole number in [0, sides); sides: 1 to 2**31. The bias of the remainder is under sides / 2**64."""
        if not self._pool:
            self._turn += 1
            block = blake2b(b"%d" % self._turn, key=self._seed, digest_size=64).digest()
            self._pool = int.from_bytes(block, "little") | 1 << 512  # the guard bit tells when the pool is empty
        throw = self._pool & 0xFFFFFFFFFFFFFFFF
        self._pool >>= 64
        if self._pool == 1:
            self._pool = 0
        return throw % sides

    def share(self) -> float:
        """A number in [0, 1)."""
        return self.below(1 << 30) / (1 << 30)

    def pick(self, items: "list[Item] | tuple[Item, ...]") -> Item:
        """One of `items`, which is not empty."""
        return items[self.below(len(items))]
