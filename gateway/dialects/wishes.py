"""What a caller wishes of the choice of providers, read from a body of any format."""

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from core.scan import top_level_spans
from gateway.dialects.answer import is_something
from gateway.wire.wishes import Wishes

MEMBERS = msgspec.json.Decoder(dict[str, Raw])
KEYS = (b"provider",)
HEEDED = frozenset(Wishes.__struct_fields__) - {"unheeded"}
ASK_NOTHING = {"data_collection": b'"allow"', "enforce_distillable_text": b"false"}


def wishes_in(body: bytes, stated: Wishes | None) -> Wishes | None:
    """With the names of those that nothing here can fulfil. stated: as the format's own decoder has read it."""
    if stated is None:
        return None
    members: dict[str, Raw] = {}
    for _, _, start, end, _ in top_level_spans(body, KEYS):
        members |= MEMBERS.decode(body[start:end]) if body[start:end].startswith(b"{") else {}
    unheeded = (
        name
        for name, value in members.items()
        if name not in HEEDED and is_something(value) and bytes(value) != ASK_NOTHING.get(name)
    )
    return replace(stated, unheeded=tuple(unheeded))
