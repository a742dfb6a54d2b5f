"""OpenAI's Responses: the one format in which a request may go on from an earlier answer by its id."""

import contextlib
import logging
from functools import partial

import msgspec
from msgspec import Raw, Struct
from starlette.requests import Request
from starlette.responses import Response

from core.scan import Malformed
from gateway.dialects.edits import without
from gateway.dialects.formats import RESPONSES
from gateway.dialects.responses.state import StateAsked, asked, expanded, refuse_unsupported
from gateway.dialects.responses.store import ResponseStore, deleted_body
from gateway.errors import GatewayError, NotFound
from gateway.server.inference import Exchange, Generation, default_model
from gateway.server.limits import Scope, Send
from gateway.server.state import State

log = logging.getLogger("steelyard")

MOST_RESPONSES = 1_000
MOST_BYTES = 64 * 2**20
LAST_EVENTS = (b'"response.completed"', b'"response.incomplete"')


class Event(Struct, frozen=True):
    """The part of a stream's last event that is kept."""

    type: str
    response: Raw


EVENT = msgspec.json.Decoder(Event)
PACK = msgspec.msgpack.Encoder().encode
NAMED = msgspec.msgpack.Decoder(tuple[str, str]).decode  # the caller's key, a response
KEPT = msgspec.msgpack.Decoder(tuple[bytes, tuple[bytes, ...]]).decode  # a response, the input that led to it
RESPONSE, DELETED = "response", "response deleted"


class ResponsesGeneration(Generation):
    """POST /v1/responses, and what it has kept: GET and DELETE /v1/responses/{id}."""

    def __init__(self, state: State) -> None:
        super().__init__(state, RESPONSES)
        self._store = ResponseStore(MOST_RESPONSES, MOST_BYTES)
        state.neighbours.on(RESPONSE, self._asked_by_another)
        state.neighbours.on(DELETED, self._deleted_by_another)

    def exchange(self, scope: Scope, send: Send) -> "ResponsesExchange":
        """One that may go on from a response in the store."""
        return ResponsesExchange(self._state, scope, send, self._store)

    async def show(self, request: Request) -> Response:
        """GET /v1/responses/{id}"""
        response_id, caller = self._named(request)
        await fetch(self._state, self._store, caller, response_id)
        kept = self._store.get(caller, response_id)
        if kept is None:
            raise not_kept(response_id)
        return Response(kept.response, media_type="application/json")

    async def delete(self, request: Request) -> Response:
        """DELETE /v1/responses/{id}"""
        response_id, caller = self._named(request)
        await fetch(self._state, self._store, caller, response_id)
        if not self._store.delete(caller, response_id):
            raise not_kept(response_id)
        self._state.neighbours.tell(DELETED, PACK((caller, response_id)))
        return Response(deleted_body(response_id), media_type="application/json")

    def _asked_by_another(self, said: bytes, sender: int) -> bytes:
        """The response for another worker, where a request goes on from it."""
        kept = self._store.get(*NAMED(said))
        return b"" if kept is None else PACK((kept.response, kept.items))

    def _deleted_by_another(self, said: bytes, sender: int) -> bytes:
        self._store.delete(*NAMED(said))
        return b""

    def _named(self, request: Request) -> tuple[str, str]:
        caller = self._state.callers.identify(request.scope["headers"], request.scope["query_string"])
        return request.path_params["response_id"], caller.name


class ResponsesExchange(Exchange):
    """An exchange that remembers: what the request goes on from, and what is to be kept of it."""

    def __init__(self, state: State, scope: Scope, send: Send, store: ResponseStore) -> None:
        parse = partial(RESPONSES.parse, default_model=default_model(scope, state))
        super().__init__(state, scope, send, RESPONSES, parse)
        self._store = store
        self._state_asked = StateAsked()
        self._items: tuple[bytes, ...] = ()

    async def prepare(self, body: bytes) -> None:
        """Get the response that it goes on from, if another worker has it."""
        with contextlib.suppress(GatewayError, Malformed):  # whoever reads it for good says what is wrong
            if previous := asked(body).previous_response_id:
                await fetch(self.state, self._store, self.arrival.key, previous)

    def completed(self, body: bytes) -> bytes:
        """With the input of the responses that it goes on from."""
        wanted = self._state_asked = asked(body)
        refuse_unsupported(wanted)
        if not (wanted.is_kept or wanted.previous_response_id or wanted.references):
            return body
        try:
            whole = expanded(body, wanted, self._store, self.arrival.key)
        except Malformed:
            return body  # whoever parses it says what is wrong
        self._items = whole.items
        return whole.body

    def answered(self, body: bytes) -> None:
        """Keep the response, unless the caller says not to. One that cannot be kept is an answer all the same."""
        if not self._state_asked.is_kept:
            return
        try:
            response = body if body.lstrip().startswith(b"{") else last_response(body)
            if response:
                self._store.put(self.arrival.key, without(response, (b"steelyard",)), self._items)
        except Exception:  # the receipt is written: whatever it is, the answer must go out
            log.exception("the response of decision %s cannot be kept", self.arrival.id)


async def fetch(state: State, store: ResponseStore, caller: str, response_id: str) -> None:
    """Have the response in this worker's store if any worker has it."""
    if state.neighbours.exist and store.get(caller, response_id) is None:
        for found in await state.neighbours.ask(RESPONSE, PACK((caller, response_id))):
            response, items = KEPT(found)
            store.put(caller, response, items)


def last_response(events: bytes) -> bytes:
    """The response in the event that ends a stream well; b"" when none does."""
    for line in reversed(events.splitlines()):
        if line.startswith(b"data:") and any(name in line for name in LAST_EVENTS):
            return bytes(EVENT.decode(line[len(b"data:") :]).response)
    return b""


def not_kept(response_id: str) -> NotFound:
    return NotFound(
        f"There is no response {response_id[:100]} of yours here: it was sent with store false, or has made room for "
        "later ones"
    )
