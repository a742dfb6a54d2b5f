"""Tool calls of one choice, put in order: unique indexes, ids and names, however a provider numbers its pieces."""

import re

import msgspec
from msgspec import Struct

from gateway.dialects.chat.answer_schema import CallPiece, FunctionPiece
from gateway.dialects.seals import unsealed
from gateway.wire.delta import CallArguments, CallBegan, Delta

NOT_IN_AN_ID = re.compile(r"[^0-9A-Za-z_-]")
OLD_CALL = -1  # key of the one call that an answer could have before 2023-11


class Pending(Struct):
    """A call as far as it has come. It begins once it has a name; arguments before that wait."""

    id: str = ""
    name: str = ""
    index: int | None = None  # the caller's; None until it has begun
    is_custom: bool = False
    signature: str = ""
    waiting: str = ""


class Calls:
    """The calls of one choice."""

    def __init__(self, choice: int) -> None:
        self._choice = choice
        self._by_key: dict[int, Pending] = {}
        self._last: Pending | None = None
        self._ids: set[str] = set()
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    @property
    def has_nameless(self) -> bool:
        """Whether a call never got a name; nobody can run it."""
        return any(call.index is None and (call.waiting or call.id) for call in self._by_key.values())

    def take(self, pieces: list[CallPiece], answer_id: str) -> list[Delta]:
        """What the pieces of one chunk add. answer_id: for calls that come without an id."""
        deltas: list[Delta] = []
        for place, piece in enumerate(pieces):
            name, arguments, is_custom = said_by(piece)
            call = self._find(piece, place, name, len(pieces))
            call.is_custom = call.is_custom or is_custom
            if piece.extra_content is not None and piece.extra_content.google is not None:
                call.signature = piece.extra_content.google.thought_signature or call.signature
            deltas += self._grow(call, name, arguments, answer_id)
        return deltas

    def take_old(self, piece: FunctionPiece, answer_id: str) -> list[Delta]:
        """A `function_call`."""
        call = self._by_key.setdefault(OLD_CALL, Pending())
        return self._grow(call, piece.name or "", arguments_of(piece), answer_id)

    def _find(self, piece: CallPiece, place: int, name: str, count: int) -> Pending:
        """The call that a piece continues, or a new one.

        Gemini's OpenAI endpoint has sent index 0 for all parallel calls, others no index at all: there another id
        with a name is another call. An id without a name is none: some servers make up an id for each piece.
        """
        call_id = "" if piece.id is None else str(piece.id)
        key = piece.index
        if key is None:
            known = next((number for number, call in self._by_key.items() if call_id and call.id == call_id), None)
            if known is None and not call_id and not name:
                known = place if count > 1 and place in self._by_key else self._key_of_last()
            key = len(self._by_key) if known is None else known
        call = self._by_key.get(key)
        if call is not None and name and call.name and call_id and call.id and call_id != call.id:
            same = next((other for other in self._by_key.values() if other.id == call_id), None)
            if same is None:
                self._by_key[-2 - len(self._by_key)] = call  # its index now belongs to the new one
                call = None
            else:
                call = same
        if call is None:
            call = self._by_key[key] = Pending()
        call.id = call.id or call_id
        self._last = call
        return call

    def _key_of_last(self) -> int | None:
        return next((key for key, call in self._by_key.items() if call is self._last), None)

    def _grow(self, call: Pending, name: str, arguments: str, answer_id: str) -> list[Delta]:
        deltas: list[Delta] = []
        if call.index is None:
            call.name = call.name or name
            if not call.name:
                call.waiting += arguments
                return []
            arguments, call.waiting = call.waiting + arguments, ""
            deltas.append(self._begin(call, answer_id))
        if arguments and call.index is not None:
            deltas.append(CallArguments(call.index, arguments, self._choice))
        return deltas

    def _begin(self, call: Pending, answer_id: str) -> CallBegan:
        call.index = self._count
        self._count += 1
        call_id = call.id or self._made_up(answer_id, call.index)
        while call_id in self._ids:
            call_id = f"{call_id}_{call.index}"
        self._ids.add(call_id)
        signature, origin = unsealed(call.signature, "google")
        return CallBegan(call.index, call_id, call.name, self._choice, call.is_custom, signature, origin)

    def _made_up(self, answer_id: str, index: int) -> str:
        """Ids of one conversation have to differ, so it has the answer's in it."""
        answer = NOT_IN_AN_ID.sub("", answer_id)[-24:]
        choice = f"{self._choice}_" if self._choice else ""
        return f"call_{answer}_{choice}{index}" if answer else f"call_{choice}{index}"


def said_by(piece: CallPiece) -> tuple[str, str, bool]:
    """Name, arguments, and whether the tool takes free text."""
    if piece.custom is not None:
        return piece.custom.name or "", piece.custom.input or "", True
    return (piece.function.name or "", arguments_of(piece.function), False) if piece.function else ("", "", False)


def arguments_of(piece: FunctionPiece) -> str:
    """As text; some servers send the object itself."""
    if isinstance(piece.arguments, dict):
        return msgspec.json.encode(piece.arguments).decode()
    return piece.arguments or ""
