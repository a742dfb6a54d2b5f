"""What a model's name says about its manners. Google's API refuses what an older or newer series does not know."""

import re

from msgspec import Struct

SERIES = re.compile(r"gemini-(\d+(?:\.\d+)?)")
NEWEST = 99.0  # a name without a number, such as gemini-flash-latest, is an alias of the newest
NOT_GEMINI = ("gemma", "learnlm")


class Model(Struct, frozen=True):
    """A model by its series: 2.5, 3.1, …; 0 when it is no Gemini."""

    name: str
    series: float

    @property
    def wants_signatures(self) -> bool:
        """Refuses a call of its own turn that carries no thought signature: Gemini 3 and later."""
        return self.series >= 3

    @property
    def thinks_in_levels(self) -> bool:
        """Takes thinkingLevel; before Gemini 3 it is thinkingBudget."""
        return self.series >= 3

    @property
    def shows_media_to_calls(self) -> bool:
        """Takes pictures inside a functionResponse; before Gemini 3 they stand beside it."""
        return self.series >= 3

    @property
    def has_json_beside_tools(self) -> bool:
        """Takes responseMimeType together with functions; before Gemini 3 it refuses the pair."""
        return self.series >= 3

    @property
    def has_minimal_thinking(self) -> bool:
        """Takes thinkingLevel MINIMAL: Flash-Lite and the first Flash do, Pro and Flash 3.7 and 3.8 refuse it."""
        return "flash-lite" in self.name or "gemini-3-flash" in self.name

    @property
    def is_pro(self) -> bool:
        return "-pro" in self.name

    @property
    def is_lite(self) -> bool:
        return "-lite" in self.name


def model_of(name: str) -> Model:
    """By the provider's name: `gemini-2.5-pro`, `publishers/google/models/gemini-3-flash`, …"""
    name = name.rpartition("/")[2].lower()
    if name.startswith(NOT_GEMINI):
        return Model(name, 0)
    found = SERIES.search(name)
    return Model(name, float(found[1]) if found else NEWEST)
