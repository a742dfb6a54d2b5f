"""Events of a stream, as bytes."""


def one_line(data: bytes) -> bytes:
    """JSON that came from elsewhere, fit for a data line: a line feed in it is mere white space."""
    return data.replace(b"\n", b" ").replace(b"\r", b" ") if b"\n" in data or b"\r" in data else data


def event(name: bytes, data: bytes) -> bytes:
    """Clients skip events without a name."""
    return b"event: %s\ndata: %s\n\n" % (name, one_line(data))
