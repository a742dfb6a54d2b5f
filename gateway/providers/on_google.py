"""Google Vertex AI: where it is asked, and what lets us in.

Sources: google-genai 3.4 and anthropic 2.12, lib/vertex; cloud.google.com, "Vertex AI in express mode"; read
2026-11-23.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.providers.provider import Provider
from gateway.providers.stated import PLACE, Missing, first, implied, proxy_of, stated_key
from gateway.settings.schema import ProviderSettings
from gateway.transport.logins import GOOGLE_TOKEN_URL, GoogleKeyLogin, GoogleMachineLogin, Login
from gateway.wire.secret import Secret

PROJECT = re.compile(r"[a-z0-9.:-]{1,100}")


class ServiceAccount(Struct, frozen=True):
    """A key file of Google's."""

    type: str = ""
    project_id: str = ""
    client_email: str = ""
    private_key: str = ""
    private_key_id: str = ""
    token_uri: str = GOOGLE_TOKEN_URL


SERVICE_ACCOUNT = msgspec.json.Decoder(ServiceAccount)


def on_google(row: Provider, wished: ProviderSettings, environ: Mapping[str, str]) -> Provider:
    """Vertex: a service account gives the project too; a plain key needs none, and reaches Gemini only."""
    key = stated_key(row.name, wished, environ) or implied(wished, environ, "GOOGLE_VERTEX_API_KEY")
    account = service_account(key, wished, environ)
    project = first(wished.project, environ, "GOOGLE_CLOUD_PROJECT") or (account.project_id if account else "")
    location = first(wished.location, environ, "GOOGLE_CLOUD_LOCATION", "CLOUD_ML_REGION") or "global"
    login = google_login(account, wished, environ)
    if login is None and not key:
        raise Missing("set GOOGLE_APPLICATION_CREDENTIALS (a service account's key file) or GOOGLE_VERTEX_API_KEY")
    if not PLACE.fullmatch(location) or (project and not PROJECT.fullmatch(project)):
        raise Missing("GOOGLE_CLOUD_LOCATION or GOOGLE_CLOUD_PROJECT holds a character that no place or project has")
    if login is not None and not project:
        raise Missing("set GOOGLE_CLOUD_PROJECT, or providers.vertex.project in the settings")
    place = f"/projects/{project}/locations/{location}" if project else ""
    routes = row.routes if login is not None else row.routes[:1]  # the first is Gemini's
    return replace(
        row,
        base_url=wished.base_url or row.base_url.replace("{host}", google_host(location if project else "global")),
        key=None if login is not None else Secret(key),
        auth_header="x-goog-api-key",
        login=login,
        routes=tuple(replace(route, prefix=route.prefix.replace("{place}", place)) for route in routes),
    )


def google_host(location: str) -> str:
    if location == "global":
        return "aiplatform.googleapis.com"
    if location in ("us", "eu"):
        return f"aiplatform.{location}.rep.googleapis.com"
    return f"{location}-aiplatform.googleapis.com"


def service_account(key: str, wished: ProviderSettings, environ: Mapping[str, str]) -> ServiceAccount | None:
    """The key file: as the key that the settings name, else where Google's own variable says."""
    if key:
        return read_account(key, f"providers.vertex.api_key ({wished.api_key})") if key.startswith("{") else None
    path = "" if wished.login == "machine" else implied(wished, environ, "GOOGLE_APPLICATION_CREDENTIALS")
    if not path:
        return None
    try:
        return read_account(Path(path).read_text(), "GOOGLE_APPLICATION_CREDENTIALS")
    except (OSError, UnicodeDecodeError):
        raise Missing("GOOGLE_APPLICATION_CREDENTIALS names a file that cannot be read") from None


def read_account(text: str, where: str) -> ServiceAccount:
    try:
        account = SERVICE_ACCOUNT.decode(text)
    except msgspec.DecodeError:
        raise Missing(f"{where} is no key file of Google's") from None
    if account.type != "service_account" or not account.client_email or not account.private_key:
        raise Missing(f"{where} is a key file of another type; that of a service account is needed")
    return account


def google_login(account: ServiceAccount | None, wished: ProviderSettings, environ: Mapping[str, str]) -> Login | None:
    if account is not None:
        url = account.token_uri
        key = Secret(account.private_key)
        return GoogleKeyLogin(account.client_email, account.private_key_id, key, url, proxy_of(url, environ))
    if wished.login == "machine":
        host = first("", environ, "GCE_METADATA_HOST")
        return GoogleMachineLogin(f"http://{host}") if host else GoogleMachineLogin()
    return None
