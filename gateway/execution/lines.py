"""The line to each target: everything about reaching it that a snapshot can prepare once."""

from collections.abc import Mapping

from msgspec import Struct
from multidict import CIMultiDict
from yarl import URL

from gateway.accounting.cost import PriceList
from gateway.catalog.columns import Targets
from gateway.providers.provider import Provider
from gateway.providers.request import chat_url, upstream_headers
from gateway.transport.proxy import proxy_for


class Line(Struct, frozen=True):
    """How to reach one target, and what it charges."""

    column: int
    target: str
    provider: Provider
    upstream_name: str
    url: URL
    proxy: URL | None
    headers: CIMultiDict[str]
    prices: PriceList
    reasoning: bool
    window: float  # tokens
    secrets: tuple[str, ...]

    def headers_for(self, caller_headers: list[tuple[bytes, bytes]]) -> CIMultiDict[str]:
        """The prepared headers, with those of the caller's that this provider's row lets through."""
        if not self.provider.forward_headers:
            return self.headers
        headers = self.headers.copy()
        for name, value in caller_headers:
            wanted = name.decode("latin-1")
            if wanted in self.provider.forward_headers:
                headers[wanted] = value.decode("latin-1")
        return headers


def lay_lines(targets: Targets, providers: Mapping[str, Provider], environ: Mapping[str, str]) -> tuple[Line, ...]:
    """One line per column. Providers share their URL and header objects between lines."""
    urls = {name: URL(chat_url(provider)) for name, provider in providers.items()}
    proxies = {name: proxy_for(url, environ) for name, url in urls.items()}
    headers = {name: CIMultiDict(upstream_headers(provider)) for name, provider in providers.items()}
    return tuple(
        Line(
            column=column,
            target=targets.ids[column],
            provider=(provider := providers[offer.provider]),
            upstream_name=offer.upstream_name,
            url=urls[offer.provider],
            proxy=proxies[offer.provider],
            headers=headers[offer.provider],
            prices=PriceList(offer.prices),
            reasoning=targets.models[column].reasoning,
            window=float(targets.matrix.window[column]),
            secrets=() if provider.key is None else (provider.key.reveal(),),
        )
        for column, offer in enumerate(targets.offers)
    )
