"""Whatever a caller sends, the answer is OpenAI-shaped, says what is wrong, and shows no traceback."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.running import Gateway, stopped_after

HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that takes bodies of at most 4,096 bytes."""
    gateway = Gateway(tmp_path_factory.mktemp("small"), "server: {max_body_bytes: 4096}")
    with stopped_after(gateway):
        yield gateway


def error_of(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.headers["content-type"].startswith("application/json")
    assert "Traceback" not in answer.text
    error: dict[str, Any] = answer.json()["error"]
    assert set(error) >= {"message", "type", "param", "code"}
    return error


@pytest.mark.parametrize(
    ("body", "told", "param"),
    [
        (b"", "JSON", None),
        (b"{", "JSON", None),
        (b'{"model": "auto", "messages": [', "JSON", None),
        (b"[]", "object", None),
        (b"\xff\xfe", "JSON", None),
        (b'{"model": "auto"}', "messages", "messages"),
        (b'{"model": "auto", "messages": []}', "messages", "messages"),
        (b'{"model": 7, "messages": [{"role": "user", "content": "hi"}]}', "string", "model"),
        (b'{"model": "auto", "messages": "hi"}', "array", "messages"),
        (b'{"model": "auto", "messages": [{"role": "king", "content": "hi"}]}', "king", "messages[0].role"),
        (b'{"model": "auto", "stream": "yes", "messages": [{"role": "user", "content": "hi"}]}', "boolean", "stream"),
        (b'{"model": "auto", "n": 0, "messages": [{"role": "user", "content": "hi"}]}', "n", "n"),
        (
            b'{"model": "auto", "temperature": "hot", "messages": []}',
            'a number, but got a string instead: "hot"',
            "temperature",
        ),
        (rb'{"model": "auto", "messages": [{"role": "user", "content": "\ud800"}]}', "half a surrogate pair", None),
        (
            b'{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///x"}}]}]}',
            "'file:///x' is no http, https or data URL",
            "messages[0].content[0].image_url.url",
        ),
        (b'{"messages": [' + b'{"role": "user"},' * 200_000 + b'{"role": "user"}]}', "more than 300,000 values", None),
        (b'{"messages": [' + b'{"role": "user"},' * 100_000 + b'{"role": "user"}]}', "100001", "messages"),
    ],
)
def test_a_body_that_cannot_be_read(keyless: Gateway, body: bytes, told: str, param: str | None) -> None:
    answer = keyless.http.post("/v1/chat/completions", content=body)
    error = error_of(answer)
    assert (answer.status_code, error["type"], error["param"]) == (400, "invalid_request_error", param)
    assert told in error["message"]
    assert answer.headers["x-steelyard-decision"].startswith("dec_")


def test_a_long_body_is_served_like_a_short_one(keyless: Gateway) -> None:
    """It is read on a thread."""
    text = "word " * 300_000
    answer = keyless.chat(text, max_tokens=5)
    assert answer.status_code == 200
    plan = keyless.http.post("/v1/route", json={"model": "auto", "messages": [{"role": "user", "content": text}]})
    assert plan.status_code == 200
    assert error_of(keyless.chat(text, model="qualty"))["code"] == "model_not_found"
    assert error_of(keyless.chat(text, temperature="hot"))["param"] == "temperature"


def test_an_unknown_model_names_what_was_probably_meant(keyless: Gateway) -> None:
    answer = keyless.chat(model="qualty")
    error = error_of(answer)
    assert (answer.status_code, error["code"], error["param"]) == (404, "model_not_found", "model")
    assert "quality" in error["message"]


def test_a_known_model_without_a_key_says_which_variable_to_set(keyless: Gateway) -> None:
    error = error_of(keyless.chat(model="openai/gpt-5"))
    assert "OPENAI_API_KEY" in error["message"]


def test_an_unknown_router_in_the_path(keyless: Gateway) -> None:
    answer = keyless.http.post("/routers/nobody/v1/chat/completions", json={"messages": HELLO})
    assert (answer.status_code, error_of(answer)["code"]) == (404, "model_not_found")


def test_nothing_eligible_says_what_excluded_each(keyless: Gateway) -> None:
    answer = keyless.chat(model="sim/classic-base", max_tokens=1_000_000)
    error = error_of(answer)
    assert answer.status_code == 400
    assert "sim/classic-base@sim-delta" in error["message"]


@pytest.mark.parametrize("length", [4097, 1_000_000])
def test_an_oversized_body_is_refused_by_what_arrives(small: Gateway, length: int) -> None:
    answer = small.chat("x" * length)
    assert (answer.status_code, error_of(answer)["code"]) == (413, "payload_too_large")
    assert "4,096" in error_of(answer)["message"]


def test_an_oversized_chunked_body_is_refused_too(small: Gateway) -> None:
    answer = small.http.post("/v1/chat/completions", content=iter([b"x" * 1000] * 10))
    assert answer.status_code == 413


def test_a_compressed_body_is_not_unpacked(keyless: Gateway) -> None:
    answer = keyless.http.post("/v1/chat/completions", content=b"\x1f\x8b", headers={"content-encoding": "gzip"})
    assert (answer.status_code, error_of(answer)["code"]) == (415, "unsupported_content_encoding")


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("GET", "/v1/chat/completions", 405, "POST"),
        ("DELETE", "/v1/models", 405, "GET"),
        ("GET", "/v1/route", 405, "POST"),
        ("GET", "/", 404, "/v1/chat/completions"),
        ("POST", "/v1/nothing", 404, "/v1/chat/completions"),
        ("GET", "/v1/models/nobody/nothing", 404, "nobody/nothing"),
        ("GET", "/v1/decisions/dec_0000", 404, "dec_0000"),
        ("GET", "/v1/usage?by=colour", 400, "colour"),
        ("GET", "/v1/usage?since=yesterday", 400, "yesterday"),
    ],
)
def test_a_wrong_path_or_method(keyless: Gateway, method: str, path: str, status: int, told: str) -> None:
    answer = keyless.http.request(method, path)
    assert answer.status_code == status
    assert told in error_of(answer)["message"]
    assert status != 405 or answer.headers["allow"]


def test_a_foreign_host_is_misdirected(keyless: Gateway) -> None:
    answer = keyless.http.get("/v1/models", headers={"host": "evil.example"})
    assert (answer.status_code, error_of(answer)["code"]) == (421, "misdirected_request")


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}],
    ids=["origin", "null origin", "cross-site"],
)
def test_a_web_page_of_another_site_is_refused(keyless: Gateway, headers: dict[str, str]) -> None:
    answer = keyless.chat(headers=headers)
    assert (answer.status_code, error_of(answer)["code"]) == (403, "foreign_origin")


def test_a_page_of_this_machine_may_call(keyless: Gateway) -> None:
    assert keyless.chat(headers={"origin": "http://localhost:3000"}).status_code == 200


def test_bytes_that_are_no_http_get_json_and_a_closed_connection(keyless: Gateway) -> None:
    port = int(keyless.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"NONSENSE\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b'"invalid_http"' in received


def test_the_server_is_alive_after_all_of_this(keyless: Gateway) -> None:
    assert keyless.chat().status_code == 200
    assert not [line for line in keyless.lines if "Traceback" in line]


def test_settings_that_are_wrong_stop_the_start_with_every_finding(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="2 things are wrong") as raised:
        Gateway(tmp_path, "routers:\n  a: {weights: {cost: -1, quality: 1}}\n  b: {weights: {speed: 1}}\n")
    assert "steelyard.yaml:2:23: routers.a.weights.cost is -1; a weight is 0 or more" in str(raised.value)
