"""What types alone cannot say: ranges, names that must exist, combinations that make no sense."""

import math
import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from urllib.parse import urlsplit

from core.dimensions import DIMENSIONS, INDEX
from gateway.settings.nodes import Path
from gateway.settings.schema import Anchors, Limits, ProviderSettings, RouterSettings, Settings
from gateway.settings.secrets import resolve
from gateway.wire.ability import Ability

Mistake = tuple[Path, str]

PRESET_NAMES = ("auto", "fast", "economy", "quality", "green")
ROUTER_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
SHA256 = re.compile(r"[0-9a-f]{64}")
LOG_LEVELS = ("error", "warning", "info", "debug")


def broken_rules(settings: Settings, environ: Mapping[str, str], known_providers: Collection[str]) -> Iterator[Mistake]:
    """Every rule that the settings break."""
    yield from server_rules(settings)
    yield from key_rules(settings)
    yield from router_rules(settings)
    for name, provider in settings.providers.items():
        yield from provider_rules(("providers", name), name, provider, environ, known_providers)
    if settings.catalog.refresh_hours <= 0 or not math.isfinite(settings.catalog.refresh_hours):
        yield ("catalog", "refresh_hours"), f"is {settings.catalog.refresh_hours}; hours above 0 are expected"
    if settings.ledger.retention_days < 0:
        yield ("ledger", "retention_days"), f"is {settings.ledger.retention_days}; days are expected, 0 keeps all"


def server_rules(settings: Settings) -> Iterator[Mistake]:
    server = settings.server
    if not 0 <= server.port <= 65535:
        yield ("server", "port"), f"is {server.port}; 0 to 65535 is expected"
    if not is_loopback(server.host) and not settings.keys:
        yield (
            ("server", "host"),
            f"is {server.host}, open to other machines, but there are no caller keys; add keys "
            "(steelyard keys new NAME) or listen on 127.0.0.1",
        )
    for name in ("max_body_bytes", "max_in_flight"):
        if getattr(server, name) < 1:
            yield ("server", name), f"is {getattr(server, name)}; 1 or more is expected"
    if server.log not in LOG_LEVELS:
        yield ("server", "log"), f"is {server.log}; one of {', '.join(LOG_LEVELS)} is expected"


def key_rules(settings: Settings) -> Iterator[Mistake]:
    routers = {*PRESET_NAMES, *settings.routers}
    seen: set[str] = set()
    for place, key in enumerate(settings.keys):
        if not SHA256.fullmatch(key.sha256):
            yield ("keys", place, "sha256"), "is not the SHA-256 of a key (64 hex digits); steelyard keys hash makes it"
        if not key.name or key.name in seen:
            yield ("keys", place, "name"), f"is {key.name!r}; a name that no other key has is expected"
        seen.add(key.name)
        for router in key.routers:
            if router not in routers:
                yield ("keys", place, "routers"), f"names {router}, which is no router; {nearest(router, routers)}"


def router_rules(settings: Settings) -> Iterator[Mistake]:
    routers = {*PRESET_NAMES, *settings.routers}
    for name, router in settings.routers.items():
        path: Path = ("routers", name)
        if not ROUTER_NAME.fullmatch(name):
            yield path, "is not a router's name; lower-case letters, digits, dot, dash and underscore are expected"
        if router.preset and router.preset not in PRESET_NAMES:
            yield (*path, "preset"), f"is {router.preset}; one of {', '.join(PRESET_NAMES)} is expected"
        yield from weight_rules(path, router)
        for dimension, anchors in router.anchors.items():
            yield from anchor_rules((*path, "anchors", dimension), dimension, anchors)
        yield from limit_rules((*path, "limits"), router.limits)
        yield from range_rules(path, router)
    if settings.default_router not in routers:
        yield ("default_router",), f"is {settings.default_router}; {nearest(settings.default_router, routers)}"
    for alias in settings.aliases.keys() & routers:
        yield ("aliases", alias), "is the name of a router already"


