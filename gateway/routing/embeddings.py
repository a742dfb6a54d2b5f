"""Which model makes a caller's embeddings: always the one that he names, or that his router stands for.

Vectors of different models cannot be compared, so a request never moves to another model, only to another host of it.
"""

import difflib
from collections.abc import Sequence

from msgspec.structs import replace

from gateway.catalog.card import Catalog
from gateway.errors import InvalidRequest, NothingEligible
from gateway.routing.selection import Leg, Selection, Selector
from gateway.settings.schema import Anchors, RouterSettings

MOST_NAMED = 8  # models named in an error
# Requests cost from some nano-dollars (a sentence) to some cents, and take from some hundredths of a second to some
# seconds; by the anchors of conversations all of that would be as good as nothing.
ANCHORS = {"cost": Anchors(good=1e-9, bad=0.1), "latency": Anchors(good=0.02, bad=20.0)}


class EmbeddingSelector(Selector):
    """Resolves names among the models that make embeddings."""

    embeds = True

    def _resolve(self, model: str, chain: tuple[str, ...], router: str) -> Selection:
        if not self._targets.ids:
            raise NothingEligible(
                "None of the live providers makes embeddings; set the key of one that does, for instance "
                "OPENAI_API_KEY, or name a server of yours in the settings.",
                param="model",
            )
        selection = super()._resolve(model, chain, router)
        legs = tuple(self._of_one_model(leg) for leg in selection.legs)
        models = self._models(legs)
        if len(models) > 1:
            raise InvalidRequest(
                f"'models' names {listed(models)}, but vectors of different models cannot be compared; name one "
                "model, whose hosts stand in for each other.",
                param="models",
            )
        return replace(selection, legs=legs)

    def _of_one_model(self, leg: Leg) -> Leg:
        """A router's leg, narrowed to the model that its name stands for. Raises InvalidRequest without one."""
        stated = leg.policy.settings.embeddings
        if leg.columns is not None:
            return leg
        if stated:
            return self._leg(stated, leg.policy)
        models = self._models([leg])
        if len(models) > 1:
            raise InvalidRequest(
                f"The router {leg.policy.name!r} may use {len(models)} embedding models, and their vectors cannot be "
                f"compared; name one of them as the model: {listed(models)}. Or let the settings say which one the "
                f"router means: routers.{leg.policy.name}.embeddings.",
                param="model",
            )
        return leg

    def _models(self, legs: Sequence[Leg]) -> list[str]:
        """Of the columns that are asked for, or else allowed."""
        columns = [
            column
            for leg in legs
            for column in (leg.columns if leg.columns is not None else leg.allowed.nonzero()[0].tolist())
        ]
        return list(dict.fromkeys(self._targets.offers[column].model for column in columns))


def for_embeddings(name: str, settings: RouterSettings, catalog: Catalog) -> RouterSettings:
    """What a router's settings say of embedding models: nobody has measured their quality, and they write nothing.

    Its own anchors are those of conversations, and do not count here.

    name: the router's. catalog: of embedding models. Raises ValueError when it names one that is none.
    """
    limits = replace(settings.limits, min_quality=None, max_output_price_usd=None)
    stated = settings.embeddings
    model = stated.partition("@")[0]
    known = {spelling: card.id for card in catalog.models.values() for spelling in (card.id, *card.aliases)}
    if stated and model not in known:
        near = difflib.get_close_matches(model, known, n=1)
        hint = f"did you mean {known[near[0]]!r}? " if near else ""
        raise ValueError(
            f"routers.{name}.embeddings is {stated!r}, which is no embedding model; {hint}"
            "steelyard catalog list embed names those of the catalog"
        )
    allow = (*settings.allow, known[model]) if stated and settings.allow else settings.allow
    return replace(settings, limits=limits, allow=allow, anchors=ANCHORS if settings.worth is None else {})


def listed(models: Sequence[str]) -> str:
    more = len(models) - MOST_NAMED
    return ", ".join(models[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
