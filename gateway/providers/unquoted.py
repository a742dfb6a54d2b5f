"""A provider's words without the caller's (S25): an error may quote the prompt, and no prompt is kept or logged."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

SHORTEST_QUOTE = 12  # letters and digits in a row; fewer are a word that both happen to use
LONGEST_REQUEST = 128 * 2**10  # bytes, some 5 ms; of what fails and is longer nothing is compared, and nothing kept
WITHHELD = "[withheld: the request is too long to tell its words from the provider's]"
QUOTE = "[…]"
NAMES = ("model", "models")  # members whose values are no prompt, and what an error is often about
OTHERS = re.compile(r"[\W_]+")
ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def unquoted(message: str, request: bytes) -> str:
    """The message with […] in the place of every run of characters that the request has too.

    Only letters and digits are compared, in any case, so that it matters little how either was escaped or wrapped.
    request: the caller's JSON. Takes about as long as decoding it, for a message of 300 characters.
    """
    if not message:
        return message
    if len(request) > LONGEST_REQUEST:
        return WITHHELD
    message = ESCAPE.sub(lambda found: chr(int(found[1], 16)), message)
    places = [place for place, character in enumerate(message) if character.isalnum()]
    bare = "".join(message[place].lower()[0] for place in places)
    known = "\n".join(map(letters, texts_in(request)))
    pieces: list[str] = []
    done = start = 0
    while start + SHORTEST_QUOTE <= len(bare):
        end = start + SHORTEST_QUOTE
        if bare[start:end] not in known:
            start += 1
            continue
        while end < len(bare) and bare[start : end + 1] in known:
            end += 1
        pieces += (message[done : places[start]], QUOTE)
        done = places[end - 1] + 1
        start = end
    return "".join(pieces) + message[done:]


def letters(text: str) -> str:
    """Lower case without anything else."""
    return OTHERS.sub("", text).lower()


def texts_in(request: bytes) -> Iterator[str]:
    """Every text of the request, names of members included, but those that name a model."""
    try:
        document = msgspec.json.decode(request)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        yield request.decode("utf-8", "replace")
        return
    if isinstance(document, dict):
        document = {name: value for name, value in document.items() if name not in NAMES}
    yield from texts_of(document)


def texts_of(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for name, value in node.items():
            yield name
            yield from texts_of(value)
    elif isinstance(node, list):
        for item in node:
            yield from texts_of(item)
