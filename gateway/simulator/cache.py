"""The providers' prompt caches: a beginning that was seen in the last five minutes costs less."""

from zlib import crc32

LIFETIME_SECONDS = 300.0
BLOCK_BYTES = 512  # 128 tokens; OpenAI caches from 1,024 tokens on in steps of 128. Source: its guide "Prompt caching".
LEAST_BLOCKS = 8
LARGEST = 200_000  # blocks remembered; when full, all are forgotten


class PrefixCache:
    """Which beginnings of prompts are warm, per offer."""

    def __init__(self) -> None:
        self._warm_until: dict[tuple[str, int, int], float] = {}

    def cached_bytes(self, offer: str, prompt: bytes, now: float) -> int:
        """How much of `prompt`'s beginning `offer` saw lately; now it has seen all of it. now: monotonic seconds."""
        if len(prompt) < BLOCK_BYTES * LEAST_BLOCKS:
            return 0
        if len(self._warm_until) > LARGEST:
            self._warm_until.clear()
        warm, seen, checksum = 0, True, 0
        view = memoryview(prompt)
        for end in range(BLOCK_BYTES, len(prompt) + 1, BLOCK_BYTES):
            checksum = crc32(view[end - BLOCK_BYTES : end], checksum)
            key = (offer, end, checksum)
            seen = seen and self._warm_until.get(key, 0.0) > now
            if seen:
                warm = end
            self._warm_until[key] = now + LIFETIME_SECONDS
        return warm if warm >= BLOCK_BYTES * LEAST_BLOCKS else 0
