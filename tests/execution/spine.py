"""The whole spine in one process: the caller is a function call, the providers are sockets on loopback."""

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from gateway.accounting.receipt import Receipt
from gateway.bootstrap import compile_snapshot
from gateway.catalog.card import Catalog
from gateway.dialects.contract import Inbound
from gateway.dialects.formats import CHAT
from gateway.live import Live, Snapshot
from gateway.server.inference import Generation
from gateway.server.limits import Message, Send
from gateway.server.protocol import EXTENSION
from gateway.server.state import State
from gateway.settings.schema import Settings
from gateway.simulator.cards import SIMULATE_HEADER
from gateway.transport.send import Transport

EMPTY = Catalog(version="none", date="2026-11-22", sources={}, models={}, offers=())
ALPHA, BRAVO, DELTA = (f"sim/swift-mini@sim-{name}" for name in ("alpha", "bravo", "delta"))
PATIENCE = {"connect_seconds": 5.0, "first_token_seconds": 10.0, "idle_seconds": 10.0, "total_seconds": 20.0}

Headers = list[tuple[bytes, bytes]]


class Reply(Struct):
    """What the caller got, as far as it came."""

    status: int = 0
    headers: dict[str, str] = {}
    body: bytes = b""
    ended: bool = False

    @property
    def payloads(self) -> list[str]:
        """The data of each event; fails when something else than events was sent."""
        frames = self.body.decode().split("\n\n")
        assert frames.pop() == "", "half an event"
        assert all(frame.startswith("data: ") and "\n" not in frame for frame in frames)
        return [frame.removeprefix("data: ") for frame in frames]

    @property
    def chunks(self) -> list[dict[str, Any]]:
        return [json.loads(payload) for payload in self.payloads if payload != "[DONE]"]

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = self.chunks[-1] if self.body.startswith(b"data: ") else json.loads(self.body)
        return found

    @property
    def text(self) -> str:
        """The answer's words."""
        if self.body.startswith(b"data: "):
            return "".join(c["delta"].get("content") or "" for chunk in self.chunks for c in chunk["choices"])
        words: str = self.json["choices"][0]["message"]["content"]
        return words

    @property
    def faults(self) -> list[str]:
        """What went wrong in each attempt, "" where nothing did."""
        return [attempt.get("fault", "") for attempt in self.json["steelyard"]["attempts"]]

    def is_whole_stream(self) -> bool:
        """One finish, and one [DONE] at the end."""
        finishes = [c["finish_reason"] for chunk in self.chunks for c in chunk["choices"] if c["finish_reason"]]
        return len(finishes) == 1 and finishes != ["error"] and self.payloads.index("[DONE]") == len(self.payloads) - 1

    def is_cut_stream(self) -> bool:
        """The last event is an error and a finish in one, and no [DONE] follows."""
        last = self.chunks[-1]
        return bool(last["error"]) and last["choices"][0]["finish_reason"] == "error" and "[DONE]" not in self.payloads


class Connection:
    """The caller's end, as the server's protocol would show it to the endpoint."""

    on_gone: Callable[[], object] | None = None
    is_gone = False

    def hang_up(self) -> None:
        self.is_gone = True
        if self.on_gone is not None:
            self.on_gone()


class Spine:
    """Everything between the caller's bytes and the providers' sockets."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.transport = Transport()
        self.receipts: list[Receipt] = []
        self.live = Live(snapshot)
        self.state = State(self.live, self.transport, [self.receipts.append])

    @property
    def health(self) -> Any:
        return self.live.current.chat.health

    async def ask(
        self,
        *targets: str,
        stream: bool = False,
        simulate: str = "",
        headers: Iterable[tuple[str, str]] = (),
        connection: Connection | None = None,
        send: Callable[[Reply], Send] | None = None,
        inbound: Inbound = CHAT,
        endpoint: Generation | None = None,
        document: object = None,
        **fields: object,
    ) -> Reply:
        """One request for these targets in this order: a chat, or the `document` in the format of `inbound`.

        send: stands in for the caller's reading. endpoint: that which is asked, when it is not that of the format.
        """
        reply = Reply()
        body: Any = document or {
            "messages": [{"role": "user", "content": "hello"}],
            "stream": stream,
            "max_tokens": 4,
            **fields,
        }
        if targets:
            body["models"] = list(targets)
        forwarded = [(SIMULATE_HEADER, simulate)] if simulate else []
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/chat/completions",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in (*forwarded, *headers)],
            "extensions": {EXTENSION: connection} if connection is not None else {},
        }

        async def receive() -> Message:
            return {"type": "http.request", "body": msgspec.json.encode(body), "more_body": False}

        await (endpoint or Generation(self.state, inbound))(scope, receive, send(reply) if send else collect(reply))
        return reply


def collect(reply: Reply) -> Send:
    """A caller who reads as fast as it comes."""

    async def send(message: Message) -> None:
        take(reply, message)

    return send


def take(reply: Reply, message: Message) -> None:
    if message["type"] == "http.response.start":
        reply.status = message["status"]
        reply.headers = {name.decode(): value.decode() for name, value in message["headers"]}
    else:
        reply.body += message["body"]
        reply.ended = not message["more_body"]


def snapshot_of(
    ports: Mapping[str, int],
    fallback: Mapping[str, object] = {},
    providers: Mapping[str, object] = {},
    environ: Mapping[str, str] = {},
    router: Mapping[str, object] = {},
    metadata: Mapping[str, object] = {},
) -> Snapshot:
    """ports: of simulated providers. providers: more of them, as in the settings. fallback: beside PATIENCE."""
    test = {"preset": "auto", "fallback": {**PATIENCE, **fallback}, **router}
    document = {"default_router": "test", "routers": {"test": test}, "providers": providers, "metadata": metadata}
    return compile_snapshot(msgspec.convert(document, Settings), EMPTY, environ, ports)


@contextlib.asynccontextmanager
async def opened(snapshot: Snapshot) -> AsyncIterator[Spine]:
    """The spine of this snapshot, on this test's loop."""
    spine = Spine(snapshot)
    await spine.transport.open()
    try:
        yield spine
    finally:
        await spine.transport.close()
