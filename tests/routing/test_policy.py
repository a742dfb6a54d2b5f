"""Routers compile to weights, anchors and masks; nonsense is refused in plain words."""

import re

import numpy as np
import pytest

from core.dimensions import DIMENSIONS, INDEX
from gateway.routing.policy import PRESETS, compile_policy
from gateway.settings.schema import Anchors, Fallback, Limits, RouterSettings, Worth
from tests.routing.market import COLUMN, TARGETS


def allowed_targets(settings: RouterSettings) -> set[str]:
    policy = compile_policy("mine", settings, TARGETS)
    return {target for target, column in COLUMN.items() if policy.allowed[column]}


def weights(settings: RouterSettings, name: str = "mine") -> dict[str, float]:
    vector = compile_policy(name, settings, TARGETS).vector
    return {dimension.name: round(float(vector.weights[row]), 4) for row, dimension in enumerate(DIMENSIONS)}


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_compiles_and_its_weights_sum_to_one(name: str) -> None:
    policy = compile_policy(name, PRESETS[name], TARGETS)
    assert policy.vector.weights.sum() == pytest.approx(1)
    assert policy.allowed.all()
    assert policy.settings.description


def test_weights_are_normalised() -> None:
    assert weights(RouterSettings(weights={"cost": 3, "quality": 1})) == {
        "cost": 0.75, "latency": 0, "quality": 0.25, "availability": 0, "carbon": 0
    }  # fmt: skip


def test_a_preset_lends_what_is_not_stated() -> None:
    mine = RouterSettings(preset="quality", weights={"cost": 0.85}, anchors={"cost": Anchors(0.001, 1.0)})
    found = weights(mine)
    assert found["cost"] == found["quality"]
    assert found["carbon"] == 0


def test_without_weights_and_preset_a_router_weighs_as_auto_does() -> None:
    assert weights(RouterSettings(deny=("tiny/*",))) == weights(PRESETS["auto"])


def test_a_preset_that_is_only_narrowed_keeps_its_weights() -> None:
    assert weights(RouterSettings(deny=("tiny/*",)), name="green") == weights(PRESETS["green"])


def test_weights_without_a_preset_stand_alone() -> None:
    assert weights(RouterSettings(weights={"carbon": 2}))["carbon"] == 1


def test_anchors_replace_those_of_the_table() -> None:
    vector = compile_policy("mine", RouterSettings(anchors={"latency": Anchors(1, 9)}), TARGETS).vector
    assert (vector.good[INDEX["latency"]], vector.bad[INDEX["latency"]]) == (1, 9)
    assert vector.good[INDEX["quality"]] == np.float32(DIMENSIONS[INDEX["quality"]].good)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (RouterSettings(allow=("acme/*",)), {"acme/large@acme", "acme/large@cloud", "acme/small@acme"}),
        (RouterSettings(allow=("@cloud",), deny=("acme/*",)), {"vast/library@cloud", "anon/model@cloud"}),
        (RouterSettings(allow=("acme/large@cloud", "TINY/*")), {"acme/large@cloud", "tiny/leaf@rapid"}),
        (RouterSettings(allow=("acme/*",), deny=("*@cloud",)), {"acme/large@acme", "acme/small@acme"}),
        (
            RouterSettings(limits=Limits(max_input_price_usd=0.5, max_output_price_usd=1.0)),
            {"acme/small@acme", "tiny/leaf@rapid"},
        ),
    ],
)
def test_lists_and_price_ceilings_let_targets_in(settings: RouterSettings, expected: set[str]) -> None:
    assert allowed_targets(settings) == expected


def test_each_target_outside_has_its_reason() -> None:
    settings = RouterSettings(allow=("acme/*", "@cloud"), deny=("acme/small",), limits=Limits(max_input_price_usd=2))
    why = compile_policy("cheap", settings, TARGETS).why_not
    assert why[COLUMN["acme/small@acme"]] == "denied by routers.cheap.deny: acme/small"
    assert why[COLUMN["tiny/leaf@rapid"]] == "not among routers.cheap.allow: acme/*, @cloud"
    assert why[COLUMN["acme/large@acme"]] == (
        "price 5 USD per million input tokens > routers.cheap.limits.max_input_price_usd 2"
    )
    assert why[COLUMN["anon/model@cloud"]] == (
        "no stated input price, and routers.cheap.limits.max_input_price_usd is 2"
    )
    assert COLUMN["vast/library@cloud"] not in why


def test_a_pattern_that_matches_nothing_is_warned_about() -> None:
    policy = compile_policy("mine", RouterSettings(allow=("acme/*",), deny=("amce/*",)), TARGETS)
    assert policy.warnings == ("routers.mine.deny: 'amce/*' matches no live target",)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (RouterSettings(preset="cheep"), "routers.mine.preset is 'cheep'; it is one of auto, fast, economy, quality"),
        (RouterSettings(weights={"price": 1}), "routers.mine.weights.price is no dimension; there are cost, latency"),
        (RouterSettings(weights={"cost": -0.4}), "routers.mine.weights.cost is -0.4; a weight is 0 or more"),
        (RouterSettings(weights={"cost": float("nan")}), "routers.mine.weights.cost is nan"),
        (RouterSettings(weights={"cost": 0}), "routers.mine.weights are all 0; at least one is above 0"),
        (RouterSettings(anchors={"cost": Anchors(1, 0.1)}), "routers.mine.anchors.cost is good 1, bad 0.1; it is 0 <"),
        (RouterSettings(anchors={"quality": Anchors(0.2, 0.9)}), "it is 0 <= bad < good <= 1, in probability"),
        (RouterSettings(anchors={"speed": Anchors(1, 2)}), "routers.mine.anchors.speed is no dimension"),
        (RouterSettings(spread=1.5), "routers.mine.spread is 1.5; it is 0 to 1"),
        (RouterSettings(min_availability=-1), "routers.mine.min_availability is -1; it is 0 to 1"),
        (RouterSettings(limits=Limits(min_quality=90)), "routers.mine.limits.min_quality is 90; it is 0 to 1"),
        (RouterSettings(limits=Limits(max_cost_usd=-1)), "routers.mine.limits.max_cost_usd is -1; it is 0 or more"),
        (RouterSettings(worth=Worth()), "routers.mine.worth has nothing above 0; say what a point of quality is worth"),
        (
            RouterSettings(worth=Worth(quality_point_usd=0.1), weights={"cost": 1}),
            "routers.mine.weights stands beside routers.mine.worth; take one of the two ways to weigh",
        ),
        (RouterSettings(fallback=Fallback(max_attempts=0)), "routers.mine.fallback.max_attempts is 0; it is 1 or more"),
    ],
)
def test_nonsense_is_refused_with_key_value_and_way_out(settings: RouterSettings, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        compile_policy("mine", settings, TARGETS)
