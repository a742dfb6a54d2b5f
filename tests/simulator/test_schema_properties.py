"""A made-up value is one that the schema accepts, for every type that pydantic can describe."""

from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

from annotated_types import Ge, Gt, Len, Lt, MultipleOf
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from gateway.simulator.dice import Dice
from gateway.simulator.schema import Schema, value_for


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Leaf(BaseModel):
    name: Annotated[str, Len(3, 12)]
    colour: Colour | None
    weight: Annotated[float, Gt(0), Lt(2)]


class Tree(BaseModel):
    leaf: Leaf
    branches: list["Tree"]
    parent: "Tree | Leaf | None" = None
    kind: Literal["oak", "elm", 3]


class Event(BaseModel):
    id: UUID
    day: date
    at: datetime
    seats: Annotated[int, Ge(10), Lt(50), MultipleOf(5)]
    tags: Annotated[list[str], Len(2, 4)]
    pair: tuple[int, str]
    prices: dict[str, float]
    where: Leaf | Colour


TYPES: tuple[Any, ...] = (
    Leaf,
    Tree,
    Event,
    list[Event],
    int,
    bool,
    Colour,
    dict[str, int],
    list[list[Leaf]],
    Annotated[int, Lt(-5)],
)


@given(st.integers(0, 2**32), st.sampled_from(range(len(TYPES))))
@settings(max_examples=300)
def test_the_schema_accepts_what_was_made_for_it(seed: int, chosen: int) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(TYPES[chosen])
    schema: Schema = adapter.json_schema()
    adapter.validate_python(value_for(schema, Dice(b"%d" % seed)), strict=False)


@given(st.recursive(
    st.sampled_from([{}, {"type": "string"}, {"type": ["null", "integer"]}, {"enum": []}, {"$ref": "#/nowhere"}]),
    lambda inner: st.one_of(
        st.builds(lambda one: {"type": "array", "items": one}, inner),
        st.builds(lambda one, two: {"anyOf": [one, two]}, inner, inner),
        st.builds(lambda one, two: {"allOf": [one, two]}, inner, inner),
        st.builds(lambda one: {"type": "object", "properties": {"a": one, "b": True}, "required": ["a", "c"]}, inner),
    ),
    max_leaves=8,
), st.integers(0, 2**32))  # fmt: skip
@settings(max_examples=200)
def test_no_schema_however_odd_makes_it_fail(schema: Schema, seed: int) -> None:
    assert value_for(schema, Dice(b"%d" % seed)) == value_for(schema, Dice(b"%d" % seed))
