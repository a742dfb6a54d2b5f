"""Faults that show over many requests, F80-F84. Chance is seeded; load is what the provider has now."""

from gateway.simulator.faults.status import BY_STATUS, said, server_error
from gateway.simulator.scene import Scene, good
from gateway.simulator.steps import Steps, Wait


def by_chance(scene: Scene) -> Steps:
    """A share `pr` of requests fails with status `v`."""
    return _refused(scene) if scene.around.chance < scene.number("pr") else good(scene)


def first_calls(scene: Scene) -> Steps:
    """The first `k` calls of each key fail with status `v`."""
    return _refused(scene) if scene.around.calls_of_key <= scene.count("k") else good(scene)


def over_capacity(scene: Scene) -> Steps:
    """Status `v` while more than `c` requests are open at this provider."""
    return _refused(scene) if scene.around.active > scene.count("c") else good(scene)


def slower_under_load(scene: Scene) -> Steps:
    """`gap` longer for every `c` open requests."""
    yield Wait(scene.seconds("gap") * scene.around.active / max(1, scene.count("c")))
    yield from good(scene)


def long_tail(scene: Scene) -> Steps:
    """A share `pr` of requests takes `delay` more before its headers."""
    if scene.around.chance < scene.number("pr"):
        yield Wait(scene.seconds("delay"))
    yield from good(scene)


def _refused(scene: Scene) -> Steps:
    return said(BY_STATUS.get(scene.count("v"), server_error))(scene)
