"""What types alone cannot say: ranges, names that must exist, combinations that make no sense."""

import re
from collections.abc import Collection, Iterator, Mapping
from ipaddress import ip_address

from core.dimensions import DIMENSIONS, INDEX
from gateway.settings.finding import Mistake, Path
from gateway.settings.names import SHADOW, nearest
from gateway.settings.provider_rules import COUNTRY, provider_rules, url_rules
from gateway.settings.schema import Anchors, CallerKey, RouterSettings, Settings, Worth
from gateway.settings.shown import number, quoted

PRESET_NAMES = ("auto", "fast", "economy", "quality", "green")
ROUTER_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252})")
SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def broken_rules(settings: Settings, environ: Mapping[str, str], known_providers: Collection[str]) -> Iterator[Mistake]:
    """Every rule that the settings break."""
    yield from host_rules(settings)
    yield from key_rules(settings)
    for name, router in settings.routers.items():
        yield from router_rules(("routers", name), name, router)
    yield from name_rules(settings, known_providers)
    for name, provider in settings.providers.items():
        yield from provider_rules(("providers", name), name, provider, environ, known_providers)
    yield from shadow_rules(settings)
    yield from upkeep_rules(settings)


def host_rules(settings: Settings) -> Iterator[Mistake]:
    host = settings.server.host
    if not is_address(host) and not HOST_NAME.fullmatch(host):
        yield Mistake(("server", "host"), f"is {quoted(host)}; an address or a host name is expected: 127.0.0.1, ::1")
    elif not is_loopback(host) and not settings.keys:
        yield Mistake(
            ("server", "host"),
            f"is {quoted(host)}, open to other machines, but there are no caller keys; add keys "
            "(steelyard keys new NAME) or listen on 127.0.0.1",
            given=("keys",),
        )


def key_rules(settings: Settings) -> Iterator[Mistake]:
    routers = {*PRESET_NAMES, *settings.routers}
    names: dict[str, int] = {}
    digests: dict[str, int] = {}
    for place, key in enumerate(settings.keys):
        path: Path = ("keys", place)
        yield from digest_rules((*path, "sha256"), key, digests.setdefault(key.sha256.lower(), place), place)
        if key.name == SHADOW:
            told = f"is {quoted(SHADOW)}, which stands for shadow evaluations in the ledger; take another"
            yield Mistake((*path, "name"), told)
        elif not key.name.strip():
            yield Mistake((*path, "name"), "is empty; a name for the ledger is expected")
        elif names.setdefault(key.name, place) != place:
            yield Mistake((*path, "name"), f"is {quoted(key.name)}, like that of keys[{names[key.name]}]; take another")
        for number_of, router in enumerate(key.routers):
            if router not in routers:
                message = f"is {quoted(router)}, which is no router; {nearest(router, routers)}"
                yield Mistake((*path, "routers", number_of), message, given=("routers",))


def digest_rules(path: Path, key: CallerKey, first: int, place: int) -> Iterator[Mistake]:
    if not SHA256.fullmatch(key.sha256):
        yield Mistake(path, "is not 64 hex digits. If it is the key itself, store its SHA-256: steelyard keys hash")
    elif first != place:
        yield Mistake(path, f"is that of keys[{first}] too; make another key: steelyard keys new NAME")


def router_rules(path: Path, name: str, router: RouterSettings) -> Iterator[Mistake]:
    if not ROUTER_NAME.fullmatch(name):
        expected = "lower-case letters, digits, dot, dash and underscore, at most 64, are expected"
        yield Mistake(path, f"is not a router's name; {expected}", at_key=True)
    if router.preset and router.preset not in PRESET_NAMES:
        yield Mistake((*path, "preset"), f"is {quoted(router.preset)}; {nearest(router.preset, PRESET_NAMES)}")
    yield from weight_rules(path, router)
    for dimension, anchors in router.anchors.items():
        yield from anchor_rules((*path, "anchors", dimension), dimension, anchors)


