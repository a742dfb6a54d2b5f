"""A server of feeds on loopback."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.catalog.feeds import FEEDS
from tests.catalog import feeds


class FeedServer:
    """Serves what `contents` holds, with ETag or Last-Modified, and counts what it was asked."""

    def __init__(self, contents: dict[str, Any]) -> None:
        self.contents = contents
        self.validator = "etag"  # or "last-modified", or "none"
        self.full: list[str] = []  # feeds sent whole
        self.unchanged: list[str] = []  # feeds answered with 304
        self.failures: dict[str, web.Response] = {}
        self.base = ""

    def sources(self) -> dict[str, str]:
        """What `catalog.sources` of the settings must say so that every feed is read from here."""
        return {feed.name: f"{self.base}{feed.name}" for feed in FEEDS}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        return await self.respond(request)

    async def respond(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name in self.failures:
            failure = self.failures[name]
            return web.Response(status=failure.status, body=failure.body, headers={"x-fault": "1"})
        if name not in self.contents:
            raise web.HTTPNotFound
        body = self.contents[name] if isinstance(self.contents[name], bytes) else feeds.body(self.contents[name])
        headers = {
            "etag": {"etag": f'"{hash(body)}"'},
            "last-modified": {"last-modified": f"day {hash(body)}"},
            "none": {},
        }[self.validator]
        asked = {request.headers.get("if-none-match"), request.headers.get("if-modified-since")} - {None}
        if asked & set(headers.values()):
            self.unchanged.append(name)
            return web.Response(status=304)
        self.full.append(name)
        return web.Response(body=body, headers=headers)


@pytest.fixture
async def feed_server() -> AsyncIterator[FeedServer]:
    serving = FeedServer(feeds.honest())
    app = web.Application()
    app.router.add_get("/{name:.+}", serving.answer)
    async with TestServer(app) as server:
        serving.base = str(server.make_url("/"))
        yield serving
