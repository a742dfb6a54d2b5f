"""One exchange over a socket: nothing is followed, nothing is remembered, and every failure has one of five causes."""

import asyncio
import ssl
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from gateway.transport.reading import PIECE_BYTES
from gateway.transport.send import Transport, TransportFailure, explained, next_chunk, read_whole
from tests.execution.providers import Visit, raw

KEY = ConnectionKey("inner.example", 443, True, True, None, None, None)
INFO = aiohttp.RequestInfo(
    URL("https://inner.example"), "POST", CIMultiDictProxy(CIMultiDict()), URL("https://inner.example")
)


def distrusted(code: int, words: str) -> aiohttp.ClientConnectorCertificateError:
    """As OpenSSL and aiohttp report a certificate."""
    reason = ssl.SSLCertVerificationError(1, words)
    reason.verify_code, reason.verify_message = code, words
    return aiohttp.ClientConnectorCertificateError(KEY, reason)


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    await transport.open()
    yield transport
    await transport.close()


async def post(transport: Transport, port: int, proxy: str | None = None, url: str = "") -> aiohttp.ClientResponse:
    target = URL(url or f"http://127.0.0.1:{port}/v1/chat/completions")
    return await transport.post(target, {"content-type": "text/x"}, b"body", 1.0, URL(proxy) if proxy else None)


async def test_nothing_is_added_to_a_request_but_what_http_needs(transport: Transport) -> None:
    async def serve(visit: Visit) -> None:
        await visit.request()
        await visit.answer()

    async with raw(serve) as server:
        await read_whole(await post(transport, server.port), 1_000)
        lines = server.visits[0].heads[0].decode().lower().split("\r\n")
        assert lines[0] == "post /v1/chat/completions http/1.1"
        assert sorted(lines[1:-2]) == ["content-length: 4", "content-type: text/x", f"host: 127.0.0.1:{server.port}"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_like_any_other(transport: Transport, status: int) -> None:
    async def lure(visit: Visit) -> None:
        await visit.request()
        head = f"HTTP/1.1 {status} Elsewhere\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n"
        await visit.write(head.encode())
        await visit.left()

    async with raw(lure) as server:
        response = await post(transport, server.port)
        assert response.status == status
        response.release()
        assert [len(visit.heads) for visit in server.visits] == [1]


async def test_cookies_are_not_sent_back(transport: Transport) -> None:
    async def bake(visit: Visit) -> None:
        while True:
            await visit.request()
            await visit.write(b"HTTP/1.1 200 OK\r\nset-cookie: a=b; Path=/\r\ncontent-length: 2\r\n\r\n{}")

    async with raw(bake) as server:
        for _ in range(2):
            await read_whole(await post(transport, server.port), 1_000)
        assert len(server.visits[0].heads) == 2
        assert b"cookie" not in server.visits[0].heads[1].lower()


@pytest.mark.parametrize(("size", "fits"), [(999, True), (1_000, True), (1_001, False)])
@pytest.mark.parametrize("pieces", [1, 3])
async def test_a_body_is_read_up_to_its_limit(transport: Transport, size: int, fits: bool, pieces: int) -> None:
    body = b"x" * size

    async def serve(visit: Visit) -> None:
        await visit.request()
        await visit.begin()
        step = -(-size // pieces)
        for start in range(0, size, step):
            await visit.chunk(body[start : start + step])
            await asyncio.sleep(0)
        await visit.chunk(b"")
        await visit.left()

    async with raw(serve) as server:
        assert await read_whole(await post(transport, server.port), 1_000) == (body if fits else None)


async def test_a_proxy_is_spoken_to_in_the_place_of_the_provider(transport: Transport) -> None:
    async def forward(visit: Visit) -> None:
        await visit.request()
        await visit.answer()

    async with raw(forward) as server:
        url = "http://provider.invalid/v1/chat/completions"
        response = await post(transport, 0, f"http://user:word@127.0.0.1:{server.port}", url)
        await read_whole(response, 1_000)
        head = server.visits[0].heads[0]
        assert head.startswith(b"POST http://provider.invalid/v1/chat/completions HTTP/1.1\r\n")
        assert b"proxy-authorization: basic dxnlcjp3b3jk" in head.lower()


async def test_a_proxy_that_refuses_does_not_see_its_password_in_our_words(transport: Transport) -> None:
    async def refuse(visit: Visit) -> None:
        await visit.head()
        await visit.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
        await visit.left()

    async with raw(refuse) as server:
        with pytest.raises(TransportFailure) as caught:
            await post(transport, 0, f"http://user:pass-word@127.0.0.1:{server.port}", "https://provider.invalid/v1")
        assert caught.value.cause == "connect"
        assert "407" in caught.value.detail
        assert "pass-word" not in caught.value.detail


async def test_a_body_that_breaks_off_has_a_cause(transport: Transport) -> None:
    async def break_off(visit: Visit) -> None:
        await visit.request()
        await visit.begin()
        await visit.chunk(b"half")

    async with raw(break_off) as server:
        response = await post(transport, server.port)
        assert await next_chunk(response) == b"half"
        with pytest.raises(TransportFailure):
            await next_chunk(response)
        response.close()


@pytest.mark.parametrize(
    ("error", "cause", "words"),
    [
        (aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "x")), "connect", "connection refused"),
        (aiohttp.ClientConnectorError(KEY, OSError(None, "x")), "connect", "no reason given"),
        (aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "unknown")), "connect", "host name"),
        (aiohttp.ClientProxyConnectionError(KEY, OSError(111, "refused")), "connect", "the proxy"),
        (aiohttp.ConnectionTimeoutError("slow"), "connect_timeout", "time allowed"),
        (distrusted(10, "certificate has expired"), "tls", "not trusted: certificate has expired"),
        (distrusted(62, "not valid for 'inner.example'"), "tls", "for another host"),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "garbage")), "tls", "no TLS"),
        (ssl.SSLError(1, "garbage"), "tls", "no TLS"),
        (aiohttp.ServerDisconnectedError(), "no_answer", "closed"),
        (aiohttp.ClientOSError(104, "reset"), "no_answer", "closed"),
        (aiohttp.ClientConnectionResetError("closing"), "no_answer", "closed"),
        (ConnectionResetError(104, "reset"), "no_answer", "closed"),
        (aiohttp.ClientPayloadError("cut short"), "broken", "broke off"),
        (aiohttp.ClientResponseError(INFO, (), message="bad"), "broken", "not valid HTTP"),
        (OSError(5, "io"), "broken", "failed"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_every_failure_has_a_cause_and_words_without_an_address(error: Exception, cause: str, words: str) -> None:
    failure = explained(error)
    assert failure.cause == cause
    assert words in failure.detail
    assert str(KEY.host) not in failure.detail
    assert "aiohttp" not in failure.detail.lower()


async def test_a_flood_is_taken_in_pieces_so_that_a_slow_caller_holds_little(transport: Transport) -> None:
    body = bytes(range(256)) * 4_096

    async def serve(visit: Visit) -> None:
        await visit.request()
        await visit.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        await visit.left()

    async with raw(serve) as server:
        response = await post(transport, server.port)
        pieces = []
        while piece := await next_chunk(response):
            pieces.append(piece)
        assert max(map(len, pieces)) <= PIECE_BYTES
        assert b"".join(pieces) == body
        response.release()
