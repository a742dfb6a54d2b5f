"""What the settings say of a cloud, else that cloud's own variables."""

import re
from collections.abc import Mapping

from yarl import URL

from gateway.settings.schema import ProviderSettings
from gateway.settings.secrets import resolve as resolve_secret
from gateway.transport.proxy import proxy_for

PLACE = re.compile(r"[a-z0-9-]{1,40}")  # "us-east-1", "global"


class Missing(ValueError):
    """What has to be set. Never holds a key."""


def stated_key(name: str, wished: ProviderSettings, environ: Mapping[str, str]) -> str:
    """The key that the settings name, "" for none. name: of the provider. Raises Missing."""
    if not wished.api_key:
        return ""
    try:
        return resolve_secret(wished.api_key, environ).strip()
    except ValueError as error:  # its message never holds the key
        raise Missing(f"providers.{name}.api_key {error}") from error


def implied(wished: ProviderSettings, environ: Mapping[str, str], name: str) -> str:
    """A variable's value, unless the settings send us to another host: it was not meant for that."""
    if wished.login == "machine" or (wished.base_url and wished.login != "environment"):
        return ""
    return first("", environ, name)


def first(stated: str, environ: Mapping[str, str], *names: str) -> str:
    """What the settings say, else the first variable that is set."""
    values = (environ.get(name, "").strip() for name in names)
    return stated or next((value for value in values if value), "")


def proxy_of(url: str, environ: Mapping[str, str]) -> str:
    return str(proxy_for(URL(url), environ) or "")
