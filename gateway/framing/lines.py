"""Lines of JSON: bytes to lines, however they are cut. Source: github.com/ndjson/ndjson-spec, read 2026-11-23."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class LineParser:
    """Incremental parser, sans I/O. A line ends with a line feed, with or without a carriage return before it."""

    def __init__(self) -> None:
        self._line = bytearray()  # no end of it seen yet

    @property
    def pending_bytes(self) -> int:
        """Bytes kept for a line that is not complete."""
        return len(self._line)

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that the chunk completes, without their ends; empty ones mean nothing and are left out."""
        if b"\n" not in chunk:
            self._line += chunk
            return []
        *lines, rest = (bytes(self._line) + chunk).split(b"\n")
        self._line[:] = rest
        return [line for line in map(cleaned, lines) if line]

    def end(self) -> bytes:
        """The last line, if its end never came; b"" for none."""
        line = cleaned(bytes(self._line))
        self._line.clear()
        return line


def cleaned(line: bytes) -> bytes:
    return line.strip().removeprefix(BYTE_ORDER_MARK)
