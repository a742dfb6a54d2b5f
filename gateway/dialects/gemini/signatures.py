"""Thought signatures. Google's own stand bare; one of another maker is wrapped, and comes back as it was.

Google's SDKs hold a signature as bytes and write them in base64, in either alphabet, so ours has to be base64 too:
of `steelyard:anthropic:{…}`.
"""

import base64
import binascii

import msgspec
from msgspec import Struct

from gateway.dialects.seals import PREFIX

HOME = "google"
WRAPPED = base64.b64encode(PREFIX.encode()[:9]).decode()  # nine bytes are twelve letters, whatever follows
# What Google documents for calls in a history that no Gemini made; nobody signed anything there.
# Source: ai.google.dev/gemini-api/docs/thought-signatures (questions), and the page of that name for Vertex AI,
# both read 2026-11-23.
NOT_FROM_GEMINI = "skip_thought_signature_validator"
PLACEHOLDERS = (NOT_FROM_GEMINI, "context_engineering_is_the_way_to_go")
URL_ALPHABET = str.maketrans("-_", "+/")


class Seal(Struct, frozen=True, omit_defaults=True):
    """What proves a thought, or hides it."""

    signature: str = ""
    hidden: str = ""
    id: str = ""
    maker: str = ""


SEAL = msgspec.json.Decoder(Seal)


def wrapped(seal: Seal) -> str:
    """The `thoughtSignature` that carries it; "" for none."""
    if seal.maker in ("", HOME):
        return seal.signature
    note = msgspec.json.encode(Seal(seal.signature, seal.hidden, seal.id))
    return base64.b64encode(f"{PREFIX}{seal.maker}:".encode() + note).decode()


def unwrapped(text: str | None) -> Seal:
    """The seal in a `thoughtSignature`."""
    if not text or text in PLACEHOLDERS:
        return Seal()
    if not text.startswith(WRAPPED):
        return Seal(text, maker=HOME)
    try:
        plain = base64.b64decode(text.translate(URL_ALPHABET) + "==").decode()
        maker, _, note = plain.removeprefix(PREFIX).partition(":")
        seal = SEAL.decode(note)
    except (binascii.Error, UnicodeDecodeError, msgspec.DecodeError):
        return Seal(text, maker=HOME)
    return msgspec.structs.replace(seal, maker=maker)
