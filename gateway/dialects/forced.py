"""Whether a caller leaves the model no choice but to call a tool, in the words of OpenAI and of Anthropic."""

import msgspec
from msgspec import Raw, Struct

LEAVES_A_CHOICE = (b"", b"null", b'"auto"', b'"none"')


class Choice(Struct, frozen=True, gc=False):
    type: str = ""
    mode: str = ""  # of Responses' allowed_tools


CHOICE = msgspec.json.Decoder(Choice)


def forces_call(choice: Raw) -> bool:
    """choice: the `tool_choice` of a request. What cannot be read forces nothing."""
    raw = bytes(choice)
    if raw in LEAVES_A_CHOICE:
        return False
    if not raw.startswith(b"{"):
        return True  # "required", "any"
    try:
        read = CHOICE.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return read.type not in ("auto", "none") and read.mode != "auto"
