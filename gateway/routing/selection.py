"""What the caller's `model` means: a router, a model, a target, or an explicit chain of them."""

import difflib
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from msgspec import Struct

from core.matrix import U8
from gateway.catalog.card import Catalog
from gateway.catalog.columns import Targets
from gateway.errors import InvalidRequest, UnknownModel
from gateway.routing.policy import Policy

REMEMBERED = 512  # selections kept per snapshot; callers ask for the same few
LONGEST_CHAIN = 16
ROUTER_PREFIXES = ("steelyard/", "router/")
ANYTHING_ELSE = "*"  # the alias of every name that nobody can serve
AUTO = "auto"  # below a router's base URL this means that router
LONGEST_NAME = 200  # characters of a name that we look for and repeat
SUGGESTIONS = 3
OF_OTHER_KIND = {  # by the kind that is looked for, embeddings or not
    False: "{} makes embeddings and answers no conversation; ask it by POST /v1/embeddings.",
    True: "{} writes, and makes no embeddings; those that do have 'embeddings' as their output in GET /v1/models.",
}


class Leg(Struct, frozen=True):
    """One element of a selection: some columns, weighed by one policy."""

    wanted: str  # as the caller wrote it
    policy: Policy
    columns: tuple[int, ...] | None  # None: all; else the hosts of the model asked for
    allowed: U8  # [n] 1: among the columns, and let in by the policy


class Selection(Struct, frozen=True, dict=True):
    """The legs, tried in order, and what of the chain could not be used."""

    wanted: str  # model or chain, as the caller wrote it
    legs: tuple[Leg, ...]
    skipped: tuple[str, ...] = ()  # one sentence per element of the chain that cannot be asked

    @property
    def policy(self) -> Policy:
        """That of the first leg; its router gives the decision its name."""
        return self.legs[0].policy

    @cached_property
    def routers(self) -> tuple[str, ...]:
        """Every router that takes part; the caller's key must be good for all of them."""
        return tuple(dict.fromkeys(leg.policy.name for leg in self.legs))


