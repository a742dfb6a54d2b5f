"""Ids of decisions: unguessable, and cheap to make."""

import os

ID_BYTES = 10
BATCH = 256  # a system call for each id would hand the interpreter to another thread each time


class Ids:
    """Hands out "dec_" and 80 random bits, from a store that is filled in batches."""

    def __init__(self) -> None:
        self._store = b""
        self._used = 0

    def next(self) -> str:
        """A new id."""
        if self._used == len(self._store):
            self._store = os.urandom(ID_BYTES * BATCH)
            self._used = 0
        self._used += ID_BYTES
        return "dec_" + self._store[self._used - ID_BYTES : self._used].hex()
