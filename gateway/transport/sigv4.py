"""AWS Signature Version 4 of a request whose headers and body are known. Pure; the time is an argument.

Source: AWS Identity and Access Management user guide, "Create a signed AWS API request", read 2026-11-23.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote

from yarl import URL

from gateway.transport.logins import AwsKeys

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "bedrock"


def signed_headers(
    keys: AwsKeys, region: str, url: URL, body: bytes, now_unix: float, method: str = "POST", service: str = SERVICE
) -> dict[str, str]:
    """The headers to add: authorization, the time, and the session of a role.

    Host, time and session are signed with the body; what else is sent may change on its way.
    """
    time = datetime.fromtimestamp(now_unix, UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {"x-amz-date": time}
    if keys.session is not None:
        headers["x-amz-security-token"] = keys.session.reveal()
    signed = {"host": url.host_port_subcomponent or "", **headers}
    scope = f"{time[:8]}/{region}/{service}/aws4_request"
    request = canonical_request(method, url, signed, body)
    text = f"{ALGORITHM}\n{time}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = signing_key(keys.secret.reveal(), time[:8], region, service)
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    names = ";".join(sorted(signed))
    headers["authorization"] = f"{ALGORITHM} Credential={keys.id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return headers


def canonical_request(method: str, url: URL, headers: Mapping[str, str], body: bytes) -> str:
    """headers: those that are signed, names in lower case. The path is encoded a second time, as all but S3 want it."""
    path = quote(url.raw_path, safe="/~-_.")
    query = "&".join(sorted(pair if "=" in pair else f"{pair}=" for pair in url.raw_query_string.split("&") if pair))
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers))
    names = ";".join(sorted(headers))
    return f"{method}\n{path}\n{query}\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"


@lru_cache(maxsize=16)  # one per set of keys and day
def signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
