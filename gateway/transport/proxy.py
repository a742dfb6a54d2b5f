"""Which proxy a provider is reached through: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, read once per snapshot.

Not left to aiohttp's `trust_env`: it asks a thread for every request, which doubled the cost of one.
"""

from collections.abc import Mapping
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

from yarl import URL


def proxy_for(url: URL, environ: Mapping[str, str]) -> URL | None:
    """The proxy for requests to `url`, None for a direct connection. Lower-case variables win, as in curl."""
    proxies = {
        kind: environ.get(f"{kind}_proxy") or environ.get(f"{kind.upper()}_PROXY", "")
        for kind in ("http", "https", "all", "no")
    }
    chosen = proxies[url.scheme] or proxies["all"]
    host = url.host or ""
    place = host if ":" in host else f"{host}:{url.port}"  # the port matters to entries that name one
    if not chosen or proxy_bypass_environment(place, proxies):
        return None
    return URL(chosen if "://" in chosen else f"http://{chosen}")
