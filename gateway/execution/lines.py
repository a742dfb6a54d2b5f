"""The line to each target: everything about reaching it that a snapshot can prepare once."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from msgspec import Struct
from multidict import CIMultiDict
from yarl import URL

from gateway.accounting.cost import PriceList
from gateway.catalog.caching import CacheRule, cache_rule
from gateway.catalog.carbon import Emission, emission
from gateway.catalog.card import Catalog, ModelCard, Offer
from gateway.catalog.columns import Targets
from gateway.dialects.anthropic.models import abilities_of
from gateway.dialects.codec import Asked
from gateway.dialects.contract import TargetManner
from gateway.dialects.dropped import OF_THOUGHT
from gateway.dialects.embeddings import EMBEDDINGS, FORMAT_OF
from gateway.dialects.embeddings import wordless as wordless_for_embeddings
from gateway.dialects.formats import OF_CLAUDE, wordless
from gateway.providers.key_guard import Guarded, secret_headers
from gateway.providers.provider import Provider, Route
from gateway.providers.request import model_url, upstream_headers
from gateway.transport.logins import Login
from gateway.transport.proxy import proxy_for

# Whose signed thoughts a format can carry back to a provider.
# Anthropic's hold at every host of Claude. Source: platform.claude.com, "Extended thinking", read 2026-11-23.
FAMILIES = {
    **dict.fromkeys(("anthropic_messages", "anthropic_bedrock", "anthropic_vertex"), "anthropic"),
    "gemini": "google",
    "gemini_vertex": "vertex",
    "openai_responses": "openai",
    "bedrock_converse": "bedrock",
}

SHORTEST_SECRET = 12  # characters of a header's value; shorter ones are versions and switches
DIALECT_OF_API = {"responses": "openai_responses"}  # `Offer.api` of models that answer in one format only


MOST_WRITTEN = 32 * 2**20  # bytes of a whole answer
MOST_VECTORS = 128 * 2**20  # bytes: 2,048 vectors of 3,072 numbers in decimal are 80 MB


class Way(NamedTuple):
    """In which format a model is asked, and by which route of its provider's, if that has several."""

    dialect: str
    route: Route | None = None


class Line(Struct, frozen=True):
    """How to reach one target, and what it charges."""

    column: int
    target: str
    provider: Provider
    dialect: str  # the format that this target is asked in
    manner: TargetManner
    url: URL
    stream_url: URL
    proxy: URL | None
    headers: tuple[CIMultiDict[str], ...]  # one for each key
    prices: PriceList
    reasoning: bool
    window: float  # tokens
    secrets: tuple[str, ...]  # not to be seen in a fault
    guarded: Guarded  # nor in a good answer
    login: Login | None = None  # what lets us in, where `headers` do not
    prefix_style: str = ""  # how it is told to go on with an answer that somebody else began; "" when it cannot be
    emission: Emission | None = None  # None: the model's size is not known
    caching: CacheRule | None = None  # of its provider's prompt cache
    max_answer_bytes: int = MOST_WRITTEN

    @property
    def family(self) -> str:
        """Whose sealed thoughts it can read, "" for nobody's."""
        return self.manner.family

    def headers_for(
        self, caller_headers: list[tuple[bytes, bytes]], of_body: Iterable[tuple[str, str]] = (), key: int = 0
    ) -> CIMultiDict[str]:
        """The prepared headers, with those of the caller's that this provider's row lets through.

        of_body: headers that follow from what is asked for. key: which of the provider's keys.
        """
        prepared = self.headers[key]
        if not self.provider.forward_headers and not of_body:
            return prepared
        headers = prepared.copy()
        for name, value in caller_headers:
            wanted = name.decode("latin-1")
            if wanted in self.provider.forward_headers:
                headers[wanted] = value.decode("latin-1")
        headers.update(of_body)
        return headers


