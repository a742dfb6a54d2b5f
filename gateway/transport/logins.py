"""What it takes to be let in where a fixed header will not do: data, made once per snapshot.

Two logins that are equal are the same one, so that a reload of the settings keeps the tokens that are held.
"""

from msgspec import Struct

from gateway.wire.secret import Secret

GOOGLE_TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
ENTRA_URL = "https://login.microsoftonline.com"


class AwsKeys(Struct, frozen=True):
    """Keys that requests are signed with. Those of a role come with a session, and run out."""

    id: str
    secret: Secret
    session: Secret | None = None


class AwsKeyLogin(Struct, frozen=True):
    """Keys that do not change while we run."""

    region: str
    keys: AwsKeys


class AwsRoleLogin(Struct, frozen=True):
    """The role of the container that this runs in: ECS, EKS Pod Identity."""

    region: str
    url: str
    token: Secret | None = None  # the Authorization header of that request
    token_file: str = ""  # the same, in a file that is written anew before it runs out


class AwsMachineLogin(Struct, frozen=True):
    """The role of the EC2 instance that this runs on."""

    region: str
    url: str = "http://169.254.169.254"


class GoogleKeyLogin(Struct, frozen=True):
    """A service account, by its key file."""

    email: str
    key_id: str
    private_key: Secret  # PEM
    url: str = GOOGLE_TOKEN_URL
    proxy: str = ""


class GoogleMachineLogin(Struct, frozen=True):
    """The service account of the machine at Google that this runs on."""

    url: str = "http://metadata.google.internal"


class EntraLogin(Struct, frozen=True):
    """An application of a Microsoft Entra tenant, by its secret."""

    tenant: str
    client: str
    secret: Secret
    url: str = ENTRA_URL
    proxy: str = ""


class EntraMachineLogin(Struct, frozen=True):
    """The managed identity of the machine at Azure that this runs on; client tells it from others of that machine."""

    client: str = ""
    url: str = "http://169.254.169.254"


Login = (
    AwsKeyLogin | AwsRoleLogin | AwsMachineLogin | GoogleKeyLogin | GoogleMachineLogin | EntraLogin | EntraMachineLogin
)
