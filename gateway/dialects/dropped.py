"""What is taken out of a body that goes through as it is, because the provider or the model refuses it."""

from collections.abc import Iterable, Iterator

from gateway.dialects.answer import is_something
from gateway.dialects.edits import Span
from gateway.wire.conversation import Loss

REFUSED = "the provider refuses it"
NO_THOUGHT = "this model does not think before it answers"
# Members by which a caller asks for thought, by the format.
OF_THOUGHT: dict[str, tuple[str, ...]] = {
    "openai_chat": ("reasoning_effort", "reasoning"),
    "openai_responses": ("reasoning",),
    "anthropic_messages": ("thinking",),
    "anthropic_bedrock": ("thinking",),
    "anthropic_vertex": ("thinking",),
}
THOUGHT = frozenset(name for names in OF_THOUGHT.values() for name in names)
OFF = (b'"none"', b'{"type":"disabled"}', b'{"effort":"none"}')


def losses_of(body: bytes, removed: Iterable[tuple[str, Span]]) -> Iterator[Loss]:
    """A loss for each member that asked for something. removed: their names and places."""
    for name, (_, _, start, end, _) in removed:
        value = body[start:end]
        if not is_something(value) or value.replace(b" ", b"") in OFF:
            continue
        yield Loss(name, NO_THOUGHT if name in THOUGHT else REFUSED)