def lay_lines(
    targets: Targets, providers: Mapping[str, Provider], environ: Mapping[str, str], catalog: Catalog
) -> tuple[Line, ...]:
    """One line per column. Lines of a provider share what is the same for all of them."""
    proxies = {name: proxy_for(URL(provider.base_url), environ) for name, provider in providers.items()}
    headers = cache(
        lambda name, route: tuple(
            CIMultiDict(upstream_headers(providers[name], route, number)) for number in range(len(providers[name].keys))
        )
    )
    guarded = cache(lambda name: Guarded(keys_of(providers[name]) + secret_headers(providers[name].headers)))
    url = cache(URL)
    lines = []
    for column, offer in enumerate(targets.offers):
        provider, card = providers[offer.provider], targets.models[column]
        dialect, route = way_to(provider, offer, embeds=card.embeds) or Way(provider.dialect)
        name = provider.name_of(offer.upstream_name)
        lines.append(
            Line(
                column=column,
                target=targets.ids[column],
                provider=provider,
                dialect=dialect,
                manner=manner_of(provider, offer, card, dialect, route),
                url=url(model_url(provider, name, stream=False, dialect=dialect, route=route)),
                stream_url=url(model_url(provider, name, stream=True, dialect=dialect, route=route)),
                proxy=proxies[offer.provider],
                headers=headers(offer.provider, route),
                prices=PriceList(offer.prices, writes=not card.embeds),
                reasoning=card.reasoning,
                window=float(targets.capacity[column]),
                secrets=secrets_of(provider),
                guarded=guarded(offer.provider),
                login=provider.login,
                prefix_style=prefix_style(provider, card, dialect, name),
                emission=emission(card, offer, catalog),
                caching=cache_rule(offer),
                max_answer_bytes=MOST_VECTORS if card.embeds else MOST_WRITTEN,
            )
        )
    return tuple(lines)


def prefix_style(provider: Provider, card: ModelCard, dialect: str, name: str) -> str:
    """How a model is told to go on with the beginning of an answer.

    Claude takes one up to 4.5, at every host. Who thinks before it speaks cannot begin in the middle.
    """
    if dialect in OF_CLAUDE and abilities_of(name).is_claude:
        return "plain" if abilities_of(name).prefill else ""
    return "" if card.reasoning else provider.assistant_prefix


def way_to(provider: Provider, offer: Offer, *, embeds: bool) -> Way | None:
    """How this model is asked there, for embeddings or for anything else; None where it cannot be had."""
    if provider.routes:
        route = provider.route_for(offer.model, offer.upstream_name, offer.api)
        if route is None:
            return None
        way = Way(route.dialect, route)
    else:
        way = Way(DIALECT_OF_API.get(offer.api, provider.dialect))
    if not embeds:
        return way
    dialect = FORMAT_OF.get(way.dialect) if provider.embeds else None
    return None if dialect is None else Way(dialect, way.route)


def secrets_of(provider: Provider) -> tuple[str, ...]:
    """The keys, and the values of headers that are long enough to be one."""
    return keys_of(provider) + tuple(value for _, value in provider.headers if len(value) >= SHORTEST_SECRET)


def keys_of(provider: Provider) -> tuple[str, ...]:
    return tuple(key.reveal() for key in provider.keys if key is not None)


def lossless(lines: Iterable[Line], asked: Asked) -> frozenset[int]:
    """Columns of the targets that can read the conversation's seals and give all that is asked for.

    Empty when every target, or none, is as good as the others in that. Seals count for more.
    """
    words = wordless_for_embeddings if asked.inbound is EMBEDDINGS else wordless
    makers, lacking = asked.makers, words(asked.prompt)
    if not makers and not lacking:
        return frozenset()
    readers = [line for line in lines if not makers or line.family in makers]
    able = frozenset(line.column for line in readers if line.dialect not in lacking)
    return able or frozenset(line.column for line in readers if makers)


def manner_of(
    provider: Provider, offer: Offer, card: ModelCard, dialect: str, route: Route | None = None
) -> TargetManner:
    """How the target wants to be spoken to."""
    is_thoughtless = not card.reasoning and bool(offer.abilities)  # without any, nobody has said what it can do
    return TargetManner(
        model=offer.upstream_name,
        provider=provider.name,
        family=(route.family if route is not None else provider.family) or FAMILIES.get(dialect, ""),
        extensions=provider.extensions,
        max_output_tokens=int(offer.max_output_tokens.value) if offer.max_output_tokens else 0,
        stream_usage=provider.stream_usage,
        drop_fields=provider.drop_fields + (OF_THOUGHT.get(dialect, ()) if is_thoughtless else ()),
        max_tokens_field=provider.max_tokens_field,
        is_reasoning=card.reasoning,
    )
