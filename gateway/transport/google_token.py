"""Access tokens of a service account: by its key, or from the machine at Google that this runs on.

Sources: developers.google.com/identity/protocols/oauth2/service-account, "Making an authorized API call" (HTTP/REST);
cloud.google.com/compute/docs/access/authenticate-workloads; read 2026-11-23.
"""

from base64 import urlsafe_b64encode

import msgspec

from gateway.transport.asking import Ask, Asking, decoded
from gateway.transport.failure import TransportFailure
from gateway.transport.lease import Lent
from gateway.transport.logins import GoogleKeyLogin, GoogleMachineLogin
from gateway.transport.token import GRANT
from gateway.wire.secret import Secret

ENDPOINT = "Google's token endpoint"
MACHINE = "the metadata server of Google Cloud"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
LASTS_SECONDS = 3600  # the longest there is
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
MACHINE_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"


async def of_key(login: GoogleKeyLogin, ask: Ask, now_unix: float) -> Lent:
    """Raises TransportFailure."""
    form = {"grant_type": JWT_GRANT, "assertion": assertion(login, now_unix)}
    body = await ask(Asking(login.url, ENDPOINT, "POST", form=form, proxy=login.proxy))
    return decoded(body, GRANT, ENDPOINT).lent(now_unix)


async def of_machine(login: GoogleMachineLogin, ask: Ask, now_unix: float) -> Lent:
    """Raises TransportFailure."""
    body = await ask(Asking(login.url + MACHINE_PATH, MACHINE, headers={"metadata-flavor": "Google"}))
    return decoded(body, GRANT, MACHINE).lent(now_unix)


def assertion(login: GoogleKeyLogin, now_unix: float) -> str:
    """A signed statement of who asks for what. Raises TransportFailure for a key that is none."""
    issued = int(now_unix)
    header = {"alg": "RS256", "typ": "JWT", "kid": login.key_id}
    claims = {
        "iss": login.email,
        "scope": SCOPE,
        "aud": login.url,
        "iat": issued,
        "exp": issued + LASTS_SECONDS,
    }
    text = b".".join(as_base64(msgspec.json.encode(part)) for part in (header, claims))
    return (text + b"." + as_base64(rs256(login.private_key, text))).decode()


def rs256(private_key: Secret, text: bytes) -> bytes:
    """RSASSA-PKCS1-v1_5 with SHA-256."""
    # Large, and needed by nobody without a service account.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(private_key.reveal().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise TransportFailure("credentials", "the service account's private_key is no key in PEM") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TransportFailure("credentials", "the service account's private_key is no RSA key")
    return key.sign(text, padding.PKCS1v15(), SHA256())


def as_base64(text: bytes) -> bytes:
    return urlsafe_b64encode(text).rstrip(b"=")
