"""Items of `input` to turns: what an assistant said and did in a row is one turn, and so are results in a row."""

from collections.abc import Sequence

from msgspec import Raw

from gateway.dialects.findings import missing
from gateway.dialects.responses.names import DIALECT
from gateway.dialects.responses.namespaces import flat_name
from gateway.dialects.responses.read_content import read_content, read_result
from gateway.dialects.responses.reading import STRING, Unsaid, decoded, is_absent, is_string, not_one_of
from gateway.dialects.responses.schema import (
    CALL_ITEM,
    KIND,
    MESSAGE_ITEM,
    REASONING_ITEM,
    RESULT_ITEM,
    Caller,
    CallItem,
    ReasoningItem,
)
from gateway.dialects.responses.thoughts import read_call_seal, read_seal
from gateway.wire.conversation import Opaque, Part, Role, Text, Thought, ToolCall, ToolResult, Turn

ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system", "developer": "developer"}
MESSAGE_MEMBERS = frozenset(("type", "role", "content", "id", "status"))
CALL_MEMBERS = frozenset(
    ("type", "id", "status", "call_id", "name", "namespace", "arguments", "input", "caller", "created_by")
)
RESULT_MEMBERS = CALL_MEMBERS | {"output"}
# Items of other types that an assistant did not make.
OF_THE_CALLER = (
    "item_reference",
    "mcp_approval_response",
    "additional_tools",
    "compaction_trigger",
    "configuration_update",
)
BETWEEN_PARTS = "\n\n"  # paragraphs of a summary


class ItemsReader:
    """Takes items in order."""

    def __init__(self, unsaid: Unsaid) -> None:
        self._unsaid = unsaid
        self._turns: list[tuple[Role, list[Part]]] = []
        self._call_seal = ("", "")  # for the next call

    def take(self, items: Sequence[Raw], at: str) -> tuple[Turn, ...]:
        """All of `input`."""
        for number, raw in enumerate(items):
            self._read(raw, f"{at}[{number}]")
        return tuple(Turn(role, tuple(parts)) for role, parts in self._turns)

    def _read(self, raw: Raw, at: str) -> None:
        kind = decoded(KIND, raw, at)
        if kind.type == "message" or (kind.type is None and kind.role is not None):
            self._message(raw, at)
        elif kind.type in ("function_call", "custom_tool_call"):
            self._add("assistant", [self._call(raw, at, kind.type == "custom_tool_call")])
        elif kind.type in ("function_call_output", "custom_tool_call_output"):
            self._add("tool", [self._result(raw, at, kind.type == "custom_tool_call_output")])
        elif kind.type == "reasoning":
            self._reasoning(decoded(REASONING_ITEM, raw, at))
        else:
            what = kind.type or "item_reference"  # the one type that may go without its name, beside messages
            is_callers = what in OF_THE_CALLER or what.endswith("_output")
            self._add("user" if is_callers else "assistant", [Opaque(DIALECT, raw, what)])

    def _add(self, role: Role, parts: list[Part]) -> None:
        """Users and developers speak in turns of their own, everybody else goes on."""
        if role in ("assistant", "tool") and self._turns and self._turns[-1][0] == role:
            self._turns[-1][1].extend(parts)
        else:
            self._turns.append((role, parts))

    def _message(self, raw: Raw, at: str) -> None:
        message = decoded(MESSAGE_ITEM, raw, at)
        role = ROLES.get(message.role)
        if role is None:
            raise not_one_of(f"{at}.role", message.role, tuple(ROLES))
        self._unsaid.note(raw, MESSAGE_MEMBERS, at)
        self._add(role, read_content(message.content, f"{at}.content"))

    def _reasoning(self, item: ReasoningItem) -> None:
        """A thought, or the seal of a call that had to travel as one."""
        seal = read_call_seal(item.encrypted_content or "")
        if seal[0]:
            self._call_seal = seal
        else:
            self._add("assistant", [thought_of(item)])

    def _call(self, raw: Raw, at: str, is_custom: bool) -> ToolCall:
        call = decoded(CALL_ITEM, raw, at)
        before = len(self._unsaid.losses)
        self._note(raw, CALL_MEMBERS, call.caller, at)
        if is_custom and call.input is None:
            raise missing(f"{at}.input")
        (signature, origin), self._call_seal = self._call_seal, ("", "")
        return ToolCall(
            call.call_id,
            flat_name(call.namespace or "", call.name),
            (call.input or "") if is_custom else arguments_of(call, at),
            is_custom,
            signature,
            origin,
            raw=raw if len(self._unsaid.losses) > before else None,
        )

    def _result(self, raw: Raw, at: str, is_custom: bool) -> ToolResult:
        result = decoded(RESULT_ITEM, raw, at)
        before = len(self._unsaid.losses)
        self._note(raw, RESULT_MEMBERS, result.caller, at)
        parts = read_result(result.output, f"{at}.output", self._unsaid)
        return ToolResult(
            result.call_id,
            parts,
            flat_name(result.namespace or "", result.name) if result.name else "",
            is_custom=is_custom,
            raw=raw if len(self._unsaid.losses) > before else None,
        )

    def _note(self, raw: Raw, known: frozenset[str], caller: Caller | None, at: str) -> None:
        """What only this format says of a call or its result: who called, when it was not the model itself."""
        if caller is not None and caller.type != "direct":
            self._unsaid.add(f"{at}.caller")
        self._unsaid.note(raw, known, at)


def arguments_of(call: CallItem, at: str) -> str:
    """JSON text, whether it came as a string or as itself."""
    if is_absent(call.arguments):
        return "{}"
    if is_string(call.arguments):
        return decoded(STRING, call.arguments, f"{at}.arguments") or "{}"
    return bytes(call.arguments).decode()


def thought_of(item: ReasoningItem) -> Thought:
    """A summary stands for the thought where there is one: it is what the caller was shown."""
    signature, hidden, origin = read_seal(item.encrypted_content) if item.encrypted_content else ("", "", "")
    text = BETWEEN_PARTS.join(part.text for part in item.summary or item.content or ())
    return Thought(text, signature, hidden, origin, (item.id or "") if hidden or signature else "")


def turns_of_string(text: str) -> tuple[Turn, ...]:
    """`input` as a string is what the user says."""
    return (Turn("user", (Text(text),) if text else ()),)
