"""A value that a JSON schema accepts, by throws of the dice: arguments of tool calls and structured answers.

Covers what tools and structured outputs are made of: types, enum, const, properties, items, bounds, formats, anyOf,
oneOf, allOf, $ref. Not covered: `pattern`, `not`, `if`; such a string or object may break its schema.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import ceil, floor, inf

from gateway.simulator.dice import Dice
from gateway.simulator.prose import ADJECTIVES, NOUNS

DEEPEST = 6  # levels after which optional properties are left out and lists are as short as allowed

Json = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
Schema = Mapping[str, object] | bool

NO_SCHEMA: Mapping[str, object] = {}
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
FORMATS: dict[str, Callable[[Dice], str]] = {
    "date-time": lambda dice: _moment(dice).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "date": lambda dice: _moment(dice).strftime("%Y-%m-%d"),
    "time": lambda dice: _moment(dice).strftime("%H:%M:%SZ"),
    "duration": lambda dice: f"PT{1 + dice.below(90)}M",
    "email": lambda dice: f"{dice.pick(NOUNS[:20])}{dice.below(100)}@example.com",
    "uri": lambda dice: f"https://example.com/{dice.pick(NOUNS[:20])}",
    "hostname": lambda dice: f"{dice.pick(NOUNS[:20])}.example.com",
    "ipv4": lambda dice: f"192.0.2.{1 + dice.below(254)}",
    "ipv6": lambda dice: f"2001:db8::{1 + dice.below(9999)}",
    "uuid": lambda dice: f"{dice.below(1 << 30):08x}-0000-4000-8000-{dice.below(1 << 30):012x}",
}


def value_for(schema: Schema, dice: Dice) -> Json:
    """One value that `schema` accepts."""
    return _Maker(schema, dice).make(schema, 0)


class _Maker:
    """Holds the root, where `$ref` points into."""

    def __init__(self, root: Schema, dice: Dice) -> None:
        self.root = root
        self.dice = dice

    def make(self, schema: object, depth: int) -> Json:
        if not isinstance(schema, Mapping):
            return self.dice.pick(NOUNS)
        schema = self._resolved(schema)
        if "const" in schema:
            return _json(schema["const"])
        if _list(schema.get("enum")):
            return _json(self.dice.pick(_list(schema["enum"])))
        for choice in ("anyOf", "oneOf"):
            if _list(schema.get(choice)):
                return self._one_of(schema, choice, depth)
        return self._of_type(self._type(schema), schema, depth)

    def _resolved(self, schema: Mapping[str, object]) -> Mapping[str, object]:
        """`schema` with its `$ref` followed and its `allOf` folded in."""
        seen = 0
        while "$ref" in schema and seen < DEEPEST * 4:
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**self._pointed(str(schema["$ref"])), **rest}
            seen += 1
        if "allOf" not in schema:
            return schema
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        for part in _list(schema["allOf"]):
            if isinstance(part, Mapping):
                _fold(merged, self._resolved(part))
        return merged

    def _pointed(self, pointer: str) -> Mapping[str, object]:
        node: object = self.root
        for key in pointer.removeprefix("#").split("/")[1:]:
            node = node.get(key.replace("~1", "/").replace("~0", "~"), {}) if isinstance(node, Mapping) else {}
        return node if isinstance(node, Mapping) else {}

    def _one_of(self, schema: Mapping[str, object], choice: str, depth: int) -> Json:
        branches = [branch for branch in _list(schema[choice]) if isinstance(branch, Mapping)]
        if depth >= DEEPEST:  # the plainest branch, or a tree that refers to itself would never end
            branches = [branch for branch in branches if self._is_plain(branch)] or branches
        rest = {key: value for key, value in schema.items() if key != choice}
        return self.make({**rest, **self._resolved(self.dice.pick(branches or [NO_SCHEMA]))}, depth)

    def _is_plain(self, schema: Mapping[str, object]) -> bool:
        return self._type(self._resolved(schema)) not in ("object", "array")

    def _type(self, schema: Mapping[str, object]) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):
            named = [str(item) for item in kind if item != "null"]
            return self.dice.pick(named) if named else "null"
        if isinstance(kind, str):
            return kind
        if "properties" in schema:
            return "object"
        return "array" if "items" in schema else "string"

    def _of_type(self, kind: str, schema: Mapping[str, object], depth: int) -> Json:
        match kind:
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "integer" | "number":
                return self._number(schema, whole=kind == "integer")
            case "boolean":
                return self.dice.below(2) == 1
            case "null":
                return None
            case _:
                return self._string(schema)

    def _object(self, schema: Mapping[str, object], depth: int) -> dict[str, Json]:
        properties = schema.get("properties")
        required = {str(name) for name in _list(schema.get("required"))}
        made: dict[str, Json] = {}
        for name, part in properties.items() if isinstance(properties, Mapping) else ():
            if name in required or (depth < DEEPEST and self.dice.below(2)):
                made[name] = self.make(part, depth + 1)
        for name in sorted(required - made.keys()):
            made[name] = self.make(schema.get("additionalProperties"), depth + 1)
        while len(made) < _int(schema.get("minProperties"), 0):
            made[f"{self.dice.pick(NOUNS)}_{len(made)}"] = self.make(schema.get("additionalProperties"), depth + 1)
        return made

    def _array(self, schema: Mapping[str, object], depth: int) -> list[Json]:
        least = _int(schema.get("minItems"), 0)
        most = _int(schema.get("maxItems"), max(least, 3))
        first = _list(schema.get("prefixItems"))
        length = least if depth >= DEEPEST else max(least, len(first), min(most, 1 + self.dice.below(3)))
        made: list[Json] = []
        for _ in range(min(most, length) * 8):  # throws beyond the length are for items that must differ
            if len(made) >= min(most, length):
                break
            item = self.make(first[len(made)] if len(made) < len(first) else schema.get("items"), depth + 1)
            if not schema.get("uniqueItems") or item not in made:
                made.append(item)
        return made

    def _number(self, schema: Mapping[str, object], *, whole: bool) -> int | float:
        low, high = _bounds(schema, step=1 if whole else 0.5)
        unit = schema.get("multipleOf")
        step = float(unit) if isinstance(unit, int | float) and unit > 0 else (1 if whole else 0.5)
        first, last = ceil(low / step), floor(high / step)
        if last < first:
            return low if not whole else ceil(low)
        number = (first + self.dice.below(min(last - first + 1, 1 << 30))) * step
        return round(number) if whole else number

    def _string(self, schema: Mapping[str, object]) -> str:
        made = FORMATS.get(str(schema.get("format")), self._words)(self.dice)
        least, most = _int(schema.get("minLength"), 0), _int(schema.get("maxLength"), len(made))
        while len(made) < least:
            made += "-" + self.dice.pick(NOUNS)
        return made[: max(least, most)]

    @staticmethod
    def _words(dice: Dice) -> str:
        return f"{dice.pick(ADJECTIVES)} {dice.pick(NOUNS)}"


def _bounds(schema: Mapping[str, object], *, step: float) -> tuple[float, float]:
    """Smallest and largest number allowed; about a hundred apart where the schema leaves a side open."""
    low, high = _number_at(schema, "minimum", -inf), _number_at(schema, "maximum", inf)
    low = max(low, _number_at(schema, "exclusiveMinimum", -inf) + step)
    high = min(high, _number_at(schema, "exclusiveMaximum", inf) - step)
    if low == -inf:
        low = min(0.0, high - 100) if high < inf else 0.0
    return low, high if high < inf else low + 100


def _number_at(schema: Mapping[str, object], key: str, default: float) -> float:
    found = schema.get(key)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else default


def _fold(into: dict[str, object], part: Mapping[str, object]) -> None:
    for key, value in part.items():
        known = into.get(key)
        if key == "properties" and isinstance(known, Mapping) and isinstance(value, Mapping):
            into[key] = {**known, **value}
        elif key == "required":
            into[key] = [*_list(known), *_list(value)]
        else:
            into[key] = value


def _json(value: object) -> Json:
    """`value` came out of a JSON document, so it is one."""
    return value  # type: ignore[return-value]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _int(value: object, default: int) -> int:
    return value if isinstance(value, int) else default


def _moment(dice: Dice) -> datetime:
    return EPOCH + timedelta(seconds=dice.below(300 * 86400))
