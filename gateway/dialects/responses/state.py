"""What a request wants the server to know from earlier ones: served from a ResponseStore, or refused, never ignored."""

import msgspec
from msgspec import Raw, Struct

from core.scan import Malformed, top_level_spans
from gateway.dialects.edits import with_value, without
from gateway.dialects.responses.events import HEAD
from gateway.dialects.responses.reading import RAWS, decoded, is_absent, is_string
from gateway.dialects.responses.store import ResponseStore
from gateway.errors import InvalidRequest, NotFound

KEYS = (b"previous_response_id", b"conversation", b"background", b"prompt", b"store", b"input")
INPUT_KEY = (b"input",)
REFERENCE = "item_reference"
UNSUPPORTED = {
    "conversation": "conversations are not kept here; send previous_response_id, or the whole input",
    "background": "a response is answered while the request waits; leave it out",
    "prompt": "prompt templates are kept at their provider; send instructions and input",
}
OUT_OF_REACH = "responses are not kept here; send the whole input"


class StateAsked(Struct, frozen=True):
    """What of the past, or of the future, a request speaks of."""

    previous_response_id: str = ""
    references: tuple[str, ...] = ()  # ids of items that it names instead of sending them
    unsupported: tuple[str, ...] = ()  # members that ask for what nobody here can do
    is_kept: bool = True  # the response is to be kept for later; without a word it is


class Expanded(Struct, frozen=True):
    """A request that needs nothing but itself, and all its input, item by item, to be kept with the response."""

    body: bytes
    items: tuple[bytes, ...]


def asked(body: bytes) -> StateAsked:
    """Read it from a request. A body that makes no sense asks for nothing; whoever parses it says what is wrong."""
    try:
        members = {KEYS[key].decode(): Raw(body[start:end]) for key, _, start, end, _ in top_level_spans(body, KEYS)}
        previous = members.get("previous_response_id", Raw(b""))
        return StateAsked(
            previous_response_id=msgspec.json.decode(previous, type=str) if is_string(previous) else "",
            references=references_in(members.get("input", Raw(b""))),
            unsupported=tuple(name for name in UNSUPPORTED if is_wanted(members.get(name, Raw(b"")))),
            is_kept=bytes(members.get("store", b"")) != b"false",
        )
    except (Malformed, msgspec.DecodeError, UnicodeDecodeError):
        return StateAsked()


def is_wanted(raw: Raw) -> bool:
    return not is_absent(raw) and bytes(raw) not in (b"false", b'""', b"{}")


def references_in(raw: Raw) -> tuple[str, ...]:
    if REFERENCE.encode() not in bytes(raw):
        return ()
    heads = [HEAD.decode(item) for item in RAWS.decode(raw)]
    return tuple(head.id for head in heads if head.type == REFERENCE and head.id)


def refuse_unsupported(state: StateAsked) -> None:
    """Raises InvalidRequest for the first member that asks for what nobody here can do."""
    for param in state.unsupported:
        raise unsupported(param, UNSUPPORTED[param])


def expanded(body: bytes, state: StateAsked, store: ResponseStore | None, caller: str) -> Expanded:
    """The request with everything in it that it only names. Raises InvalidRequest or NotFound.

    store: None where responses are not kept. A body that makes no sense stays as it is, for whoever parses it.
    """
    if store is None and (state.previous_response_id or state.references):
        raise unsupported("previous_response_id" if state.previous_response_id else "input", OUT_OF_REACH)
    try:
        spans = top_level_spans(body, INPUT_KEY)
    except Malformed:
        return Expanded(body, ())
    items = items_of(Raw(body[spans[-1][2] : spans[-1][3]] if spans else b""))
    if store is None or not (state.previous_response_id or state.references):
        return Expanded(body, items)
    own = (resolved(item, store, caller) for item in items) if state.references else items
    items = (*history(state.previous_response_id, store, caller), *own)
    alone = without(body, (b"previous_response_id",))
    return Expanded(with_value(alone, b"input", b"[" + b",".join(items) + b"]"), items)


def items_of(raw: Raw) -> tuple[bytes, ...]:
    """`input` as items; a string is what the user says."""
    if is_absent(raw):
        return ()
    if is_string(raw):
        return (b'{"type":"message","role":"user","content":' + bytes(raw) + b"}",)
    return tuple(bytes(item) for item in decoded(RAWS, raw, "input"))


def history(previous: str, store: ResponseStore, caller: str) -> tuple[bytes, ...]:
    kept = store.get(caller, previous) if previous else None
    if previous and kept is None:
        raise InvalidRequest(
            f"Previous response with id '{previous}' not found: it is another key's, was sent with store false, or has "
            "made room for later ones; send the whole input.",
            param="previous_response_id",
            code="previous_response_not_found",
        )
    return kept.history if kept is not None else ()


def resolved(item: bytes, store: ResponseStore, caller: str) -> bytes:
    """The item itself where only its id was sent."""
    head = HEAD.decode(item)
    if head.type != REFERENCE or not head.id:
        return item
    found = store.item(caller, head.id)
    if found is None:
        raise NotFound(
            f"Item with id '{head.id}' not found: its response was sent with store false, or has made room for later "
            "ones; send the item itself.",
            param="input",
        )
    return found


def unsupported(param: str, reason: str) -> InvalidRequest:
    return InvalidRequest(f"Unsupported parameter: '{param}'; {reason}.", param=param, code="unsupported_parameter")
