"""What another gateway has to know so that the same matrix can be pointed at it."""

import json
from collections.abc import Sequence

from loadtest.chaos.cells import Cell, Places, seats

OWN_PORT = 9300  # of the simulated providers, so that a configuration can name it; the next four are taken too


def description(cells: Sequence[Cell], port: int, full: bool) -> str:
    """JSON: each model that will be asked for, and its candidates in the order in which they are to be tried.

    Every candidate is an OpenAI-compatible server that takes any key.
    """
    places = Places(*(f"127.0.0.1:{port + place}" for place in range(5)))
    told = {
        cell.model: [{"base_url": seat.base_url, "model": seat.upstream_name} for seat in seats(cell, places, full)]
        for cell in cells
    }
    return json.dumps(told, indent=1) + "\n"
