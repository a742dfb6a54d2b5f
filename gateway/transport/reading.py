"""An answer's body, as it comes or whole."""

import aiohttp

from gateway.transport.failure import explained


async def read_whole(response: aiohttp.ClientResponse, max_bytes: int) -> bytes | None:
    """The answer's body, decoded; None when it is over `max_bytes`, in which case the connection is dropped."""
    content = response.content
    chunk = await next_chunk(response)
    if content.at_eof():
        response.release()
        return chunk if len(chunk) <= max_bytes else None
    parts = [chunk]
    size = len(chunk)
    while not content.at_eof():
        chunk = await next_chunk(response)
        size += len(chunk)
        if size > max_bytes:
            response.close()
            return None
        parts.append(chunk)
    response.release()
    return b"".join(parts)


async def next_chunk(response: aiohttp.ClientResponse) -> bytes:
    """Whatever has arrived, at least one byte; b"" at the end of the body."""
    try:
        return await response.content.readany()
    except (aiohttp.ClientError, OSError) as error:
        raise explained(error) from error
