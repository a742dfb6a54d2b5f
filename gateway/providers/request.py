"""What goes to a provider besides the body: the URL and the headers, built from nothing.

A caller's headers never travel, but for those that the provider's row names.
"""

from urllib.parse import quote

from gateway import __version__
from gateway.dialects import embeddings
from gateway.dialects.formats import OUTBOUND
from gateway.providers.provider import Provider, Route

# Without it the Messages API refuses every request. Source: platform.claude.com, "Versions", read 2026-11-23.
OF_DIALECT = {"anthropic_messages": (("anthropic-version", "2023-06-01"),)}


def model_url(provider: Provider, model: str, *, stream: bool, dialect: str = "", route: Route | None = None) -> str:
    """Where a request for this model is posted.

    model: the provider's name for it. dialect: the format, when it is not the provider's usual one. route: its way
    there, where the provider has several.
    """
    if route is not None:
        path = path_in(dialect or route.dialect, model, stream)
        query = ("&" if "?" in path else "?") + route.query if route.query else ""
        return provider.base_url + route.prefix.replace("{model}", quote(model, safe="")) + path + query
    usual = "" if dialect and dialect != provider.dialect else provider.path.replace("{model}", quote(model))
    return provider.base_url + (usual or path_in(dialect or provider.dialect, model, stream))


def path_in(dialect: str, model: str, stream: bool) -> str:
    """The format's own path, of conversations or of embeddings."""
    outbound = OUTBOUND.get(dialect)
    return embeddings.path(dialect, model) if outbound is None else outbound.path(model, stream)


def upstream_headers(provider: Provider, route: Route | None = None, number: int = 0) -> tuple[tuple[str, str], ...]:
    """The headers of every request to this provider with its key of this number, names in lower case.

    Made once per snapshot. A header of the row or of the settings replaces ours of the same name.
    """
    dialect = provider.dialect if route is None else route.dialect
    auth_header = (route.auth_header if route is not None else "") or provider.auth_header
    headers = {"content-type": "application/json", "user-agent": f"steelyard/{__version__}"}
    headers.update(OF_DIALECT.get(dialect, ()))
    key = provider.keys[number]
    if key is not None:
        headers[auth_header] = f"Bearer {key.reveal()}" if auth_header == "authorization" else key.reveal()
    headers.update((name.lower(), value) for name, value in provider.headers)
    return tuple(headers.items())
