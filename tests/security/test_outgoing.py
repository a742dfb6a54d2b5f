"""What leaves for a provider (S09), where anything goes at all (S07), and what comes back to the caller (S10, S30)."""

import itertools
import json
import sys
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialects.contract import CallerFormat
from gateway.dialects.embeddings import EMBEDDINGS
from gateway.dialects.formats import INBOUND
from gateway.errors import InvalidRequest
from gateway.execution.lines import Line
from gateway.live import Snapshot
from gateway.server.metadata import headers_of
from gateway.simulator.cards import SIMULATE_HEADER
from gateway.wire.no_address import ADDRESSES
from tests.execution.providers import GOOD, RawServer, Visit, raw
from tests.execution.spine import Spine, opened, snapshot_of
from tests.security.counts import count

OWN = "own/model@own"
PROVIDER_KEY = "sk-of-the-provider-0123456789"
CALLERS = "callers-own-secret"
NAMES = (
    *("authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-goog-api-key", "host", "connection"),
    *("transfer-encoding", "content-length", "content-encoding", "content-type", "te", "trailer", "upgrade", "expect"),
    *("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "x-original-url"),
    *("x-http-method-override", "keep-alive", "proxy-connection", "http2-settings", "x-request-id", "traceparent"),
    *("openai-organization", "openai-project", "anthropic-version", "user-agent", "referer", "origin", "accept"),
)
CHECKED = ("content-encoding", "content-type", "content-length")  # must make sense, or the request is refused
OURS = {"host", "content-type", "content-length", "user-agent", "authorization", "accept-encoding"}

# Every spelling of an address that must not be asked on a caller's word: loopback, link-local, private, mapped.
HOSTS = (
    *("127.0.0.1", "127.1", "2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.0.0.1.", "localhost"),
    *("localhost.", "LOCALHOST", "0.0.0.0", "0", "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
    *("[::127.0.0.1]", "169.254.169.254", "2852039166", "0251.0376.0251.0376", "[::ffff:169.254.169.254]"),
    *("[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[fe80::1]", "[fd00:ec2::254]", "100.64.0.1", "10.0.0.1"),
    *("172.16.0.1", "192.168.0.1", "192.0.0.192", "metadata.google.internal", "metadata", "kubernetes.default.svc"),
    *("user@127.0.0.1", "user:word@localhost", "example.com@127.0.0.1", "127.0.0.1%2f@example.com", "①②⑦.0.0.1"),
)
SHAPES = (
    "http://{host}:{port}/x",
    "https://{host}:{port}/x",
    "http://{host}:{port}\\@example.com/",
    "//{host}:{port}/x",
)
QUESTION = {"type": "text", "text": "what is this?"}
FIELDS = (
    *(
        "api_base",
        "base_url",
        "baseURL",
        "api_url",
        "endpoint_url",
        "url",
        "proxy",
        "http_proxy",
        "callback",
        "callback_url",
    ),
    *("webhook", "webhook_url", "redirect_uri", "image_url", "file_url", "server_url", "fetch", "host", "custom_llm"),
)


async def good(visit: Visit) -> None:
    while True:
        await visit.request()
        await visit.answer()


def own(server: RawServer, **more: object) -> dict[str, object]:
    models = [{"id": "own/model", "abilities": ["images"]}]
    return {"own": {"base_url": f"http://127.0.0.1:{server.port}/v1", "api_key": "env:KEY", "models": models, **more}}


def snapshot_with(server: RawServer, **more: object) -> Snapshot:
    return snapshot_of({}, providers=own(server, **more), environ={"KEY": PROVIDER_KEY})


def picture(url: str) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": url if url.startswith("http") else "http:" + url}}


class Calls:
    """What this process connects to and which names it resolves, while somebody looks."""

    def __init__(self) -> None:
        self.seen: list[object] | None = None
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.seen is not None and event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
            self.seen.append(arguments[1] if event == "socket.connect" else arguments[0])


CALLS = Calls()  # a hook stays for the process's life


@pytest.fixture
def calls() -> Iterator[list[object]]:
    CALLS.seen = []
    yield CALLS.seen
    CALLS.seen = None


@pytest.fixture
async def listener() -> AsyncIterator[RawServer]:
    """Somebody on loopback who must hear nothing."""
    async with raw(good) as server:
        yield server


def urls(port: int) -> Iterator[str]:
    """All spellings, over and over."""
    return itertools.cycle([shape.format(host=host, port=port) for host in HOSTS for shape in SHAPES])


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic_messages", "gemini", "cohere_v2", "ollama"])
async def test_no_url_in_a_request_is_ever_opened_by_us(listener: RawServer, calls: list[object], dialect: str) -> None:
    """As a picture, or in a field that other gateways take for an address, at any depth."""
    spelled = urls(listener.port)
    async with raw(good) as server, opened(snapshot_with(server, dialect=dialect)) as spine:
        for _ in range(count(20, 400)):
            fields: dict[str, object] = {name: next(spelled) for name in FIELDS if name not in ADDRESSES}
            nested = {name: next(spelled) for name in FIELDS}
            fields |= {"extra_body": {"litellm_params": nested}, "metadata": {"webhook": next(spelled)}}
            fields["messages"] = [{"role": "user", "content": [QUESTION, picture(next(spelled))]}]
            headers = [(name, next(spelled)) for name in ("x-base-url", "x-forwarded-host", "helicone-target-url")]
            await spine.ask(OWN, headers=headers, **fields)  # type: ignore[arg-type]
        assert server.visits
        assert set(calls) == {("127.0.0.1", server.port)}
        assert not listener.visits


ASKED: dict[str, tuple[CallerFormat, dict[str, object]]] = {
    "chat": (INBOUND["openai_chat"], {"messages": [{"role": "user", "content": "x"}]}),
    "completions": (INBOUND["openai_completions"], {"prompt": "x"}),
    "responses": (INBOUND["openai_responses"], {"input": "x"}),
    "messages": (INBOUND["anthropic_messages"], {"messages": [{"role": "user", "content": "x"}], "max_tokens": 1}),
    "gemini": (INBOUND["gemini"], {"contents": [{"role": "user", "parts": [{"text": "x"}]}]}),
    "embeddings": (EMBEDDINGS, {"input": "x"}),
}


@pytest.mark.parametrize("name", sorted(ADDRESSES))
@pytest.mark.parametrize("asked", ASKED)
def test_a_body_that_names_an_address_is_refused_whatever_reads_it_behind_us(asked: str, name: str) -> None:
    callers, body = ASKED[asked]
    for address in ("http://127.0.0.1/", {"http": "http://127.0.0.1/"}, 1):
        text = json.dumps({"model": "m", **body, name: address}).encode()
        for spelled in (text, text.replace(f'"{name}"'.encode(), f'"\\u{ord(name[0]):04x}{name[1:]}"'.encode())):
            with pytest.raises(InvalidRequest, match=f"{name}.*whoever runs this server") as refused:
                callers.parse(spelled, "m")
            assert refused.value.status == 400
    assert callers.parse(json.dumps({"model": "m", **body, name: None}).encode(), "m").model == "m"


def test_a_tools_own_field_of_such_a_name_is_none_of_our_business() -> None:
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in ADDRESSES}}
    tools = [{"type": "function", "function": {"name": "f", "parameters": schema}}]
    assert (
        ASKED["chat"][0].parse(json.dumps({"model": "m", **ASKED["chat"][1], "tools": tools}).encode(), "m").tool_count
        == 1
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirected_key_arrives_nowhere(listener: RawServer, status: int) -> None:
    async def elsewhere(visit: Visit) -> None:
        await visit.request()
        location = f"http://localhost:{listener.port}/v1/chat/completions"
        await visit.write(f"HTTP/1.1 {status} x\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n".encode())

    async with raw(elsewhere) as server, opened(snapshot_with(server)) as spine:
        reply = await spine.ask(OWN)
        assert reply.status == 502
        assert not listener.visits


@pytest.fixture(scope="module")
def lines() -> dict[bool, Line]:
    """One that lets a header of the caller through, and one that lets none."""
    provider = {"own": {"base_url": "http://127.0.0.1:1/v1", "api_key": "env:KEY", "models": [{"id": "own/model"}]}}
    market = snapshot_of({"sim-alpha": 1}, providers=provider, environ={"KEY": PROVIDER_KEY}).chat
    return {bool(line.provider.forward_headers): line for line in market.lines}


TOKENS = st.text("abcdefghijklmnopqrstuvwxyz-_!#$%&'*+.^`|~0123456789", min_size=1, max_size=20)
HEADERS = st.lists(st.tuples(st.sampled_from([*NAMES, SIMULATE_HEADER]) | TOKENS, st.text(max_size=20)), max_size=12)


@settings(max_examples=count(100, 5_000))
@given(pairs=HEADERS, forwards=st.booleans())
def test_no_header_of_the_caller_travels_but_those_that_the_row_names(
    lines: dict[bool, Line], pairs: list[tuple[str, str]], forwards: bool
) -> None:
    line = lines[forwards]
    named = [(name.encode(), value.encode()) for name, value in pairs]
    sent = line.headers_for([*named, (b"connection", b"authorization, content-type")])
    [prepared] = line.headers
    added = {name.lower() for name in sent} - {name.lower() for name in prepared}
    assert added <= ({SIMULATE_HEADER} if forwards else set())
    assert all(sent.getall(name) == prepared.getall(name) for name in prepared)


async def test_on_the_wire_there_is_nothing_of_the_callers_headers() -> None:
    async with raw(good) as server, opened(snapshot_with(server)) as spine:
        await spine.ask(OWN, headers=[(name, CALLERS) for name in NAMES if name not in CHECKED])
        head = server.visits[0].heads[0].decode()
    names = {line.partition(":")[0].lower() for line in head.split("\r\n")[1:] if line}
    assert names <= OURS
    assert f"Bearer {PROVIDER_KEY}" in head
    assert CALLERS not in head


FORGED = (
    "set-cookie: session=stolen\r\nx-steelyard-cost-usd: 0\r\nx-steelyard-provider: nobody\r\nx-request-id: theirs\r\n"
    "access-control-allow-origin: *\r\ncontent-security-policy: none\r\nlocation: http://evil.example/\r\n"
    "www-authenticate: Basic realm=x\r\nretry-after: 99999\r\nstrict-transport-security: max-age=0\r\nserver: evil\r\n"
)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_no_header_of_a_provider_reaches_the_caller(stream: bool) -> None:
    async def forge(visit: Visit) -> None:
        await visit.request()
        await visit.begin("text/event-stream" if stream else "application/json", FORGED)
        if stream:
            await visit.event({"content": "good"}, "stop")
            await visit.chunk(b"data: [DONE]\n\n")
        else:
            await visit.chunk(json.dumps({**GOOD, "model": "x\r\nset-cookie: a=b", "id": "\u202e\r\n"}).encode())
        await visit.chunk(b"")

    async with raw(forge) as server, opened(snapshot_with(server)) as spine:
        reply = await spine.ask(OWN, stream=stream)
    assert reply.status == 200
    ours = {"content-type", "content-length", "cache-control", "x-accel-buffering", "x-request-id", "request-id"}
    assert {name for name in reply.headers if not name.startswith("x-steelyard-")} <= ours
    assert reply.headers["x-steelyard-provider"] == "own"
    assert reply.headers["x-request-id"].startswith("dec_")
    assert "theirs" not in reply.headers.values()


@settings(max_examples=count(100, 2_000))
@given(router=st.text(max_size=300), model=st.text(max_size=300), provider=st.text(max_size=300))
def test_a_name_that_is_not_plain_stands_in_no_header(router: str, model: str, provider: str) -> None:
    for _, value in headers_of("dec_1", router, model, provider, 1, False, 0.1):
        assert len(value) <= 200
        assert all(0x20 <= byte <= 0x7E for byte in value)


async def test_a_provider_changes_neither_prices_nor_routing_nor_the_key_of_another() -> None:
    """Whatever an answer says of its model, its price, its provider: the snapshot stays what it was."""
    lies = {
        **GOOD,
        "model": "other/model",
        "provider": "other",
        "usage": {"prompt_tokens": 10**18, "completion_tokens": -5, "total_tokens": 1, "cost": -1.0},
        "steelyard": {"target": "other/model@other", "cost_usd": 0},
        "routers": {"test": {"weights": {"cost": 0}}},
        "settings": {"keys": []},
        "error": None,
    }

    async def lie(visit: Visit) -> None:
        while True:
            await visit.request()
            await visit.answer(lies)

    async with raw(lie) as server, raw(good) as honest:
        providers = own(server) | {"other": {**dict(own(honest)["own"]), "models": [{"id": "other/model"}]}}  # type: ignore[call-overload]
        async with opened(snapshot_of({}, providers=providers, environ={"KEY": PROVIDER_KEY})) as spine:
            before = snapshot_figures(spine)
            reply = await spine.ask(OWN)
            assert reply.json["steelyard"]["target"] == OWN
            assert spine.receipts[0].target == OWN
            assert (spine.receipts[0].cost_nano_usd or 0) >= 0
            assert snapshot_figures(spine) == before
            assert (await spine.ask("other/model@other")).status == 200


def snapshot_figures(spine: Spine) -> object:
    """Prices, addresses, headers and policies as they stand."""
    market = spine.live.current.chat
    lines = [(line.target, str(line.url), list(map(dict, line.headers)), repr(line.prices)) for line in market.lines]
    return lines, repr(spine.live.current.settings), id(spine.live.current)
