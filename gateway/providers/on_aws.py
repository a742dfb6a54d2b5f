"""Amazon Bedrock: where it is asked, and what lets us in.

Sources: AWS SDKs and Tools reference guide, "Settings reference"; Amazon Bedrock user guide, "API keys" and "Geographic
cross-Region inference"; read 2026-11-23.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec.structs import replace

from gateway.providers.provider import Provider
from gateway.providers.stated import PLACE, Missing, first, implied, stated_key
from gateway.settings.schema import ProviderSettings
from gateway.transport.logins import AwsKeyLogin, AwsKeys, AwsMachineLogin, AwsRoleLogin, Login
from gateway.wire.secret import Secret

CONTAINER_HOST = "http://169.254.170.2"
# Whom a container's token is shown to without TLS: AWS's own addresses, and this machine.
NEAR = ("169.254.170.2", "169.254.170.23", "fd00:ec2::23", "127.0.0.1", "localhost", "::1")
GEOGRAPHIES = {"eu-": "eu", "ap-": "apac"}


def on_aws(row: Provider, wished: ProviderSettings, environ: Mapping[str, str]) -> Provider:
    """Bedrock: a bearer key goes into a header, all other credentials sign each request."""
    region = first(wished.location, environ, "AWS_REGION", "AWS_DEFAULT_REGION")
    base_url = wished.base_url or first("", environ, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME")
    key = stated_key(row.name, wished, environ) or implied(wished, environ, "AWS_BEARER_TOKEN_BEDROCK")
    login = None if key else aws_login(region, wished, environ)
    if not key and login is None:
        raise Missing("set AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; and AWS_REGION")
    if not PLACE.fullmatch(region):
        raise Missing("set AWS_REGION, or providers.bedrock.location in the settings")
    return replace(
        row,
        base_url=base_url or row.base_url.replace("{location}", region),
        key=Secret(key) if key else None,
        login=login,
        geography=next((name for start, name in GEOGRAPHIES.items() if region.startswith(start)), ""),
    )


def aws_login(region: str, wished: ProviderSettings, environ: Mapping[str, str]) -> Login | None:
    """In the order of AWS's own SDKs."""
    if wished.login == "machine":
        url = first("", environ, "AWS_EC2_METADATA_SERVICE_ENDPOINT")
        return AwsMachineLogin(region, url.rstrip("/")) if url else AwsMachineLogin(region)
    if wished.base_url and wished.login != "environment":
        return None
    id_, secret = first("", environ, "AWS_ACCESS_KEY_ID"), first("", environ, "AWS_SECRET_ACCESS_KEY")
    if id_ and secret:
        session = first("", environ, "AWS_SESSION_TOKEN")
        return AwsKeyLogin(region, AwsKeys(id_, Secret(secret), Secret(session) if session else None))
    url = first("", environ, "AWS_CONTAINER_CREDENTIALS_FULL_URI")
    path = first("", environ, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    if not url and not path:
        return None
    if url and urlsplit(url).scheme != "https" and urlsplit(url).hostname not in NEAR:
        raise Missing("AWS_CONTAINER_CREDENTIALS_FULL_URI leads elsewhere than to this machine, without TLS")
    token = first("", environ, "AWS_CONTAINER_AUTHORIZATION_TOKEN")
    file = first("", environ, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    return AwsRoleLogin(region, url or CONTAINER_HOST + path, Secret(token) if token else None, file)
