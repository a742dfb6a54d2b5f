"""Which providers there are, and which of them are live: the table, the settings and the environment put together."""

import difflib
import functools
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

import msgspec
import yaml
from msgspec import Struct

from gateway.providers.clouds import on_cloud
from gateway.providers.provider import Provider, Route, Secret
from gateway.providers.stated import Missing
from gateway.settings.schema import ProviderSettings, Settings
from gateway.settings.secrets import resolve as resolve_secret

TABLE = "compatible.yaml"
SEPARATOR = re.compile(r"[,\n]")  # no provider's keys have one in them
UNFIT = "its key has a space, a line break or a character that no key has; store it again"


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of `compatible.yaml`. The fields mean what they mean in `Provider`."""

    title: str
    base_url: str
    key_env: tuple[str, ...]
    docs: str
    dialect: str = "openai_chat"
    apis: tuple[str, ...] = ()
    path: str = ""
    family: str = ""
    extensions: tuple[str, ...] = ()
    auth_header: str = "authorization"
    headers: dict[str, str] = {}
    forward_headers: tuple[str, ...] = ()
    stream_usage: bool = True
    drop_fields: tuple[str, ...] = ()
    max_tokens_field: str = ""
    region: str = ""
    cloud: str = ""
    routes: tuple[Route, ...] = ()
    embeds: bool = True
    assistant_prefix: str = ""


class Resolution(Struct, frozen=True):
    """The providers that can be called now, and for each other one what a person can do about it."""

    live: dict[str, Provider]
    absent: dict[str, str]


@functools.cache
def load_table() -> dict[str, Provider]:
    """Every provider of the bundled table, by name, without keys."""
    text = resources.files("gateway.providers").joinpath(TABLE).read_bytes()
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # without libyaml it is slow, not wrong
    rows = msgspec.convert(yaml.load(text, loader), dict[str, Row])  # noqa: S506 - both are safe loaders
    return {name: _provider(name, row) for name, row in rows.items()}


def resolve(settings: Settings, environ: Mapping[str, str]) -> Resolution:
    """Tell the live providers from the absent ones.

    A provider of the table is live when its key is in the environment or named by the settings; a server of your own is
    live by its URL alone.
    """
    live: dict[str, Provider] = {}
    absent: dict[str, str] = {}
    for name, row, wished in _all_of(settings):
        outcome = _resolve_one(name, row, wished, environ)
        if isinstance(outcome, Provider):
            live[name] = outcome
        else:
            absent[name] = outcome
    return Resolution(live, absent)


def found_keys(environ: Mapping[str, str]) -> dict[str, str]:
    """The providers of the table that one variable makes live, and has; each with its name."""
    held = {name: _held(row, environ) for name, row in load_table().items() if not row.cloud}
    return {name: variable for name, variable in held.items() if variable is not None}


def _all_of(settings: Settings) -> Iterator[tuple[str, Provider | None, ProviderSettings]]:
    table = load_table()
    for name, row in table.items():
        yield name, row, settings.providers.get(name, ProviderSettings())
    for name, wished in settings.providers.items():
        if name not in table:
            yield name, None, wished


def _resolve_one(
    name: str, row: Provider | None, wished: ProviderSettings, environ: Mapping[str, str]
) -> Provider | str:
    """The provider with its key, or the reason why it is not live."""
    if not wished.enabled:
        return f"switched off by providers.{name}.enabled in the settings"
    if row is None and not wished.base_url:
        return _unknown(name)
    if row is not None and row.cloud:
        return _on_cloud(row, wished, environ)
    try:
        keys = keys_in(_key(row, wished, environ) or "")
    except ValueError as error:  # its message never holds the key
        return f"providers.{name}.api_key {error}"
    if row is not None and not wished.base_url and not keys:
        return "set " + " or ".join(row.key_env)
    if not all(map(_fits_a_header, keys)):
        return UNFIT
    return _merged(row or Provider(name=name, title=name, base_url="", key=None), wished, *keys)


def keys_in(text: str) -> tuple[str, ...]:
    """The keys in what an environment variable or a file holds: one, or several with commas or line ends between."""
    return tuple(dict.fromkeys(key.strip() for key in SEPARATOR.split(text) if key.strip()))


def _on_cloud(row: Provider, wished: ProviderSettings, environ: Mapping[str, str]) -> Provider | str:
    try:
        found = on_cloud(row, wished, environ)
    except Missing as missing:
        return str(missing)
    if found.key is not None and not _fits_a_header(found.key.reveal()):
        return UNFIT
    own_routes = () if wished.dialect else found.routes
    return _merged(
        msgspec.structs.replace(found, routes=own_routes),
        msgspec.structs.replace(wished, base_url=""),
        *(() if found.key is None else (found.key.reveal(),)),
    )


def _key(row: Provider | None, wished: ProviderSettings, environ: Mapping[str, str]) -> str | None:
    """The key that the settings name, else the first one in the environment.

    A provider whose URL the settings replace gets no key from the environment: it was meant for another host.
    """
    if wished.api_key:
        return resolve_secret(wished.api_key, environ).strip()
    if row is None or wished.base_url:
        return None
    variable = _held(row, environ)
    return None if variable is None else environ[variable].strip()


def _held(row: Provider, environ: Mapping[str, str]) -> str | None:
    return next((name for name in row.key_env if environ.get(name, "").strip()), None)


def _merged(row: Provider, wished: ProviderSettings, *keys: str) -> Provider:
    replaced = {name.lower() for name in wished.headers}
    kept = tuple((name, value) for name, value in row.headers if name not in replaced)
    return msgspec.structs.replace(
        row,
        base_url=(wished.base_url or row.base_url).rstrip("/"),
        key=Secret(keys[0]) if keys else None,
        more_keys=tuple(map(Secret, keys[1:])),
        headers=(*kept, *((name.lower(), value) for name, value in wished.headers.items())),
        region=wished.region or row.region,
        dialect=wished.dialect or row.dialect,
        assistant_prefix=wished.assistant_prefix or row.assistant_prefix,
    )


def _provider(name: str, row: Row) -> Provider:
    fields = {field: getattr(row, field) for field in Row.__struct_fields__ if field != "headers"}
    return Provider(name=name, key=None, headers=tuple(row.headers.items()), **fields)


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, load_table(), n=1)
    hint = f'did you mean "{near[0]}"? ' if near else ""
    return f"not in the table of providers; {hint}give providers.{name}.base_url for a server of your own"


def _fits_a_header(key: str) -> bool:
    return key.isascii() and key.isprintable() and " " not in key
