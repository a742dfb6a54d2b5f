"""Signatures, held to what Amazon publishes and to its own library."""

from datetime import UTC, datetime
from typing import Any

import botocore.auth  # type: ignore[import-untyped]
import pytest
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
from botocore.credentials import Credentials  # type: ignore[import-untyped]
from yarl import URL

from gateway.transport.logins import AwsKeys
from gateway.transport.sigv4 import canonical_request, signed_headers, signing_key
from gateway.wire.secret import Secret

KEYS = AwsKeys("AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
SESSION = AwsKeys(KEYS.id, KEYS.secret, Secret("AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQW=="))
MOMENT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com"

# Source: AWS Signature Version 4 test suite (aws4_testsuite), read 2026-11-23: name, method, address, signature.
PUBLISHED = [
    (
        "get-vanilla",
        "GET",
        "https://example.amazonaws.com/",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "post-vanilla",
        "POST",
        "https://example.amazonaws.com/",
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    (
        "get-vanilla-query-order-key-case",
        "GET",
        "https://example.amazonaws.com/?Param2=value2&Param1=value1",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    (
        "get-vanilla-empty-query-key",
        "GET",
        "https://example.amazonaws.com/?Param1=value1",
        "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
    ),
]


@pytest.mark.parametrize(("name", "method", "url", "signature"), PUBLISHED)
def test_amazons_published_requests_get_their_published_signatures(
    name: str, method: str, url: str, signature: str
) -> None:
    headers = signed_headers(KEYS, "us-east-1", URL(url), b"", MOMENT.timestamp(), method, "service")
    assert headers["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={signature}"
    )
    assert headers["x-amz-date"] == "20150830T123600Z"


def test_the_signing_key_is_the_published_one() -> None:
    # Source: AWS general reference, "Examples of how to derive a signing key for Signature Version 4".
    key = signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20120215", "us-east-1", "iam")
    assert key.hex() == "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"


@pytest.mark.parametrize("keys", [KEYS, SESSION], ids=["keys", "session"])
@pytest.mark.parametrize(
    "url",
    [
        f"{BEDROCK}/model/us.amazon.nova-lite-v1:0/converse",
        f"{BEDROCK}/model/arn:aws:bedrock:us-east-1:1:inference-profile%2Fabc/converse-stream",
        "http://127.0.0.1:8080/model/anthropic.claude~x/invoke",
        "http://[::1]:8080/model/m/invoke?a=b&A=%20c&empty",
    ],
)
@pytest.mark.parametrize("body", [b"", b'{"messages":[]}', "héllo".encode()])
def test_a_signature_is_that_of_amazons_library(
    url: str, body: bytes, keys: AwsKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: MOMENT)
    address = URL(url, encoded=True)
    theirs: Any = AWSRequest("POST", str(address), data=body)
    session = keys.session.reveal() if keys.session is not None else None
    signer = botocore.auth.SigV4Auth(Credentials(keys.id, keys.secret.reveal(), session), "bedrock", "us-east-1")
    signer.add_auth(theirs)
    ours = signed_headers(keys, "us-east-1", address, body, MOMENT.timestamp())
    assert ours["authorization"] == theirs.headers["Authorization"]
    assert ours.get("x-amz-security-token") == theirs.headers.get("X-Amz-Security-Token")


def test_the_order_of_headers_and_the_space_in_them_change_nothing() -> None:
    plain = canonical_request("POST", URL(BEDROCK), {"host": "h", "x-amz-date": "d"}, b"")
    assert canonical_request("POST", URL(BEDROCK), {"x-amz-date": " d ", "host": "h"}, b"") == plain
