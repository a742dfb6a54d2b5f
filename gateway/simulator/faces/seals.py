"""Proof that a thought is a simulated provider's own: who sends it back changed is found out."""

from base64 import b64encode, urlsafe_b64decode
from binascii import Error

from gateway.simulator.dice import digest

SEAL_BYTES = 16
URL_SAFE = str.maketrans("+/", "-_")  # google-genai sends either alphabet


def seal_of(thought: str) -> str:
    """In base64, as the real ones are."""
    return b64encode(stamp_of(thought)).decode()


def stamp_of(thought: str) -> bytes:
    return digest(b"seal", thought.encode())


def is_seal_of(seal: str, thought: str) -> bool:
    """Whether `seal` is the one of `thought`; without the thought, whether it could be one."""
    try:
        stamp = urlsafe_b64decode(seal.translate(URL_SAFE))
    except (Error, ValueError):
        return False
    return stamp == stamp_of(thought) if thought else len(stamp) == SEAL_BYTES
