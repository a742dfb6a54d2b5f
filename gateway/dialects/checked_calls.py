"""Whether the tool calls of an answer can be carried out: their arguments have to be a JSON object.

Looked at once, when the answer is over, in the caller's own format; of a stream only what came since a call began.
"""

from gateway.dialects.arguments import as_object
from gateway.dialects.told import answer_in
from gateway.wire.conversation import Answer, Part, ToolCall

MOST_BYTES = 65_536  # longer ones are taken for good; to read so much takes some 2 ms


class CallsOfStream:
    """What a caller was told since a tool call began. name: of the caller's format."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pieces: list[bytes] = []
        self._room = MOST_BYTES

    def take(self, piece: bytes) -> None:
        self._room -= len(piece)
        if self._room >= 0:
            self._pieces.append(piece)

    def is_malformed(self) -> bool:
        """Whether the arguments of any call are no object. What ends the stream holds none of them."""
        if not self._pieces or self._room < 0:
            return False
        return is_any_malformed(answer_in(b"".join(self._pieces), self._name, is_stream=True))


def is_malformed_in(body: bytes, name: str) -> bool:
    """Whether any call of a whole answer cannot be read."""
    return len(body) <= MOST_BYTES and is_any_malformed(answer_in(body, name, is_stream=False))


def is_any_malformed(answer: Answer | None) -> bool:
    return answer is not None and any(is_unusable(part) for choice in answer.choices for part in choice.parts)


def is_unusable(part: Part) -> bool:
    """Free text is the argument of a custom tool, and nothing at all stands for no arguments."""
    if not isinstance(part, ToolCall) or part.is_custom or not part.arguments.strip():
        return False
    return as_object(part.arguments) is None
