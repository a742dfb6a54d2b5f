"""Access tokens of Microsoft Entra: by an application's secret, or from the machine at Azure that this runs on.

Sources: learn.microsoft.com, "OAuth 2.0 client credentials flow" and "How to use managed identities to acquire an
access token"; read 2026-11-23.
"""

from urllib.parse import quote, urlencode

from gateway.transport.asking import Ask, Asking, decoded
from gateway.transport.lease import Lent
from gateway.transport.logins import EntraLogin, EntraMachineLogin
from gateway.transport.token import GRANT

ENDPOINT = "Microsoft Entra"
MACHINE = "the metadata server of Azure"
RESOURCE = "https://cognitiveservices.azure.com"
API_VERSION = "2018-02-01"


async def of_secret(login: EntraLogin, ask: Ask, now_unix: float) -> Lent:
    """Raises TransportFailure."""
    form = {
        "grant_type": "client_credentials",
        "client_id": login.client,
        "client_secret": login.secret.reveal(),
        "scope": f"{RESOURCE}/.default",
    }
    url = f"{login.url}/{quote(login.tenant, safe='')}/oauth2/v2.0/token"
    body = await ask(Asking(url, ENDPOINT, "POST", form=form, proxy=login.proxy))
    return decoded(body, GRANT, ENDPOINT).lent(now_unix)


async def of_machine(login: EntraMachineLogin, ask: Ask, now_unix: float) -> Lent:
    """Raises TransportFailure."""
    query = {"api-version": API_VERSION, "resource": RESOURCE}
    if login.client:
        query["client_id"] = login.client
    url = f"{login.url}/metadata/identity/oauth2/token?{urlencode(query)}"
    body = await ask(Asking(url, MACHINE, headers={"metadata": "true"}))
    return decoded(body, GRANT, MACHINE).lent(now_unix)
