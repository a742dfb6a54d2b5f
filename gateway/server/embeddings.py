"""POST /v1/embeddings: the same exchange as for a conversation, in another market."""

from functools import partial

from gateway.dialects.embeddings import EMBEDDINGS
from gateway.routing.describe import describe_inputs
from gateway.server.inference import Exchange, Generation, default_model
from gateway.server.limits import Scope, Send
from gateway.server.state import State


class EmbeddingGeneration(Generation):
    """An endpoint that answers with vectors."""

    def __init__(self, state: State) -> None:
        super().__init__(state, EMBEDDINGS)

    def exchange(self, scope: Scope, send: Send) -> "EmbeddingExchange":
        """One among the models that make embeddings."""
        return EmbeddingExchange(self._state, scope, send)


class EmbeddingExchange(Exchange):
    """A list of texts, and their vectors."""

    def __init__(self, state: State, scope: Scope, send: Send) -> None:
        parse = partial(EMBEDDINGS.parse, default_model=default_model(scope, state))
        super().__init__(state, scope, send, EMBEDDINGS, parse)
        self.market = self.snapshot.embeddings
        self.describe = describe_inputs