def weight_rules(path: Path, router: RouterSettings) -> Iterator[Mistake]:
    for name, weight in router.weights.items():
        if name not in INDEX:
            yield (*path, "weights", name), f"is not a dimension; {nearest(name, INDEX)}"
        elif not 0 <= weight < math.inf:
            yield (*path, "weights", name), f"is {weight:g}; a weight is 0 or more"
    if router.weights and not router.preset and not any(weight > 0 for weight in router.weights.values()):
        yield (*path, "weights"), "are all 0; at least one must be above 0"


def anchor_rules(path: Path, name: str, anchors: Anchors) -> Iterator[Mistake]:
    if name not in INDEX:
        yield path, f"is not a dimension; {nearest(name, INDEX)}"
        return
    good, bad = anchors.good, anchors.bad
    is_log = DIMENSIONS[INDEX[name]].curve == "log"
    if not (0 < good < bad < math.inf if is_log else 0 <= bad < good <= 1):
        order = "0 < good < bad" if is_log else "0 <= bad < good <= 1"
        yield path, f"has good {good:g} and bad {bad:g}; {order} is expected"


def limit_rules(path: Path, limits: Limits) -> Iterator[Mistake]:
    for name in limits.__struct_fields__:
        value = getattr(limits, name)
        most = 1.0 if name == "min_quality" else math.inf
        if value is not None and not (0 <= value <= most and math.isfinite(value)):
            expected = "a number from 0 to 1" if most == 1.0 else "a number of 0 or more"
            yield (*path, name), f"is {value:g}; {expected} is expected"


def range_rules(path: Path, router: RouterSettings) -> Iterator[Mistake]:
    for name in ("min_availability", "spread"):
        if not 0 <= getattr(router, name) <= 1:
            yield (*path, name), f"is {getattr(router, name):g}; a number from 0 to 1 is expected"
    fallback = router.fallback
    if not 1 <= fallback.max_attempts <= 32:
        yield (*path, "fallback", "max_attempts"), f"is {fallback.max_attempts}; 1 to 32 is expected"
    for name in fallback.__struct_fields__:
        if name.endswith("_seconds") and not 0 < getattr(fallback, name) < math.inf:
            yield (*path, "fallback", name), f"is {getattr(fallback, name):g}; seconds above 0 are expected"


def provider_rules(
    path: Path, name: str, provider: ProviderSettings, environ: Mapping[str, str], known: Collection[str]
) -> Iterator[Mistake]:
    if name not in known and not provider.base_url:
        yield path, f"is no provider of the table and has no base_url; {nearest(name, known)}"
    if provider.base_url:
        yield from url_rules((*path, "base_url"), provider.base_url)
    if provider.api_key and provider.enabled:
        try:
            resolve(provider.api_key, environ)
        except ValueError as error:
            yield (*path, "api_key"), str(error)
    for place, model in enumerate(provider.models):
        for ability in model.abilities:
            names = [known_one.name.lower() for known_one in Ability if known_one.name]
            if ability not in names:
                yield (*path, "models", place, "abilities"), f"names {ability}; {nearest(ability, names)}"
        for field in model.__struct_fields__:
            value = getattr(model, field)
            if isinstance(value, int | float) and not (0 <= value < math.inf):
                yield (*path, "models", place, field), f"is {value:g}; a number of 0 or more is expected"


def url_rules(path: Path, url: str) -> Iterator[Mistake]:
    try:
        parts = urlsplit(url)
        has_port_error = parts.port == 0
    except ValueError:
        yield path, f"is {url!r}; an http or https URL is expected"
        return
    if parts.scheme not in ("http", "https") or not parts.hostname or has_port_error:
        yield path, f"is {url!r}; an http or https URL is expected"
    elif parts.username or parts.password:
        yield path, "holds a user name or password; use api_key"
    elif parts.query or parts.fragment:
        yield path, f"is {url!r}; it must end with its path, without ? or #"
    elif parts.path.endswith("/chat/completions"):
        yield path, f"is {url!r}; leave out /chat/completions, it is added"


def nearest(word: str, known: Collection[str]) -> str:
    """What was probably meant, else what there is."""
    close = get_close_matches(word, known, 1)
    return f"did you mean {close[0]}?" if close else f"there are: {', '.join(sorted(known))}"


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
