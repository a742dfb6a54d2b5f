"""The cells of the matrix: fault, format, way, candidates; and where each candidate is."""

import enum
from collections.abc import Collection, Iterator

from msgspec import Struct

from gateway.simulator.embedders import EMBEDDER_OFFERS, AnyOffer
from gateway.simulator.faults.table import NOWHERE
from gateway.simulator.models import OFFERS
from loadtest.chaos.faults import TABLE, TOKENS, Place, Row, Timer
from loadtest.chaos.formats import FORMATS, Format

OFFER: dict[str, AnyOffer] = {
    **{offer.id: offer for offer in OFFERS},
    **{offer.id: offer for offer in EMBEDDER_OFFERS},
}


class Arrangement(enum.Enum):
    """Who of a request's candidates has the fault."""

    FIRST = "first"  # the first; the second is well
    ALL = "all"  # both
    SINGLE = "single"  # the only one


class Cell(Struct, frozen=True):
    """One request of the matrix. Its candidates are nobody else's, so no cell finds what another has left behind."""

    number: int  # in the whole matrix, so that it is the same in every selection
    row: Row
    format: Format
    stream: bool
    arrangement: Arrangement

    @property
    def model(self) -> str:
        """What the caller asks for; only this cell's candidates sell it."""
        return f"chaos/cell-{self.number}"

    @property
    def is_slow(self) -> bool:
        """Whether it waits, so that it goes beside others."""
        timer = self.row.timer(self.stream)
        return timer is not Timer.HEAVY and (timer is not Timer.NONE or self.is_paced)

    @property
    def is_paced(self) -> bool:
        """Whether its tokens must come one by one: a stream that breaks before any was sent on is not seen to break."""
        return self.stream and self.row.is_cut

    def __str__(self) -> str:
        way = "stream" if self.stream else "whole"
        return f"{self.row.spec} {self.format.name} {way} {self.arrangement.value}"


class Places(Struct, frozen=True):
    """Addresses of the simulated world, without a path."""

    simulator: str  # host:port
    paced: str  # the same providers, who take their time for each token
    choked: str
    resetting: str
    closed: str


class Seat(Struct, frozen=True):
    """One candidate of a cell."""

    name: str  # of the provider in the settings
    mark: str  # a header that only this candidate is sent, by which the simulator's log tells it from others
    is_bad: bool
    base_url: str
    upstream_name: str
    offer: AnyOffer
    context_window: int


def cells() -> Iterator[Cell]:
    """The whole matrix, in the table's order."""
    number = 0
    for row in TABLE:
        for form in FORMATS:
            for stream in (False, True) if form.streams else (False,):
                for arrangement in Arrangement:
                    number += 1
                    if form.writes or not row.writes:
                        yield Cell(number, row, form, stream, arrangement)


def selected(ids: Collection[str], formats: Collection[str]) -> list[Cell]:
    """Those of these faults (F29, or F18;v=neg) and formats; empty: all."""
    return [
        cell
        for cell in cells()
        if (not ids or cell.row.id in ids or cell.row.spec in ids) and (not formats or cell.format.name in formats)
    ]


def shortened(chosen: list[Cell], seed: int) -> list[Cell]:
    """Every fault in every way, each in one format of the chosen ones; the seed says which."""
    names = sorted({cell.format.name for cell in chosen if cell.format.streams})
    turn = {row.spec: names[(seed + number) % len(names)] for number, row in enumerate(TABLE)} if names else {}
    return [cell for cell in chosen if cell.format.name == turn.get(cell.row.spec, cell.format.name)]


def seats(cell: Cell, places: Places, full: bool) -> list[Seat]:
    """Its candidates, first choice first. Whoever is well is dearer, slower and less good, and takes longer prompts."""
    bad, well = ("sim-delta", "sim-alpha") if cell.format.writes else ("sim-alpha", "sim-bravo")
    spec = cell.row.full if full and cell.row.full else cell.row.spec
    has_fault = {Arrangement.FIRST: (True, False), Arrangement.ALL: (True, True), Arrangement.SINGLE: (True,)}
    return [
        seat(cell, position, is_bad, spec if is_bad else "OK", bad if is_bad else well, places)
        for position, is_bad in enumerate(has_fault[cell.arrangement])
    ]


def seat(cell: Cell, position: int, is_bad: bool, spec: str, seller: str, places: Places) -> Seat:
    offer = OFFER[f"sim/{'coder-pro' if cell.format.writes else 'embed-small'}@{seller}"]
    place = cell.row.place if is_bad else Place.MODEL
    host = places.paced if is_bad and cell.is_paced else places.simulator
    asked = spec if place is Place.MODEL else "OK"
    return Seat(
        name=f"seat-{cell.number}-{position}",
        mark=f"x-seat-{cell.number}-{position}",
        is_bad=is_bad,
        base_url=address(place, host, seller, places),
        upstream_name=f"{offer.upstream_name}:{asked};tokens={TOKENS}",
        offer=offer,
        context_window=100_000 if is_bad else 200_000,
    )


def address(place: Place, host: str, seller: str, places: Places) -> str:
    """The base URL of a provider there."""
    return {
        Place.MODEL: f"http://{host}/{seller}/v1",
        Place.CLOSED: f"http://{places.closed}/v1",
        Place.NOWHERE: NOWHERE,
        Place.PLAIN: f"https://{host}/{seller}/v1",
        Place.CHOKED: f"http://{places.choked}/v1",
        Place.RESETTING: f"http://{places.resetting}/v1",
    }[place]
