"""Who gets in: every route asks for the key (S05), a key opens its routers by whatever name (S24), no path leads to a
file (S19), and nothing that a caller sends is ever SQL (S26).
"""

import hashlib
import http.client
import itertools
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.routing import Route

from gateway.accounting.sqlite_ledger import SqliteLedger
from gateway.bootstrap import compile_snapshot
from gateway.live import Live
from gateway.server.app import FrontDoor, make_app
from gateway.server.limits import Message
from gateway.server.state import State
from gateway.settings.load import load_text
from gateway.transport.send import Transport
from tests.accounting.receipts import a_receipt
from tests.execution.providers import Visit, raw
from tests.execution.spine import EMPTY, Headers, Reply, collect
from tests.running import Gateway
from tests.security.counts import count

KEY, NARROW_KEY = "sk-steelyard-" + "a" * 43, "sk-steelyard-" + "b" * 43
OPEN = {"/healthz", "/readyz"}  # the only routes for whoever comes along
BODY = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9, "input": "hi", "prompt": "hi"}
SETTINGS = """
keys:
  - {{name: wide, sha256: {wide}}}
  - {{name: narrow, sha256: {narrow}, routers: [cheap]}}
routers: {{cheap: {{weights: {{cost: 1}}}}}}
aliases: {{gpt-4o: auto, small: cheap, "*": auto}}
providers:
  own: {{base_url: "http://127.0.0.1:{port}/v1", models: [{{id: own/model}}, {{id: own/vectors, embeddings: true}}]}}
"""


class House:
    """The application with its keys, without its process."""

    def __init__(self, folder: Path, port: int, is_loopback: bool = False) -> None:
        text = SETTINGS.format(wide=digest(KEY), narrow=digest(NARROW_KEY), port=port)
        loaded = load_text(text, "steelyard.yaml", {}, [])
        self.transport = Transport()
        self.ledger = SqliteLedger(folder / "ledger.db")
        self.ledger.write([a_receipt()])
        live = Live(compile_snapshot(loaded.settings, EMPTY, {}, None))
        self.door: FrontDoor = make_app(State(live, self.transport, []), self.ledger, is_loopback, dict)

    async def ask(self, method: str, path: str, headers: Headers = [], query: str = "", **body: object) -> Reply:  # noqa: B006
        reply = Reply()
        scope = {
            "type": "http",
            "http_version": "1.1",
            "scheme": "http",
            "method": method,
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": headers,
        }

        async def receive() -> Message:
            return {"type": "http.request", "body": json.dumps({**BODY, **body}).encode(), "more_body": False}

        send = collect(reply)
        await self.door(scope, receive, lambda message: send({"more_body": False, **message}))
        return reply


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def bearer(key: str) -> Headers:
    return [(b"host", b"gateway.example"), (b"authorization", f"Bearer {key}".encode())]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async def good(visit: Visit) -> None:
        while True:
            await visit.request()
            await visit.answer()

    async with raw(good) as server:
        house = House(tmp_path, server.port)
        await house.transport.open()
        yield house
        await house.transport.close()
        house.ledger.close()


def doors(house: House) -> Iterator[tuple[str, str]]:
    """Every route of the table with each of its methods."""
    for route in house.door._app.routes:
        assert isinstance(route, Route)
        path = re.sub(r"\{[^}]*\}", "x", route.path)
        yield from ((method, path) for method in sorted(route.methods or {"POST"}))


async def test_every_route_but_two_wants_a_key_that_is_known(house: House) -> None:
    walked = list(doors(house))
    assert len(walked) > 60
    assert {path for _, path in walked} >= OPEN
    for method, path in walked:
        refused = [(await house.ask(method, path, headers)).status for headers in ([], bearer("x"), bearer(KEY[:-1]))]
        assert refused == ([200] * 3 if path in OPEN else [401] * 3), f"{method} {path}"
        assert (await house.ask(method, path, bearer(KEY))).status != 401, f"{method} {path}"


ASIDE = (
    *(
        "//v1/models",
        "/%76%31/models",
        "/v1/%6dodels",
        "/x/../v1/models",
        "/healthz/../v1/models",
        "/healthz/v1/models",
    ),
    *(
        "/./v1/models",
        "/v1/models/",
        "/v1/models//",
        "/v1/models;/healthz",
        "/v1/models%2f..%2fhealthz",
        "/v1/models%00",
    ),
    *("/V1/models", "/v1/models.json", "/healthz%2f..%2fv1/models", "/routers/auto/../../v1/models", "/api//v1/models"),
    *("/admin", "//admin", "/%61dmin", "/x/../admin", "/dashboard", "/metrics", "/debug", "/docs", "/openapi.json"),
)
ASIDE_HEADERS: tuple[Headers, ...] = (
    [(b"host", b"gateway.example/healthz?x=")],
    [(b"host", b"gateway.example"), (b"x-original-url", b"/healthz")],
    [(b"host", b"gateway.example"), (b"x-rewrite-url", b"/healthz"), (b"x-forwarded-prefix", b"/healthz")],
    [(b"host", b"gateway.example"), (b"x-forwarded-for", b"127.0.0.1"), (b"x-real-ip", b"127.0.0.1")],
    [(b"host", b"gateway.example"), (b"x-http-method-override", b"GET"), (b"x-forwarded-user", b"admin")],
    [(b"host", b"localhost"), (b"forwarded", b"for=127.0.0.1;host=localhost"), (b"x-forwarded-host", b"localhost")],
)