def weight_rules(path: Path, router: RouterSettings) -> Iterator[Mistake]:
    if router.worth is not None:
        yield from worth_rules(path, router, router.worth)
    for name in router.weights:
        if name not in INDEX:
            yield Mistake((*path, "weights", name), f"is not a dimension; {nearest(name, INDEX)}", at_key=True)
    replaces_all = not router.preset or INDEX.keys() <= router.weights.keys()
    if router.weights and replaces_all and all(weight == 0 for weight in router.weights.values()):
        yield Mistake((*path, "weights"), "are all 0; at least one above 0 is expected")


def worth_rules(path: Path, router: RouterSettings, worth: Worth) -> Iterator[Mistake]:
    for name in ("preset", "weights", "anchors"):
        if getattr(router, name):
            yield Mistake((*path, name), "stands beside `worth`, which takes its place; leave one of the two out")
    if not any(getattr(worth, name) for name in Worth.__struct_fields__):
        told = "has nothing above 0, so that the cheapest would always win; say what quality_point_usd is"
        yield Mistake((*path, "worth"), told)


def anchor_rules(path: Path, name: str, anchors: Anchors) -> Iterator[Mistake]:
    if name not in INDEX:
        yield Mistake(path, f"is not a dimension; {nearest(name, INDEX)}", at_key=True)
        return
    good, bad = anchors.good, anchors.bad
    is_log = DIMENSIONS[INDEX[name]].curve == "log"
    if not (0 < good < bad if is_log else 0 <= bad < good <= 1):
        order = "0 < good < bad" if is_log else "0 <= bad < good <= 1"
        yield Mistake(path, f"has good {number(good)} and bad {number(bad)}; {order} is expected")


def name_rules(settings: Settings, known_providers: Collection[str]) -> Iterator[Mistake]:
    """Names of routers and providers that aliases and the default router refer to. Models cannot be known here."""
    routers = {*PRESET_NAMES, *settings.routers}
    default = settings.default_router
    if default not in routers:
        message = f"is {quoted(default)}, which is no router; {nearest(default, routers)}"
        yield Mistake(("default_router",), message, given=("routers",))
    providers = {*known_providers, *settings.providers}
    for alias, target in settings.aliases.items():
        path: Path = ("aliases", alias)
        provider = target.partition("@")[2]
        if alias in routers:
            yield Mistake(path, "is the name of a router already; take another name", at_key=True)
        if not target.strip():
            yield Mistake(path, "is empty; a router, a model id or a target id is expected")
        elif target in settings.aliases:
            yield Mistake(path, f"is {quoted(target)}, an alias itself; name what that one stands for")
        elif "@" in target and provider not in providers:
            message = f"is {quoted(target)}, whose provider is not known; {nearest(provider, providers)}"
            yield Mistake(path, message, given=("providers",))


def shadow_rules(settings: Settings) -> Iterator[Mistake]:
    shadow, path = settings.learning.shadow, ("learning", "shadow")
    routers = {*PRESET_NAMES, *settings.routers}
    for place, router in enumerate(shadow.routers):
        if router not in routers:
            message = f"is {quoted(router)}, which is no router; {nearest(router, routers)}"
            yield Mistake((*path, "routers", place), message, given=("routers",))
    if not shadow.share:
        return
    if not settings.learning.enabled:
        told = "is above 0, but learning.enabled is false, so that nobody would learn from it; set that to true"
        yield Mistake((*path, "share"), told, given=("learning", "enabled"))
    if not shadow.judge.strip():
        yield Mistake((*path, "share"), "is above 0, but there is no judge; name a model in learning.shadow.judge")


def upkeep_rules(settings: Settings) -> Iterator[Mistake]:
    for source, url in settings.catalog.sources.items():
        yield from url_rules(("catalog", "sources", source), url)
    for country in settings.catalog.grid_g_per_kwh:
        if not COUNTRY.fullmatch(country):
            message = f"names {quoted(country)}; a country is three capitals: DEU, USA"
            yield Mistake(("catalog", "grid_g_per_kwh"), message)
    paths: dict[Path, str] = {
        ("catalog", "path"): settings.catalog.path,
        ("ledger", "path"): settings.ledger.path,
        ("ledger", "journal"): settings.ledger.journal,
    }
    for path, place in paths.items():
        if not place.strip():
            yield Mistake(path, "is empty; a path is expected")


def is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    return ip_address(host).is_loopback if is_address(host) else host == "localhost"
