"""Signatures of thoughts on their way through a format that is not their maker's.

A caller hands a signature back as he got it, wherever the conversation goes next. So one that we pass on in a foreign
format names its maker: `steelyard:google:…`. One without a name is its own format's.
"""

PREFIX = "steelyard:"


def sealed(signature: str, maker: str, home: str) -> str:
    """The signature as the caller gets it. home: the family whose signatures his format carries bare."""
    return signature if not signature or maker in ("", home) else f"{PREFIX}{maker}:{signature}"


def unsealed(signature: str, home: str) -> tuple[str, str]:
    """The signature as its maker wrote it, and the maker's family; two empty strings for none."""
    if not signature:
        return "", ""
    if not signature.startswith(PREFIX):
        return signature, home
    maker, _, bare = signature.removeprefix(PREFIX).partition(":")
    return bare, maker
