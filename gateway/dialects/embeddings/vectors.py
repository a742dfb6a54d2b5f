"""Vectors in the two ways of writing them: an array of numbers, or base64 of 32-bit floats, the lowest byte first."""

import base64
import binascii

import msgspec
import numpy as np
from msgspec import Raw

NUMBERS = msgspec.json.Decoder(list[float])
TEXT = msgspec.json.Decoder(str)
QUOTE, BRACKET = b'"', b"["
BYTES_PER_NUMBER = 4


def is_vector(value: Raw) -> bool:
    """Whether it is written in one of the two ways; what is inside is not looked at."""
    return bytes(memoryview(value)[:1]) in (QUOTE, BRACKET)


def is_base64(vector: Raw) -> bool:
    return bytes(memoryview(vector)[:1]) == QUOTE


def as_base64(vector: Raw) -> bytes:
    """A JSON string. Raises ValueError for what is no array of numbers."""
    numbers = np.array(NUMBERS.decode(vector), "<f4")
    return QUOTE + base64.b64encode(numbers.tobytes()) + QUOTE


def as_numbers(vector: Raw) -> bytes:
    """A JSON array. Raises ValueError for what is no base64 of 32-bit floats."""
    try:
        packed = base64.b64decode(TEXT.decode(vector), validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
    if len(packed) % BYTES_PER_NUMBER:
        raise ValueError("no whole number of 32-bit floats")
    return msgspec.json.encode(np.frombuffer(packed, "<f4").tolist())


def written(vector: Raw, wants_base64: bool) -> bytes:
    """The vector as the caller wants it; as it came, where that is the same. Raises ValueError."""
    if is_base64(vector) is wants_base64:
        return bytes(vector)
    return as_base64(vector) if wants_base64 else as_numbers(vector)
