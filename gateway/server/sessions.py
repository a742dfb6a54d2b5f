"""Which session a request belongs to, from the headers and fields that agents send by themselves.

Source: recorded clients, tests/fixtures/clients.
"""

from hashlib import blake2b

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
            b"x-litellm-session-id",  # LiteLLM's callers
            b"helicone-session-id",  # Helicone's callers
        )
    )
}
MAX_LENGTH = 200
DIGEST_BYTES = 16


def session_of(headers: list[tuple[bytes, bytes]], named: str) -> str:
    """The session of the strongest header present, else what the body has named; "" when neither says one."""
    best = len(SESSION_HEADERS)
    found = b""
    for name, value in headers:
        rank = SESSION_HEADERS.get(name, best)
        if rank < best:
            best, found = rank, value
    text = found.decode("latin-1")
    return text if text and is_plain(text) else bounded(named)


def bounded(named: str) -> str:
    """As it is when it can stand in a receipt, else a digest of it: what is the same stays the same."""
    if is_plain(named):
        return named
    return blake2b(named.encode(errors="surrogatepass"), digest_size=DIGEST_BYTES).hexdigest()


def is_plain(text: str) -> bool:
    return len(text) <= MAX_LENGTH and text.isascii() and text.isprintable()
