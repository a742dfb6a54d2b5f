"""Azure OpenAI and Claude in Microsoft Foundry: where they are asked, and what lets us in.

Sources: learn.microsoft.com, "Azure OpenAI in Microsoft Foundry Models v1 API" and azure-identity's
EnvironmentCredential; anthropic 2.12, lib/foundry.py; read 2026-11-23.
"""

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from msgspec.structs import replace

from gateway.providers.provider import Provider, Route
from gateway.providers.stated import Missing, first, implied, proxy_of, stated_key
from gateway.settings.schema import ProviderSettings
from gateway.transport.logins import ENTRA_URL, EntraLogin, EntraMachineLogin, Login
from gateway.wire.secret import Secret

VERSION = re.compile(r"[0-9a-z-]{1,40}")
V1 = ("", "v1", "preview", "latest")  # words for the address without a version


def on_azure(row: Provider, wished: ProviderSettings, environ: Mapping[str, str]) -> Provider:
    """Azure OpenAI: without a version the address that needs none, else one per deployment."""
    base_url = wished.base_url or first("", environ, "AZURE_OPENAI_ENDPOINT")
    key = stated_key(row.name, wished, environ) or implied(wished, environ, "AZURE_OPENAI_API_KEY")
    login = None if key else entra_login(wished, environ)
    if not base_url:
        raise Missing("set AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_API_KEY")
    if urlsplit(base_url).scheme not in ("http", "https") or not urlsplit(base_url).hostname:
        raise Missing("AZURE_OPENAI_ENDPOINT is no address: https://RESOURCE.openai.azure.com is expected")
    if not key and login is None:
        raise Missing("set AZURE_OPENAI_API_KEY, or AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET")
    version = first(wished.api_version, environ, "AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION")
    if version and not VERSION.fullmatch(version):
        raise Missing("the API version is none: v1, or a date such as 2024-10-21, is expected")
    return replace(
        row,
        base_url=base_url.rstrip("/").removesuffix("/v1").removesuffix("/openai"),
        key=Secret(key) if key else None,
        login=login,
        routes=row.routes if version in V1 else tuple(map(versioned(version), row.routes)),
        served=tuple(model.id for model in wished.models) or None,
    )


def versioned(version: str) -> Callable[[Route], Route]:
    """The older address: a deployment has its own, and all want the version."""

    def older(route: Route) -> Route:
        if route.dialect == "openai_chat":
            return replace(route, prefix="/openai/deployments/{model}", query=f"api-version={version}")
        is_openai = route.dialect == "openai_responses"
        return replace(route, prefix="/openai", query=f"api-version={version}") if is_openai else route

    return older


def entra_login(wished: ProviderSettings, environ: Mapping[str, str]) -> Login | None:
    client = first("", environ, "AZURE_CLIENT_ID")
    if wished.login == "machine":
        return EntraMachineLogin(client)
    tenant, secret = first("", environ, "AZURE_TENANT_ID"), first("", environ, "AZURE_CLIENT_SECRET")
    is_meant = not wished.base_url or wished.login == "environment"
    if not (is_meant and tenant and client and secret):
        return None
    url = first("", environ, "AZURE_AUTHORITY_HOST").rstrip("/") or ENTRA_URL
    url = url if "://" in url else f"https://{url}"
    return EntraLogin(tenant, client, Secret(secret), url, proxy_of(url, environ))
