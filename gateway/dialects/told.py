"""What a caller was told: an answer read back from the bytes that he got, in his own format."""

from gateway.dialects.formats import OUTBOUND
from gateway.dialects.gathering import Gathering
from gateway.wire.conversation import Answer


def answer_in(said: bytes, name: str, *, is_stream: bool) -> Answer | None:
    """All of it, or as much as came. name: of the caller's format; None where nothing reads that.

    is_stream: events, not one document.
    """
    if name not in OUTBOUND or said.startswith(b"["):  # Gemini's stream without events is an array
        return None
    gathering = Gathering()
    if is_stream:
        reader = OUTBOUND[name].stream_reader()
        gathering.take(reader.feed(said))
        gathering.take(reader.end())
    else:
        gathering.take(OUTBOUND[name].read_answer(said))
    return gathering.answer()