class Selector:
    """Resolves names against one snapshot. `absent`: provider -> why it is not live, "set GROQ_API_KEY"."""

    embeds = False  # the kind of models among which it looks

    def __init__(
        self,
        policies: Mapping[str, Policy],
        targets: Targets,
        catalog: Catalog,
        absent: Mapping[str, str],
        aliases: Mapping[str, str],
        default_router: str,
    ) -> None:
        self._policies = policies
        self._targets = targets
        self._catalog = catalog
        self._absent = absent
        self._aliases = aliases
        self._default_router = default_router
        # A cache around a method of ours would be a cycle, which kept a replaced catalog in memory for many minutes.
        self._resolved: dict[tuple[str, tuple[str, ...], str], Selection] = {}

    def select(self, model: str, chain: tuple[str, ...] = (), router: str = "") -> Selection:
        """What to weigh, in which order. Raises UnknownModel.

        router: that of the base URL /routers/<router>/v1, "" without one. It weighs pinned models, and "auto" means it.
        A router named by `model` weighs the models of the chain; a model named by `model` goes before the chain.
        """
        asked = (model, chain, router)
        selection = self._resolved.get(asked)
        if selection is None:
            if len(self._resolved) >= REMEMBERED:
                self._resolved.clear()
            selection = self._resolved[asked] = self._resolve(model, chain, router)
        return selection

    def _resolve(self, model: str, chain: tuple[str, ...], router: str) -> Selection:
        base = self.router(router)
        if len(chain) > LONGEST_CHAIN:
            raise InvalidRequest(
                f"'models' has {len(chain)} entries; at most {LONGEST_CHAIN} are possible.", param="models"
            )
        elements = chain or (model or base.name,)
        if chain and model:
            named = self._router_named(model, router)
            if named is None:
                elements = (model, *(element for element in chain if element != model))
            base = named or base
        legs, skipped = self._legs(elements, base, router)
        if not legs and ANYTHING_ELSE in self._aliases:
            legs, also = self._legs((self._aliases[ANYTHING_ELSE],), base, router)
            skipped += also
        if not legs:
            raise UnknownModel(" ".join((*skipped, self._way_out)), param="models" if chain else "model")
        return Selection(", ".join(elements), legs, skipped)

    def router(self, router: str) -> Policy:
        """The router of a base URL, the default one for "". Raises UnknownModel."""
        if not router:
            return self._policies[self._default_router]
        policy = self._policies.get(router)
        if policy is None:
            raise UnknownModel(
                f"There is no router {router[:LONGEST_NAME]!r}; there are {', '.join(self._policies)}", param="model"
            )
        return policy

    def _router_named(self, name: str, below: str) -> Policy | None:
        """The router that a name means. below: that of the base URL, which is the one that "auto" means there."""
        name = self._aliases.get(name, name)
        for prefix in ROUTER_PREFIXES:
            name = name.removeprefix(prefix)
        return self._policies.get(below if below and name == AUTO else name)

    def _legs(self, elements: Sequence[str], base: Policy, router: str) -> tuple[tuple[Leg, ...], tuple[str, ...]]:
        """A leg for each element that can be asked, and a sentence for each of the others."""
        legs: list[Leg] = []
        skipped: list[str] = []
        for element in elements:
            named = self._router_named(element, router)
            try:
                legs.append(self._leg(element, base) if named is None else router_leg(element, named))
            except UnknownModel as error:
                skipped.append(error.message)
        return tuple(legs), tuple(skipped)

    def _leg(self, wanted: str, policy: Policy) -> Leg:
        """The hosts of a model. Raises UnknownModel."""
        columns = self._columns(wanted)
        allowed = np.zeros_like(policy.allowed)
        allowed[list(columns)] = policy.allowed[list(columns)]
        allowed.flags.writeable = False
        return Leg(wanted, policy, columns, allowed)

    def _columns(self, wanted: str) -> tuple[int, ...]:
        """Columns of a model or target. Raises UnknownModel, whose message is one sentence about this name."""
        name = self._aliases.get(wanted, wanted)
        model, at, provider = name.partition("@")
        ids = self._ids_of(model)
        if len(ids) > 1:
            raise UnknownModel(f"{wanted!r} could be any of {', '.join(ids)}; say which.")
        columns = self._targets.by_model.get(ids[0], ()) if ids else ()
        if at:
            hosts = self._targets.by_provider.get(provider, ())
            columns = tuple(column for column in columns if column in hosts)
        if columns:
            return columns
        if at and not provider and ids:
            targets = [self._targets.ids[column] for column in self._targets.by_model[ids[0]]]
            raise UnknownModel(f"{wanted!r} names no provider behind the @; there are {_listed(targets)}.")
        raise self._unknown(wanted, model, provider)

    def _ids_of(self, name: str) -> tuple[str, ...]:
        """Live models that go by this name: by id or alias as written, else by short name, whatever the case."""
        if name in self._targets.by_model:
            return (name,)
        return self._live_names.get(name.lower(), ())

    @cached_property
    def _live_names(self) -> dict[str, tuple[str, ...]]:
        """Lower-case id, alias and short name -> ids of the models that it may mean."""
        names: dict[str, dict[str, None]] = {}
        for name, columns in self._targets.by_model.items():
            names.setdefault(name.lower(), {})[self._targets.offers[columns[0]].model] = None
        for model in dict.fromkeys(offer.model for offer in self._targets.offers):
            if short_name(model) not in self._targets.by_model:
                names.setdefault(short_name(model), {})[model] = None
        return {name: tuple(models) for name, models in names.items()}

    def _unknown(self, wanted: str, name: str, provider: str) -> UnknownModel:
        """The error for a name without columns: not live, sold elsewhere, or not known at all."""
        model = self._catalog_names.get(name.lower())
        if model is None:
            return UnknownModel(self._did_you_mean(wanted))
        if self._catalog.models[model].embeds is not self.embeds:
            return UnknownModel(OF_OTHER_KIND[self.embeds].format(model))
        sellers = tuple(offer.provider for offer in self._catalog.offers if offer.model == model)
        if provider and provider not in sellers:
            return UnknownModel(f"{provider[:LONGEST_NAME]} does not sell {model}; {_listed(sellers)} would.")
        ways = self._ways((provider,) if provider else sellers)
        return UnknownModel(f"{model} is in the catalog, but nobody who sells it can be called now. {ways}.")

    def _ways(self, sellers: Sequence[str]) -> str:
        """What a person can do about each seller that Steelyard can call; if there is none, about the others."""
        ways = []
        for seller in sellers:
            if seller in self._targets.by_provider:
                ways.append(f"{seller}: live, but does not serve this model by chat completions")
            elif seller in self._absent:
                ways.append(f"{seller}: {self._absent[seller]}")
        if not ways:
            return f"Steelyard does not know how to call {_listed(sellers)}; state a base_url in the settings"
        return "; ".join(ways)

    @cached_property
    def _catalog_names(self) -> dict[str, str]:
        """Lower-case id, alias and short name -> a model's id, over the whole catalog. Built for the first error."""
        names = {model.lower(): model for model in self._catalog.models}
        for model, card in self._catalog.models.items():
            for name in (*card.aliases, short_name(model)):
                names.setdefault(name.lower(), model)
        return names

    def _did_you_mean(self, wanted: str) -> str:
        shown = wanted[:LONGEST_NAME]
        meant = {name.lower(): name for name in (*self._policies, *self._aliases) if name != ANYTHING_ELSE}
        near = difflib.get_close_matches(shown.lower(), [*meant, *self._catalog_names], n=SUGGESTIONS)
        suggestions = dict.fromkeys(meant.get(name) or self._catalog_names[name] for name in near)
        hint = f" Did you mean {' or '.join(suggestions)}?" if suggestions else ""
        return f"There is no router or model {shown!r}.{hint}"

    @property
    def _way_out(self) -> str:
        listed = "GET /v1/models lists what can be asked for"
        if ANYTHING_ELSE in self._aliases:
            return f"{listed}."
        return f"{listed}; an alias '{ANYTHING_ELSE}' in the settings takes every other name."


def router_leg(wanted: str, policy: Policy) -> Leg:
    """Everything that a router lets in."""
    return Leg(wanted, policy, None, policy.allowed)


def short_name(model: str) -> str:
    """ "openai/gpt-5" goes by "gpt-5" too; lower case."""
    return model.rpartition("/")[2].lower()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " or " + names[-1] if len(names) > 1 else "".join(names)
