"""Vectors of texts that say nothing about them: equal texts have equal ones, on every machine and at every provider."""

from hashlib import shake_256
from math import sqrt
from struct import pack, unpack

from gateway.simulator.dice import digest

Vector = tuple[float, ...]  # doubles that are exactly a float32
BYTES_PER_NUMBER = 2


def vector(model: str, content: bytes, dimensions: int) -> Vector:
    """One of unit length. A shorter one is the beginning of a longer one, made unit length again.

    Whole numbers until the division, because a sum of floats depends on the order in which they are added.
    """
    drawn = shake_256(digest(model.encode(), content)).digest(dimensions * BYTES_PER_NUMBER)
    numbers = [number | 1 for number in unpack(f"<{dimensions}h", drawn)]  # odd: not even one alone has no length
    length = sqrt(sum(number * number for number in numbers))
    return unpack(f"<{dimensions}f", packed([number / length for number in numbers]))


def packed(numbers: Vector | list[float]) -> bytes:
    """As little-endian float32."""
    return pack(f"<{len(numbers)}f", *numbers)
