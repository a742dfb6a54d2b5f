"""What others have measured of our targets of late. It stands in for the catalog's prior, never for our own figures."""

import numpy as np
from msgspec import Struct

from core.matrix import LiveFigures

LASTS_SECONDS = 1_800.0  # the feeds speak of the last half hour; what was heard before that counts no more
KEPT_SECONDS = 10.0  # for which the arrays are used again


class Heard(Struct, frozen=True, array_like=True, gc=False):
    """Of one target; None: nobody says."""

    first_token_seconds: float | None = None
    seconds_per_output_token: float | None = None
    availability: float | None = None  # 0-1


class Hearsay:
    """What was heard of the targets of one snapshot, by column. `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._heard: dict[int, tuple[Heard, float]] = {}  # with when
        self._over: LiveFigures | None = None
        self._over_until = 0.0

    def heard(self, column: int, what: Heard, now: float) -> None:
        """The latest word counts."""
        self._heard[column] = (what, now)
        self._over = None

    def of(self, column: int, now: float) -> Heard | None:
        """What counts still of a target."""
        found = self._heard.get(column)
        return found[0] if found is not None and now - found[1] < LASTS_SECONDS else None

    def over(self, prior: LiveFigures, now: float) -> LiveFigures:
        """The prior, with what was heard in its place. Always of the same `prior`."""
        if not self._heard:
            return prior
        if self._over is None or now >= self._over_until:
            self._over = self._laid_over(prior, now)
            self._over_until = now + KEPT_SECONDS
        return self._over

    def _laid_over(self, prior: LiveFigures, now: float) -> LiveFigures:
        self._heard = {column: one for column, one in self._heard.items() if now - one[1] < LASTS_SECONDS}
        arrays = {name: getattr(prior, name).copy() for name in Heard.__struct_fields__}
        for column, (what, _) in self._heard.items():
            for name, array in arrays.items():
                figure = getattr(what, name)
                if figure is not None:
                    array[column] = np.float32(figure)
        for array in arrays.values():
            array.flags.writeable = False
        return prior._replace(**arrays)

    def adopt(self, column: int, old: "Hearsay", before: int) -> None:
        """Take over what was heard of the same target, `before` in an earlier snapshot."""
        if before in old._heard:
            self._heard[column] = old._heard[before]
