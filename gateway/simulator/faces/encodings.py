"""How vectors are written."""

from base64 import b64encode
from collections.abc import Callable

from gateway.simulator.vectors import Vector, packed


def floats(vector: Vector) -> Vector:
    return vector


def base64(vector: Vector) -> str:
    """Of little-endian float32."""
    return b64encode(packed(vector)).decode()


def int8(vector: Vector) -> list[int]:
    """From -127 to 127, for no number of a vector of unit length is beyond 1."""
    return [round(number * 127) for number in vector]


def uint8(vector: Vector) -> list[int]:
    return [number + 128 for number in int8(vector)]


def ubinary(vector: Vector) -> list[int]:
    """Bits that say which numbers are over 0, eight in a byte, the first one on top."""
    bits = "".join("1" if number > 0 else "0" for number in vector)
    return [int(bits[start : start + 8].ljust(8, "0"), 2) for start in range(0, len(bits), 8)]


def binary(vector: Vector) -> list[int]:
    """The same bytes, 128 less."""
    return [byte - 128 for byte in ubinary(vector)]


ENCODINGS: dict[str, Callable[[Vector], object]] = {
    "float": floats,
    "base64": base64,
    "int8": int8,
    "uint8": uint8,
    "binary": binary,
    "ubinary": ubinary,
}
