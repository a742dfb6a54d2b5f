"""The request as routing sees it: a thin view over the caller's bytes, the same for every inbound dialect."""

from msgspec import Struct

from gateway.wire.ability import Ability
from gateway.wire.wishes import Wishes


class Prompt(Struct, frozen=True, gc=False):
    """One request, decoded just as far as routing needs. `body` stays the caller's own bytes."""

    dialect: str  # "openai_chat"
    body: bytes
    model: str  # as the caller wrote it: a router, a model id, or a target "model@provider"
    chain: tuple[str, ...]  # `models`: an explicit order, tried as written; empty when absent
    stream: bool
    wants_usage: bool  # the caller asked for usage in the stream
    needs: Ability
    texts: tuple[bytes, ...]  # raw JSON of every part that carries text (contents, tool schemas), in order
    message_count: int  # of embeddings: inputs
    last_role: str  # role of the last message: "user", "tool", "assistant", "system", "developer"
    tool_count: int
    image_count: int
    max_output_tokens: int | None
    choices: int  # `n`; 1 when absent
    session: str  # "" when the caller sent none
    wishes: Wishes | None = None  # what he wishes of the providers, in OpenRouter's words
    counted_tokens: int = 0  # sent as tokens, beside `texts`
    forces_call: bool = False  # the answer has to be a tool call

    @property
    def is_in_tool_loop(self) -> bool:
        """Whether it brings results of tools that its model has called for, and that model is to go on with them."""
        return self.last_role in ("tool", "function")
