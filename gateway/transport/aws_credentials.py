"""Keys of a role, from the container or the instance that this runs in.

Sources: AWS SDKs and Tools reference guide, "Container credential provider" and "IMDS credential provider"; EC2 user
guide, "Use the Instance Metadata Service"; read 2026-11-23.
"""

from datetime import datetime
from math import inf
from pathlib import Path

import msgspec
from msgspec import Struct

from gateway.transport.asking import Ask, Asking, decoded
from gateway.transport.failure import TransportFailure
from gateway.transport.lease import Lent
from gateway.transport.logins import AwsKeys, AwsMachineLogin, AwsRoleLogin
from gateway.wire.secret import Secret

CONTAINER = "the container's credentials endpoint"
INSTANCE = "the instance's metadata server"
TOKEN_SECONDS = "21600"  # noqa: S105 - how long a session with the metadata server lasts; the longest there is
ROLES = "/latest/meta-data/iam/security-credentials/"


class Given(Struct, frozen=True):
    """The answer of both."""

    AccessKeyId: str
    SecretAccessKey: str
    Token: str = ""
    Expiration: str = ""  # RFC 3339


GIVEN = msgspec.json.Decoder(Given)


async def of_container(login: AwsRoleLogin, ask: Ask) -> Lent:
    """Raises TransportFailure."""
    token = login.token.reveal() if login.token is not None else token_in(login.token_file)
    headers = {"authorization": token} if token else {}
    return lent(await ask(Asking(login.url, CONTAINER, headers=headers)), CONTAINER)


async def of_instance(login: AwsMachineLogin, ask: Ask) -> Lent:
    """Version 2 of the service: a session first, then the role's name, then its keys. Raises TransportFailure."""
    wanted = {"x-aws-ec2-metadata-token-ttl-seconds": TOKEN_SECONDS}
    session = await ask(Asking(f"{login.url}/latest/api/token", INSTANCE, "PUT", wanted))
    headers = {"x-aws-ec2-metadata-token": session.decode("latin-1").strip()}
    roles = (await ask(Asking(login.url + ROLES, INSTANCE, headers=headers))).decode("latin-1").split()
    if not roles:
        raise TransportFailure("credentials", "no credentials: this instance has no role")
    return lent(await ask(Asking(login.url + ROLES + roles[0], INSTANCE, headers=headers)), INSTANCE)


def lent(body: bytes, whom: str) -> Lent:
    given = decoded(body, GIVEN, whom)
    try:
        until = datetime.fromisoformat(given.Expiration).timestamp() if given.Expiration else inf
    except ValueError:
        raise TransportFailure("credentials", f"no credentials: {whom} does not say until when they hold") from None
    session = Secret(given.Token) if given.Token else None
    return Lent(AwsKeys(given.AccessKeyId, Secret(given.SecretAccessKey), session), until)


def token_in(path: str) -> str:
    """Read each time: it is written anew before it runs out."""
    if not path:
        return ""
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TransportFailure("credentials", f"no credentials: {path} cannot be read") from error
