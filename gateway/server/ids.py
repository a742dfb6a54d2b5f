"""Ids of decisions and requests: unguessable, and cheap to make."""

import os

ID_BYTES = 10
BATCH = 256  # a system call for each id would hand the interpreter to another thread each time


class Ids:
    """Hands out a prefix and 80 random bits, from a store that is filled in batches."""

    def __init__(self) -> None:
        self._store = b""
        self._used = 0

    def next(self, prefix: str = "dec_") -> str:
        """A new id, by default that of a decision."""
        if self._used == len(self._store):
            self._store = os.urandom(ID_BYTES * BATCH)
            self._used = 0
        self._used += ID_BYTES
        return prefix + self._store[self._used - ID_BYTES : self._used].hex()
