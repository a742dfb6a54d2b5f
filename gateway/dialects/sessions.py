"""The session that a request's free-form members name: `metadata` of OpenAI's clients, `client_metadata` of Codex."""

import msgspec
from msgspec import Raw, Struct


class Named(Struct, frozen=True, gc=False):
    """What LiteLLM, Langfuse and Codex write there by this name."""

    session_id: str = ""


NAMED = msgspec.json.Decoder(Named)


def session_in(metadata: Raw) -> str:
    """Its `session_id`; "" when there is none, or something else stands there."""
    try:
        return NAMED.decode(metadata).session_id
    except msgspec.DecodeError:
        return ""
