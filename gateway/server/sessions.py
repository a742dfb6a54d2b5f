"""Which session a request belongs to, from the headers that agents send by themselves. Source: recorded clients."""

SESSION_HEADERS: dict[bytes, int] = {
    name: rank
    for rank, name in enumerate(
        (
            b"x-steelyard-session-id",
            b"x-clawrouter-session-id",  # OpenClaw, ClawRouter plugin
            b"x-claude-code-session-id",  # Claude Code
            b"session-id",  # Codex
            b"x-session-id",  # opencode
            b"x-session-affinity",  # opencode
        )
    )
}
MAX_LENGTH = 200


def session_of(headers: list[tuple[bytes, bytes]], of_body: str) -> str:
    """The session named by the strongest header present; without one that is plain text, the start of the body's."""
    best = len(SESSION_HEADERS)
    found = b""
    for name, value in headers:
        rank = SESSION_HEADERS.get(name, best)
        if rank < best:
            best, found = rank, value
    text = found.decode("latin-1")
    is_name = text.isascii() and text.isprintable() and 0 < len(text) <= MAX_LENGTH
    return text if is_name else of_body[:MAX_LENGTH]
