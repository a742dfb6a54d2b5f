"""`encrypted_content` of a reasoning item: a model's thought, or the proof of one, on its way through the caller.

OpenAI's own comes bare. Everything else is sealed, see `dialects.seals`; a thought that nobody proves is sealed too,
with an empty content, so that it is known for ours when it comes back: OpenAI refuses items that it never made.
"""

from gateway.dialects.responses.names import FAMILY
from gateway.dialects.seals import PREFIX, sealed, unsealed

CALL = "/call"  # the content proves the call behind it, as Google's signatures do
SIGNATURE = "/signature"  # behind the maker's name: the content proves the text beside it, it is not the thought itself
PLAIN = f"{PREFIX}:"  # nobody's


def read_seal(encrypted: str) -> tuple[str, str, str]:
    """Signature, hidden thought, maker. Of the first two one is empty, or both."""
    content, maker = unsealed(encrypted, FAMILY)
    if maker.endswith(SIGNATURE):
        return content, "", maker.removesuffix(SIGNATURE)
    return "", content, maker if content else ""


def written_seal(signature: str, hidden: str, maker: str) -> str:
    """A hidden thought goes before a signature: whoever hid it needs no text to go with it."""
    if hidden:
        return sealed(hidden, maker or FAMILY, FAMILY)
    return f"{PREFIX}{maker}{SIGNATURE}:{signature}" if signature else PLAIN


def read_call_seal(encrypted: str) -> tuple[str, str]:
    """The signature of the call that follows, and its maker; two empty strings for a thought."""
    content, maker = unsealed(encrypted, FAMILY)
    return (content, maker.removesuffix(CALL)) if maker.endswith(CALL) else ("", "")


def written_call_seal(signature: str, maker: str) -> str:
    return f"{PREFIX}{maker}{CALL}:{signature}"