async def test_no_way_around_leads_past_the_key(house: House) -> None:
    for path, headers, method in itertools.product(ASIDE, ASIDE_HEADERS, ("GET", "POST", "HEAD")):
        reply = await house.ask(method, path, headers)
        assert reply.status in (401, 404, 405), f"{method} {path} {headers}: {reply.status}"


async def test_a_host_header_does_not_change_which_path_was_asked_for(house: House) -> None:
    reply = await house.ask("GET", "/nothing", [(b"host", b"gateway.example/v1/messages?x=")])
    assert (reply.status, reply.json["error"]["code"]) == (404, "not_found")
    assert reply.json["error"]["message"].startswith("There is no /nothing here.")


WANTED = (
    *("cheap", "small", "auto", "gpt-4o", "quality", "own/model", "own/model@own", "own/vectors", "anything", ""),
    *(
        "CHEAP",
        "Auto",
        " auto",
        "auto ",
        "cheap/",
        "/cheap",
        "auto:free",
        "own/model:nitro",
        "OWN/MODEL",
        "models/auto",
    ),
)
PATHS = ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/v1/embeddings", "/v1/route")
CHAINS: tuple[list[str] | None, ...] = (None, ["auto"], ["own/model", "cheap"], ["small"], ["nobody", "own/model@own"])


async def test_a_narrow_key_is_served_by_its_routers_only_however_they_are_named(house: House) -> None:
    ways = list(itertools.product(("", "/routers/cheap", "/routers/auto", "/api"), PATHS, WANTED, CHAINS))
    served = 0
    for prefix, path, model, chain in Random(1).sample(ways, count(400, len(ways))):
        fields: dict[str, Any] = {"model": model} | ({} if chain is None else {"models": chain})
        reply = await house.ask("POST", prefix + path, bearer(NARROW_KEY), **fields)
        assert reply.status < 500 or path == "/v1/embeddings", reply.body  # what answers there makes no vectors
        if reply.status == 200:
            served += 1
            router = reply.json["router"] if path == "/v1/route" else reply.headers["x-steelyard-router"]
            assert router == "cheap", f"{prefix}{path} {fields}"
    assert served > 20


HOSTILE = (
    *("' OR '1'='1", "'; DROP TABLE receipt; --", "' UNION SELECT json FROM detail --", "1) OR 1=1 --", '" OR ""="'),
    *("'||pg_sleep(8)--", "%27%20OR%201=1", "\\", "\\' OR 1=1", "`id`", "$(id)", "{{7*7}}", "${7*7}", "%s%s%n", "\x00"),
    *("../../etc/passwd", "0x27", "NULL", "-1", "9" * 400, "é\u202e", "a\r\nset-cookie: x=y", "*", "dec_1' --"),
)


async def test_nothing_that_a_caller_sends_is_sql(house: House) -> None:
    for text in HOSTILE:
        assert (await house.ask("GET", "/v1/models", bearer(text))).status == 401
        for path in ("/v1/decisions/", "/v1/responses/", "/routers/"):
            reply = await house.ask("GET", path + text, bearer(KEY))
            assert reply.status in (404, 405), f"{path}{text!r}: {reply.status}"
        for name in ("by", "since"):
            assert (await house.ask("GET", "/v1/usage", bearer(KEY), f"{name}={text}")).status == 400, text
    usage = await house.ask("GET", "/v1/usage", bearer(KEY))
    assert usage.status == 200, "the table is still there"
    assert usage.json["total"] is None, "and what it holds is another caller's"


DOTS = (
    "../",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    "%252e%252e%252f",
    "..\\",
    "..%5c",
    "....//",
    "..;/",
    ".%2e/",
    "..%c0%af",
)
STARTS = (
    "/",
    "/v1/",
    "/v1/models/",
    "/v1/decisions/",
    "/v1/responses/",
    "/routers/",
    "/api/",
    "/static/",
    "/dashboard/",
)
FILES = ("etc/passwd", "proc/self/environ", "steelyard.yaml", ".steelyard/ledger.db", "etc/passwd%00.json")


def test_no_path_leads_to_a_file(keyless: Gateway) -> None:
    ways = [start + dots * depth + file for start in STARTS for dots in DOTS for depth in (1, 3, 8) for file in FILES]
    assert len(ways) > 500
    connection = http.client.HTTPConnection("127.0.0.1", int(keyless.url.rpartition(":")[2]), timeout=10)
    for path in Random(1).sample(ways, count(150, len(ways))):
        connection.request("GET", path)
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status in (400, 404, 405), path
        assert answer.headers["content-type"] == "application/json"
        assert b"root:" not in said
        assert b"SQLite format" not in said
    connection.close()
