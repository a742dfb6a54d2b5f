"""Rules for providers: where they are, how their key is referred to, what they serve."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from gateway.settings.finding import Mistake, Path
from gateway.settings.names import nearest
from gateway.settings.schema import ModelSettings, ProviderSettings
from gateway.settings.secrets import resolve
from gateway.settings.shown import quoted
from gateway.wire.ability import Ability

PROVIDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
COUNTRY = re.compile(r"[A-Z]{3}")
# They become part of an address.
PLACES = (
    ("location", re.compile(r"[a-z0-9-]{1,40}"), "eu-west-1"),
    ("project", re.compile(r"[a-z0-9.:-]{1,100}"), "my-project-123"),
    ("api_version", re.compile(r"[0-9a-z-]{1,40}"), "2024-10-21"),
)
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of RFC 9110
HEADER_VALUE = re.compile(r"[\x20-\x7e]*")
# Keys belong into api_key, which does not hold them in plain text; the others belong to the connection.
RESERVED_HEADERS = {
    **dict.fromkeys(("authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key"), "use api_key"),
    **dict.fromkeys(("host", "content-length", "content-type", "transfer-encoding", "connection"), "leave it out"),
}
ABILITIES = [ability.name.lower() for ability in Ability if ability.name]


def provider_rules(
    path: Path, name: str, provider: ProviderSettings, environ: Mapping[str, str], known: Collection[str]
) -> Iterator[Mistake]:
    if not PROVIDER_NAME.fullmatch(name):
        yield Mistake(path, "is no name for a provider; letters, digits, dot, dash and _ are expected", at_key=True)
    elif name not in known and not provider.base_url:
        yield Mistake(path, f"is no provider of the table and has no base_url; {nearest(name, known)}", at_key=True)
    if provider.base_url:
        yield from url_rules((*path, "base_url"), provider.base_url)
    if provider.api_key and provider.enabled:
        yield from reference_rules((*path, "api_key"), provider.api_key, environ)
    if provider.region and not COUNTRY.fullmatch(provider.region):
        yield Mistake((*path, "region"), f"is {quoted(provider.region)}; three capitals are expected: DEU, USA")
    for key, pattern, example in PLACES:
        stated = getattr(provider, key)
        if stated and not pattern.fullmatch(stated):
            yield Mistake((*path, key), f"is {quoted(stated)}; something like {example} is expected")
    yield from header_rules((*path, "headers"), provider.headers)
    counts = Counter(model.id for model in provider.models)
    for place, model in enumerate(provider.models):
        yield from model_rules((*path, "models", place), model, counts[model.id])


def reference_rules(path: Path, reference: str, environ: Mapping[str, str]) -> Iterator[Mistake]:
    try:
        resolve(reference, environ)
    except ValueError as error:  # its message never holds the key
        yield Mistake(path, str(error))


def header_rules(path: Path, headers: Mapping[str, str]) -> Iterator[Mistake]:
    """No message holds a value: it may be a secret."""
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            yield Mistake((*path, name), "is not the name of a header", at_key=True)
        elif name.lower() in RESERVED_HEADERS:
            yield Mistake((*path, name), f"is not for the settings; {RESERVED_HEADERS[name.lower()]}", at_key=True)
        elif not HEADER_VALUE.fullmatch(value):
            yield Mistake((*path, name), "holds a character that a header cannot carry")


def model_rules(path: Path, model: ModelSettings, count: int) -> Iterator[Mistake]:
    if not model.id.strip() or "@" in model.id:
        yield Mistake((*path, "id"), f"is {quoted(model.id)}; a model's id without @ is expected")
    elif count > 1:
        yield Mistake((*path, "id"), f"is {quoted(model.id)}, which stands {count} times in this list; keep one")
    for place, ability in enumerate(model.abilities):
        if ability not in ABILITIES:
            yield Mistake((*path, "abilities", place), f"is {quoted(ability)}; {nearest(ability, ABILITIES)}")


def url_rules(path: Path, url: str) -> Iterator[Mistake]:
    """An http(s) URL of host, port and path. A message repeats it only when no part of it can be a secret."""
    parts = split(url)
    if parts is None:
        yield Mistake(path, "is not an http or https URL: https://HOST/PATH is expected")
    elif parts.username is not None or parts.password is not None:
        yield Mistake(path, "holds a user name or password; use api_key")
    elif "?" in url or "#" in url:
        yield Mistake(path, "goes on after its path; leave out the ? or # and what follows")
    elif parts.path.rstrip("/").endswith("/chat/completions"):
        yield Mistake(path, f"is {quoted(url)}; leave out /chat/completions, it is added")


def split(url: str) -> SplitResult | None:
    """The URL's parts; None when it is not a usable http or https URL."""
    if not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if is_usable else None


def doubts(path: Path, name: str, provider: ProviderSettings, known: Collection[str]) -> Iterator[Mistake]:
    """What is possible, but hardly meant."""
    if not provider.enabled or not provider.base_url:
        return
    if name not in known and not provider.models:
        message = "is a server of your own, and no model of it is known; list them under models"
        yield Mistake(path, message, at_key=True)
    parts = split(provider.base_url)
    if provider.api_key and parts is not None and parts.scheme == "http" and not is_near(parts.hostname or ""):
        yield Mistake((*path, "base_url"), "is not https: the key travels in plain text")


def is_near(host: str) -> bool:
    """This machine, or an address or name that only a private network has."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".svc"))
