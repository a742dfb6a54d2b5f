"""An answer's body, as it comes or whole."""

import aiohttp

from gateway.transport.failure import explained

PIECE_BYTES = 16 * 2**10  # of a body in one step: what is carried on is held twice, by its reader and by its writer


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
    """What has arrived, at least one byte and no more than PIECE_BYTES; b"" at the end of the body."""
    try:
        return await response.content.read(PIECE_BYTES)
    except (aiohttp.ClientError, OSError) as error:
        raise explained(error) from error
