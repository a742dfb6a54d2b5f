"""The clouds' own variables and our settings, to an address, a way for each model, and what lets us in."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.providers.provider import Provider
from gateway.providers.request import model_url, upstream_headers
from gateway.providers.table import found_keys, resolve
from gateway.settings.schema import ModelSettings, ProviderSettings, Settings
from gateway.transport.logins import (
    AwsKeyLogin,
    AwsKeys,
    AwsMachineLogin,
    AwsRoleLogin,
    EntraLogin,
    EntraMachineLogin,
    GoogleKeyLogin,
    GoogleMachineLogin,
)
from gateway.wire.secret import Secret

KEYS = {"AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "s3cret"}
AWS = {"AWS_REGION": "us-east-1", **KEYS}
AZURE = {"AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com/", "AZURE_OPENAI_API_KEY": "az-key"}
ENTRA = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "app", "AZURE_CLIENT_SECRET": "s3cret"}
ACCOUNT = {
    "type": "service_account",
    "project_id": "own-project",
    "client_email": "me@own-project.iam.gserviceaccount.com",
    "private_key": "-----BEGIN PRIVATE KEY-----",
    "private_key_id": "k1",
}


def found(name: str, environ: dict[str, str], **wished: Any) -> Provider:
    resolution = resolve(Settings(providers={name: ProviderSettings(**wished)}), environ)
    assert name in resolution.live, resolution.absent[name]
    return resolution.live[name]


def missing(name: str, environ: dict[str, str], **wished: Any) -> str:
    return resolve(Settings(providers={name: ProviderSettings(**wished)}), environ).absent[name]


def url(provider: Provider, model: str, name: str, *, stream: bool = False, api: str = "") -> str:
    route = provider.route_for(model, name, api)
    assert route is not None
    return model_url(provider, provider.name_of(name), stream=stream, route=route)


def header(provider: Provider, model: str, name: str) -> dict[str, str]:
    return dict(upstream_headers(provider, provider.route_for(model, name, "")))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "account.json"
    path.write_text(json.dumps(ACCOUNT))
    path.chmod(0o600)
    return path


# Bedrock


def test_bedrock_takes_a_bearer_key_before_all_else() -> None:
    bedrock = found("bedrock", {**AWS, "AWS_BEARER_TOKEN_BEDROCK": "bedrock-key"})
    assert bedrock.login is None
    assert header(bedrock, "amazon/nova", "amazon.nova-lite-v1:0")["authorization"] == "Bearer bedrock-key"
    assert (
        url(bedrock, "amazon/nova-lite-v1", "amazon.nova-lite-v1:0")
        == "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1:0/converse"
    )


def test_bedrock_signs_with_keys_of_the_environment() -> None:
    bedrock = found("bedrock", {**AWS, "AWS_SESSION_TOKEN": "sess1on"})
    assert bedrock.login == AwsKeyLogin("us-east-1", AwsKeys("AKIA1", Secret("s3cret"), Secret("sess1on")))
    assert bedrock.key is None
    assert "authorization" not in header(bedrock, "amazon/nova", "amazon.nova-lite-v1:0")


def test_claude_goes_the_way_of_its_maker_and_all_others_that_of_bedrock() -> None:
    bedrock = found("bedrock", AWS)
    base = "https://bedrock-runtime.us-east-1.amazonaws.com/model"
    claude = ("anthropic/claude-haiku-4.5", "global.anthropic.claude-haiku-4-5-20251001-v1:0")
    assert url(bedrock, *claude) == f"{base}/{claude[1]}/invoke"
    assert url(bedrock, *claude, stream=True) == f"{base}/{claude[1]}/invoke-with-response-stream"
    assert url(bedrock, "qwen/q", "qwen.q", stream=True) == f"{base}/qwen.q/converse-stream"
    assert bedrock.route_for("openai/gpt-5.5", "openai.gpt-5.5", "responses") is None


@pytest.mark.parametrize(
    ("region", "name"),
    [("us-west-2", "us.x"), ("ca-central-1", "us.x"), ("eu-central-1", "eu.x"), ("ap-northeast-1", "apac.x")],
)
def test_a_model_that_is_shared_is_asked_by_the_name_of_the_geography(region: str, name: str) -> None:
    bedrock = found("bedrock", {**AWS, "AWS_REGION": region})
    assert bedrock.name_of("us.x") == name
    assert bedrock.name_of("global.x") == "global.x"


@pytest.mark.parametrize(
    ("environ", "login"),
    [
        (
            {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/1"},
            AwsRoleLogin("us-east-1", "http://169.254.170.2/v2/1"),
        ),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/var/run/token",
            },
            AwsRoleLogin("us-east-1", "http://169.254.170.23/v1/credentials", token_file="/var/run/token"),
        ),
        (
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://my.host/c", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "tok"},
            AwsRoleLogin("us-east-1", "https://my.host/c", Secret("tok")),
        ),
    ],
)
def test_a_container_has_a_role(environ: dict[str, str], login: AwsRoleLogin) -> None:
    assert found("bedrock", {"AWS_DEFAULT_REGION": "us-east-1", **environ}).login == login


def test_a_containers_token_is_shown_to_nobody_elsewhere() -> None:
    environ = {"AWS_REGION": "us-east-1", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.example/c"}
    assert "leads elsewhere" in missing("bedrock", environ)


def test_an_instances_role_is_asked_for_only_when_the_settings_say_so() -> None:
    assert "set AWS_BEARER_TOKEN_BEDROCK" in missing("bedrock", {"AWS_REGION": "us-east-1"})
    machine = found("bedrock", {}, location="eu-west-1", login="machine")
    assert machine.login == AwsMachineLogin("eu-west-1")
    environ = {**AWS, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1338/"}
    assert found("bedrock", environ, login="machine").login == AwsMachineLogin("us-east-1", "http://127.0.0.1:1338")


@pytest.mark.parametrize("region", ["", "us east", "evil.example/#"])
def test_bedrock_without_a_region_says_so(region: str) -> None:
    assert missing("bedrock", {**KEYS, "AWS_REGION": region}).startswith("set AWS_REGION")


def test_another_address_gets_credentials_of_the_environment_only_when_that_is_said() -> None:
    there = {"base_url": "https://vpce-1.example"}
    assert "AWS_BEARER_TOKEN_BEDROCK" in missing("bedrock", {**AWS, "AWS_BEARER_TOKEN_BEDROCK": "k"}, **there)
    signed = found("bedrock", AWS, **there, login="environment")
    assert (signed.base_url, signed.login) == ("https://vpce-1.example", found("bedrock", AWS).login)
    named = found("bedrock", {**AWS, "MY_KEY": "k2"}, **there, api_key="env:MY_KEY")
    assert header(named, "amazon/nova", "amazon.nova")["authorization"] == "Bearer k2"
    own = found("bedrock", {**AWS, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "http://127.0.0.1:9"})
    assert own.base_url == "http://127.0.0.1:9"


# Vertex


def test_a_service_account_lets_us_in_at_vertex_and_names_its_project(key_file: Path) -> None:
    vertex = found("vertex", {"GOOGLE_APPLICATION_CREDENTIALS": str(key_file)})
    assert vertex.login == GoogleKeyLogin(ACCOUNT["client_email"], "k1", Secret(ACCOUNT["private_key"]))
    assert vertex.key is None
    there = "https://aiplatform.googleapis.com/{}/projects/own-project/locations/global"
    gemini = url(vertex, "google/gemini-2.5-pro", "gemini-2.5-pro", stream=True)
    assert gemini == there.format("v1beta1") + "/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse"
    claude = url(vertex, "anthropic/claude-opus-4.5", "claude-opus-4-5@20251101")
    assert claude == there.format("v1") + "/publishers/anthropic/models/claude-opus-4-5@20251101:rawPredict"
    llama = url(vertex, "meta-llama/llama-4-scout", "meta/llama-4-scout-maas")
    assert llama == there.format("v1") + "/endpoints/openapi/chat/completions"
    assert vertex.route_for("mistralai/codestral-2", "codestral-2", "") is None


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
        ("europe-west4", "europe-west4-aiplatform.googleapis.com"),
    ],
)
def test_each_location_has_its_own_host(key_file: Path, location: str, host: str) -> None:
    environ = {"GOOGLE_APPLICATION_CREDENTIALS": str(key_file), "GOOGLE_CLOUD_PROJECT": "p"}
    vertex = found("vertex", environ, location=location)
    assert url(vertex, "google/g", "g").startswith(f"https://{host}/v1beta1/projects/p/locations/{location}/")


def test_the_key_file_may_be_named_by_the_settings(key_file: Path) -> None:
    vertex = found("vertex", {}, api_key=f"file:{key_file}", project="p")
    assert isinstance(vertex.login, GoogleKeyLogin)
    assert "/projects/p/" in url(vertex, "google/g", "g")


def test_a_plain_key_reaches_gemini_and_nothing_else() -> None:
    vertex = found("vertex", {"GOOGLE_VERTEX_API_KEY": "AQ.key"})
    assert header(vertex, "google/g", "g")["x-goog-api-key"] == "AQ.key"
    there = "https://aiplatform.googleapis.com/v1beta1/publishers/google/models/g:generateContent"
    assert url(vertex, "google/g", "g") == there
    assert vertex.route_for("anthropic/claude-opus-4.5", "claude-opus-4-5", "") is None


def test_a_machine_at_google_needs_to_be_told_the_project() -> None:
    assert missing("vertex", {}, login="machine").startswith("set GOOGLE_CLOUD_PROJECT")
    vertex = found("vertex", {"GCE_METADATA_HOST": "127.0.0.1:80"}, login="machine", project="p")
    assert vertex.login == GoogleMachineLogin("http://127.0.0.1:80")
    assert found("vertex", {}, login="machine", project="p").login == GoogleMachineLogin()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no key file"),
        (json.dumps({"type": "authorized_user"}), "of another type"),
        (json.dumps(ACCOUNT | {"private_key": ""}), "of another type"),
        (None, "cannot be read"),
    ],
)
def test_a_key_file_that_is_none_is_told_and_not_shown(tmp_path: Path, text: str | None, told: str) -> None:
    path = tmp_path / "account.json"
    if text is not None:
        path.write_text(text)
    assert told in missing("vertex", {"GOOGLE_APPLICATION_CREDENTIALS": str(path)})


def test_vertex_says_what_it_lacks() -> None:
    assert "GOOGLE_APPLICATION_CREDENTIALS" in missing("vertex", {})
    environ = {"GOOGLE_VERTEX_API_KEY": "k", "GOOGLE_CLOUD_PROJECT": "p/../x"}
    assert "GOOGLE_CLOUD_PROJECT holds a character" in missing("vertex", environ)


# Azure


def test_azure_asks_for_deployments_at_the_address_without_a_version() -> None:
    azure = found("azure", AZURE)
    assert url(azure, "openai/gpt-5", "gpt-5") == "https://r.openai.azure.com/openai/v1/chat/completions"
    assert url(azure, "openai/gpt-5-pro", "gpt-5-pro", api="responses").endswith("/openai/v1/responses")
    assert header(azure, "openai/gpt-5", "gpt-5")["api-key"] == "az-key"


@pytest.mark.parametrize("end", ["", "/", "/openai", "/openai/v1", "/openai/v1/"])
def test_the_endpoint_may_be_written_with_or_without_its_path(end: str) -> None:
    azure = found("azure", {**AZURE, "AZURE_OPENAI_ENDPOINT": f"https://r.openai.azure.com{end}"})
    assert azure.base_url == "https://r.openai.azure.com"


@pytest.mark.parametrize("version", ["v1", "preview", "2024-10-21"])
def test_a_version_makes_the_older_address_unless_it_is_a_word_for_the_newer(version: str) -> None:
    azure = found("azure", {**AZURE, "OPENAI_API_VERSION": version})
    chat = url(azure, "openai/gpt-5", "team gpt5")
    if version == "2024-10-21":
        there = "https://r.openai.azure.com/openai"
        assert chat == f"{there}/deployments/team%20gpt5/chat/completions?api-version={version}"
        assert url(azure, "openai/o3-pro", "o3", api="responses") == f"{there}/responses?api-version={version}"
    else:
        assert chat.endswith("/openai/v1/chat/completions")


def test_claude_at_azure_is_asked_in_its_own_format() -> None:
    azure = found(
        "azure", {**AZURE, "AZURE_OPENAI_ENDPOINT": "https://r.services.ai.azure.com"}, api_version="2024-10-21"
    )
    claude = ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5")
    assert url(azure, *claude) == "https://r.services.ai.azure.com/anthropic/v1/messages"
    headers = header(azure, *claude)
    assert (headers["x-api-key"], headers["anthropic-version"]) == ("az-key", "2023-06-01")


def test_an_application_of_entra_stands_in_for_a_key() -> None:
    environ = {"AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com", **ENTRA}
    azure = found("azure", environ)
    assert azure.login == EntraLogin("t", "app", Secret("s3cret"))
    assert azure.key is None
    national = found("azure", {**environ, "AZURE_AUTHORITY_HOST": "login.microsoftonline.us"}).login
    assert national == EntraLogin("t", "app", Secret("s3cret"), "https://login.microsoftonline.us")
    assert found("azure", environ, login="machine").login == EntraMachineLogin("app")
    proxied = found("azure", {**environ, "HTTPS_PROXY": "http://proxy:3128"}).login
    assert isinstance(proxied, EntraLogin)
    assert proxied.proxy == "http://proxy:3128"


def test_azure_serves_the_deployments_that_are_listed_and_no_others() -> None:
    listed = (ModelSettings(id="openai/gpt-5", upstream_name="team-gpt5"),)
    azure = found("azure", AZURE, models=listed)
    assert azure.route_for("openai/gpt-5", "team-gpt5", "") is not None
    assert azure.route_for("openai/gpt-4o", "gpt-4o", "") is None
    assert found("azure", AZURE).route_for("openai/gpt-4o", "gpt-4o", "") is not None


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, "set AZURE_OPENAI_ENDPOINT"),
        ({"AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com"}, "set AZURE_OPENAI_API_KEY, or AZURE_TENANT_ID"),
        ({**AZURE, "AZURE_OPENAI_ENDPOINT": "r.openai.azure.com"}, "is no address"),
        ({**AZURE, "OPENAI_API_VERSION": "2024&x=1"}, "the API version is none"),
        ({**AZURE, "AZURE_OPENAI_API_KEY": "a b"}, "its key has a space"),
    ],
)
def test_azure_says_what_it_lacks(environ: dict[str, str], told: str) -> None:
    assert told in missing("azure", environ)


# All of them


@pytest.mark.parametrize("name", ["bedrock", "vertex", "azure"])
def test_a_key_that_leads_nowhere_is_told_by_its_place(name: str) -> None:
    told = missing(name, {**AWS, **AZURE}, api_key="env:MISSING_KEY")
    assert told.startswith(f"providers.{name}.api_key refers to env:MISSING_KEY, which is not set")
    assert "looks like a key itself" in missing(name, {**AWS, **AZURE}, api_key="sk-written-here")


def test_headers_of_the_settings_go_to_a_cloud_too() -> None:
    azure = found("azure", AZURE, headers={"X-Team": "a"}, region="SWE")
    assert header(azure, "openai/gpt-5", "gpt-5")["x-team"] == "a"
    assert azure.region == "SWE"


def test_no_variable_alone_is_told_to_make_a_cloud_live() -> None:
    assert found_keys({"AWS_BEARER_TOKEN_BEDROCK": "k", **AZURE}) == {}


def test_a_cloud_shows_no_secret(key_file: Path) -> None:
    shown = repr(found("bedrock", AWS)) + repr(found("azure", AZURE))
    shown += repr(found("vertex", {"GOOGLE_APPLICATION_CREDENTIALS": str(key_file)}))
    assert not [secret for secret in ("s3cret", "az-key", "BEGIN PRIVATE") if secret in shown]
