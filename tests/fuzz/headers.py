"""Targets that build what goes into a header or a URL, out of what strangers or a catalog say."""

from gateway.accounting.cost import format_usd
from gateway.dialects.formats import OUTBOUND
from gateway.providers.provider import Provider, Route
from gateway.providers.request import model_url, upstream_headers
from gateway.server.metadata import LONGEST_HEADER, cost_header, headers_of, loss_header
from gateway.simulator.cards import SIMULATE_HEADER
from gateway.wire.conversation import Loss
from gateway.wire.secret import Secret
from tests.execution.spine import snapshot_of
from tests.fuzz.target import Target, bounded, chosen

LONGEST_VALUE = 200  # bytes of a name in a header of ours
ESCAPED = 9  # characters of a URL for one of a name: "%E2%82%AC"; a name may be in it twice
BASE = "https://example.org/v1"
KEY = "sk-canary"
LINE = snapshot_of({"sim-alpha": 1}).chat.lines[0]
SEEDS = (
    b"openai/gpt-5-mini\nx-simulate: sim-alpha=F29\nanthropic-beta: a-1,b-2",
    "modèle/ü\nX-Simulate: é\nauthorization: Bearer stolen\nhost: elsewhere".encode(),
    b"us.anthropic.claude-sonnet-4-5-20250929-v1:0\ncontent-type: text/html\ncontent-length: 3",
    b"a/../../b?x=y#z%2f..\nmessages[3].content[0].image_url: it\nseed: 1",
    b"a\rx-evil: 1\x00\nx-simulate: a\rb",
)
ROUTE = Route("openai_chat", prefix="/deployments/{model}", query="api-version=2024-10-21", auth_header="api-key")
DIALECTS = (*OUTBOUND, "openai_embeddings", "gemini_embeddings", "cohere_embeddings", "ollama_embeddings")


def check_ours(data: bytes) -> None:
    """What stands in an answer: whatever its parts are called, a header stays one header of sane length."""
    name, *rest = data.decode("utf-8", "replace").split("\n")
    losses = tuple(Loss(line.partition(":")[0], line) for line in rest)
    number = int.from_bytes(data[:9], signed=True)
    headers = headers_of("dec_1", name, name[1:], name[2:], len(rest), True, number / 1e9)
    for title, value in (*headers, *loss_header(losses), *cost_header(number)):
        assert title.islower()
        assert value.isascii()
        assert value.decode().isprintable()
        assert len(value) <= (LONGEST_HEADER if title == b"x-steelyard-loss" else LONGEST_VALUE)
    assert round(float(format_usd(number)) * 1e9) == number or abs(number) > 2**50


def check_forwarded(data: bytes) -> None:
    """What goes to a provider: our own headers as they are, and of the caller's the one that the row names."""
    lines = [line.partition(b": ")[::2] for line in data.split(b"\n")]
    [prepared] = LINE.headers
    headers = LINE.headers_for(lines)
    assert set(headers) - set(prepared) <= {SIMULATE_HEADER}
    assert all(headers[name] == value for name, value in prepared.items())
    bounded(sum(map(len, headers.values())), len(data), 1, sum(map(len, prepared.values())))


def check_url(data: bytes) -> None:
    """A model's name stays in the path: it leads to no other host or query. Slashes in it are Google's."""
    name = data.decode("utf-8", "replace").split("\n")[0]
    provider = Provider("p", "P", BASE, Secret(KEY), dialect="openai_chat")
    for route in (None, ROUTE):
        url = model_url(provider, name, stream=bool(len(data) % 2), dialect=chosen(data, DIALECTS), route=route)
        query = url.removeprefix(BASE).partition("?")[2]
        assert url.startswith(BASE + "/")
        assert url.isascii()
        assert url.isprintable()
        assert not {" ", "#", "\\"} & set(url)
        assert query in ("", "alt=sse", ROUTE.query, f"alt=sse&{ROUTE.query}")
        bounded(len(url), len(name), 2 * ESCAPED, 200)
    assert dict(upstream_headers(provider, ROUTE))["api-key"] == KEY


TARGETS = (
    Target("header.ours", check_ours, SEEDS),
    Target("header.forwarded", check_forwarded, SEEDS),
    Target("header.url", check_url, SEEDS),
)
