"""Which format is spoken at which address."""

from gateway.simulator.faces.chat import ChatFace
from gateway.simulator.faces.face import Face, Where

NOWHERE = Where()

BY_PATH: dict[str, Face] = {"/v1/chat/completions": ChatFace()}


def face_at(path: str, query: str) -> tuple[Face, Where] | None:
    """The format of a path below a provider's address, and what the path says; None where no model answers."""
    face = BY_PATH.get(path)
    return None if face is None else (face, NOWHERE)
