"""Everything that lets us in at the clouds, fetched over loopback from servers that play the clouds' own."""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from yarl import URL

from gateway.transport.failure import TransportFailure
from gateway.transport.logins import (
    AwsKeyLogin,
    AwsKeys,
    AwsMachineLogin,
    AwsRoleLogin,
    EntraLogin,
    EntraMachineLogin,
    GoogleKeyLogin,
    GoogleMachineLogin,
    Login,
)
from gateway.transport.send import Transport
from gateway.transport.wallet import Wallet
from gateway.wire.secret import Secret
from tests.execution.providers import RawServer, Visit, raw

TARGET = URL("https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse")
TOKEN = {"access_token": "ya29.token", "expires_in": 3600, "token_type": "Bearer"}
KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def keys(name: str = "ASIA1", **more: str) -> dict[str, str]:
    until = (datetime.now(UTC) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"AccessKeyId": name, "SecretAccessKey": "s3cret", "Token": "sess1on", "Expiration": until} | more


class Giver:
    """Answers each path with a document, or a status; keeps what was asked."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.asked: list[tuple[str, str]] = []  # head in lower case, body
        self.was_asked = asyncio.Event()
        self._answers = answers

    async def __call__(self, visit: Visit) -> None:
        head = (await visit.head()).decode()
        lower = head.lower()
        size = int(lower.partition("content-length: ")[2].partition("\r\n")[0] or 0)
        self.asked.append((lower, (await visit.body(size)).decode()))
        self.was_asked.set()
        answer = self._answers.get(head.split(" ")[1], 404)
        status = answer if isinstance(answer, int) else 200
        body = answer if isinstance(answer, str) else json.dumps({"error": "no_luck"} if status != 200 else answer)
        start = f"HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {len(body.encode())}\r\n\r\n"
        await visit.write(start.encode() + body.encode())


@pytest.fixture
async def wallet() -> AsyncIterator[Wallet]:
    transport = Transport()
    await transport.open()
    yield transport.wallet
    await transport.close()


def at(server: RawServer) -> str:
    return f"http://127.0.0.1:{server.port}"


async def authorization(wallet: Wallet, login: Login) -> str:
    """What a request gets to be let in."""
    return (await wallet.signed(login, TARGET, {"content-type": "application/json"}, b"{}"))["authorization"]


async def test_keys_sign_without_asking_anybody(wallet: Wallet) -> None:
    login = AwsKeyLogin("us-east-1", AwsKeys("AKIA1", Secret("s3cret"), Secret("sess1on")))
    headers = await wallet.signed(login, TARGET, {"content-type": "application/json"}, b"{}")
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIA1/")
    assert (
        "/us-east-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token"
        in headers["authorization"]
    )
    assert headers["x-amz-security-token"] == "sess1on"
    assert headers["content-type"] == "application/json"
    assert list(wallet.secrets(login)) == ["s3cret", "sess1on"]


async def test_a_containers_role_is_asked_once_with_the_token_it_was_given(wallet: Wallet, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("pod-identity\n")
    giver = Giver({"/v2/credentials/1": keys()})
    async with raw(giver) as server:
        for login in (
            AwsRoleLogin("us-east-1", f"{at(server)}/v2/credentials/1", Secret("Basic abc")),
            AwsRoleLogin("us-east-1", f"{at(server)}/v2/credentials/1", token_file=str(file)),
        ):
            assert "Credential=ASIA1/" in await authorization(wallet, login)
            assert "Credential=ASIA1/" in await authorization(wallet, login)
            assert list(wallet.secrets(login)) == ["s3cret", "sess1on"]
    assert ["authorization: basic abc" in head for head, _ in giver.asked] == [True, False]
    assert "authorization: pod-identity\r\n" in giver.asked[1][0]


async def test_an_instances_role_is_asked_in_a_session(wallet: Wallet) -> None:
    roles = "/latest/meta-data/iam/security-credentials/"
    giver = Giver({"/latest/api/token": "imds-session", roles: "my-role", f"{roles}my-role": keys(Code="Success")})
    async with raw(giver) as server:
        assert "Credential=ASIA1/" in await authorization(wallet, AwsMachineLogin("us-east-1", at(server)))
    first, *rest = (head for head, _ in giver.asked)
    assert first.startswith("put /latest/api/token")
    assert "x-aws-ec2-metadata-token-ttl-seconds: 21600" in first
    assert all("x-aws-ec2-metadata-token: imds-session" in head for head in rest)


async def test_a_service_account_signs_a_statement_that_google_can_check(wallet: Wallet) -> None:
    giver = Giver({"/token": TOKEN})
    async with raw(giver) as server:
        login = GoogleKeyLogin("me@p.iam.gserviceaccount.com", "key-1", Secret(PEM), f"{at(server)}/token")
        assert await authorization(wallet, login) == "Bearer ya29.token"
        assert list(wallet.secrets(login)) == ["ya29.token"]
    head, body = giver.asked[0]
    assert "content-type: application/x-www-form-urlencoded" in head
    form = parse_qs(body)
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    text, _, signature = form["assertion"][0].rpartition(".")
    KEY.public_key().verify(decoded(signature), text.encode(), padding.PKCS1v15(), SHA256())
    header, claims = (json.loads(decoded(part)) for part in text.split("."))
    assert header == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    assert (claims["iss"], claims["aud"]) == (login.email, login.url)
    assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
    assert claims["exp"] - claims["iat"] == 3600


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "==")


async def test_a_machine_at_google_is_asked_as_google_wants_it(wallet: Wallet) -> None:
    giver = Giver({"/computeMetadata/v1/instance/service-accounts/default/token": TOKEN})
    async with raw(giver) as server:
        assert await authorization(wallet, GoogleMachineLogin(at(server))) == "Bearer ya29.token"
    assert "metadata-flavor: google" in giver.asked[0][0]


async def test_an_application_of_entra_asks_its_tenant(wallet: Wallet) -> None:
    giver = Giver({"/my-tenant/oauth2/v2.0/token": TOKEN})
    async with raw(giver) as server:
        login = EntraLogin("my-tenant", "app-1", Secret("app s3cret&"), at(server))
        assert await authorization(wallet, login) == "Bearer ya29.token"
    assert parse_qs(giver.asked[0][1]) == {
        "grant_type": ["client_credentials"],
        "client_id": ["app-1"],
        "client_secret": ["app s3cret&"],
        "scope": ["https://cognitiveservices.azure.com/.default"],
    }


async def test_a_machine_at_azure_is_asked_for_its_managed_identity(wallet: Wallet) -> None:
    path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://cognitiveservices.azure.com"
    giver = Giver({f"{path}&client_id=id-1": TOKEN | {"expires_in": "3599"}})
    async with raw(giver) as server:
        assert await authorization(wallet, EntraMachineLogin("id-1", at(server))) == "Bearer ya29.token"
    assert "metadata: true" in giver.asked[0][0]


@pytest.mark.parametrize(
    ("answer", "cause", "told"),
    [
        (400, "credentials", "no credentials: Microsoft Entra answered with status 400 (no_luck)"),
        (401, "credentials", "no credentials: Microsoft Entra answered with status 401 (no_luck)"),
        (429, "connect", "no credentials: Microsoft Entra answered with status 429 (no_luck)"),
        (503, "connect", "no credentials: Microsoft Entra answered with status 503 (no_luck)"),
        (302, "connect", "no credentials: Microsoft Entra answered with status 302 (no_luck)"),
        ({"error": "x"}, "credentials", "no credentials: the answer of Microsoft Entra makes no sense"),
        ("<html>", "credentials", "no credentials: the answer of Microsoft Entra makes no sense"),
    ],
)
async def test_a_refusal_is_told_in_our_words(wallet: Wallet, answer: object, cause: str, told: str) -> None:
    async with raw(Giver({"/t/oauth2/v2.0/token": answer})) as server:
        with pytest.raises(TransportFailure) as failed:
            await authorization(wallet, EntraLogin("t", "app-1", Secret("hidden"), at(server)))
    assert (failed.value.cause, failed.value.detail) == (cause, told)


async def test_a_server_that_is_not_there_is_a_failed_connection(wallet: Wallet) -> None:
    async with raw(Giver({})) as server:
        gone = at(server)
    with pytest.raises(TransportFailure, match="no credentials from Microsoft Entra: it cannot be reached") as failed:
        await authorization(wallet, EntraLogin("t", "app-1", Secret("hidden"), gone))
    assert failed.value.cause == "connect"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({}, "the answer of the container's credentials endpoint makes no sense"),
        (keys(Expiration="soon"), "does not say until when they hold"),
        (404, "the container's credentials endpoint answered with status 404"),
    ],
)
async def test_keys_that_make_no_sense_are_none(wallet: Wallet, answer: object, told: str) -> None:
    async with raw(Giver({"/c": answer})) as server:
        with pytest.raises(TransportFailure, match=told) as failed:
            await authorization(wallet, AwsRoleLogin("us-east-1", f"{at(server)}/c"))
    assert failed.value.cause == "credentials"


async def test_an_instance_without_a_role_and_a_token_file_that_is_gone_are_told(wallet: Wallet) -> None:
    roles = "/latest/meta-data/iam/security-credentials/"
    async with raw(Giver({"/latest/api/token": "s", roles: ""})) as server:
        with pytest.raises(TransportFailure, match="this instance has no role"):
            await authorization(wallet, AwsMachineLogin("us-east-1", at(server)))
        with pytest.raises(TransportFailure, match="/nowhere/token cannot be read"):
            await authorization(wallet, AwsRoleLogin("us-east-1", f"{at(server)}/c", token_file="/nowhere/token"))


@pytest.mark.parametrize(
    ("pem", "told"),
    [
        ("-----BEGIN PRIVATE KEY-----\nhidden\n-----END PRIVATE KEY-----\n", "no key in PEM"),
        (
            ec.generate_private_key(ec.SECP256R1())
            .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            .decode(),
            "no RSA key",
        ),
    ],
    ids=["nonsense", "another kind"],
)
async def test_a_private_key_that_is_none_is_told_and_not_shown(wallet: Wallet, pem: str, told: str) -> None:
    with pytest.raises(TransportFailure, match=told) as failed:
        await authorization(wallet, GoogleKeyLogin("me", "k", Secret(pem), "http://127.0.0.1:9/token"))
    assert "hidden" not in str(failed.value)


async def test_what_is_in_use_is_fetched_before_anybody_needs_it(wallet: Wallet) -> None:
    giver = Giver({"/t/oauth2/v2.0/token": TOKEN})
    async with raw(giver) as server:
        login = EntraLogin("t", "app-1", Secret("hidden"), at(server))
        keeping = asyncio.create_task(wallet.keep_fresh())
        wallet.use({login})
        async with asyncio.timeout(10):
            await giver.was_asked.wait()
        assert await authorization(wallet, login) == "Bearer ya29.token"
        assert len(giver.asked) == 1, "the request gets what was asked for without it"
        keeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await keeping


async def test_what_is_no_longer_in_use_is_forgotten_and_the_rest_is_kept(wallet: Wallet) -> None:
    giver = Giver({"/a/oauth2/v2.0/token": TOKEN, "/b/oauth2/v2.0/token": TOKEN})
    async with raw(giver) as server:
        logins = [EntraLogin(tenant, "app", Secret("x"), at(server)) for tenant in ("a", "b")]
        for login in logins:
            await authorization(wallet, login)
        wallet.use({EntraLogin("a", "app", Secret("x"), at(server))})
        for login in logins:
            await authorization(wallet, login)
    assert [head.split("/")[1] for head, _ in giver.asked] == ["a", "b", "b"]


def test_a_login_shows_no_secret() -> None:
    shown = repr(EntraLogin("t", "app", Secret("hidden"))) + repr(AwsKeys("id", Secret("hidden"), Secret("hidden")))
    assert "hidden" not in shown + repr(GoogleKeyLogin("me", "k", Secret("hidden")))
