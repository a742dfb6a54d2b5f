"""A stream without `alt=sse`: one JSON array whose elements come one by one. Sans I/O, however the bytes are cut."""

import re

MARKS = re.compile(rb'["{}\]]')
STRING_END = re.compile(rb'[\\"]')


class DocumentParser:
    """Finds the objects of an array, or objects that just follow each other. done: the array has been closed."""

    def __init__(self) -> None:
        self.done = False
        self._buffer = bytearray()
        self._place = 0  # searched up to here
        self._start = -1  # of the object that is open
        self._depth = 0
        self._in_string = False

    @property
    def pending_bytes(self) -> int:
        """Bytes kept for an object that is not complete."""
        return len(self._buffer)

    def feed(self, chunk: bytes) -> list[bytes]:
        """The objects that the chunk completes."""
        self._buffer += chunk
        found: list[bytes] = []
        while (end := self._next_end()) >= 0:
            found.append(bytes(self._buffer[self._start : end]))
            del self._buffer[:end]
            self._place, self._start = 0, -1
        if self._start < 0:
            del self._buffer[: self._place]  # all of it, but for an escape that is cut in half
            self._place = 0
        return found

    def _next_end(self) -> int:
        """Behind the closing brace of the next object; -1 until it comes."""
        while True:
            mark = (STRING_END if self._in_string else MARKS).search(self._buffer, self._place)
            if mark is None:
                self._place = len(self._buffer)
                return -1
            if not self._pass(mark.group(), mark.start()):
                return -1
            if self._depth == 0 and self._start >= 0:
                return self._place

    def _pass(self, mark: bytes, at: int) -> bool:
        """Step over one mark; False when what an escape stands for is still to come."""
        if mark == b"\\":
            if at + 1 >= len(self._buffer):
                self._place = at
                return False
            self._place = at + 2
            return True
        self._place = at + 1
        if mark == b'"':
            self._in_string = not self._in_string
        elif mark == b"{":
            self._start = at if self._depth == 0 else self._start
            self._depth += 1
        elif self._depth == 0:
            self.done = self.done or mark == b"]"
        elif mark == b"}":
            self._depth -= 1
        return True
