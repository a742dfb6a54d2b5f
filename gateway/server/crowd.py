"""How many connections there may be, from one address and in all (S14): whoever holds more gets one word and is let go.

A connection costs a descriptor and some 20 KB whether or not a request ever comes on it. Loopback has no limit of its
own, as a reverse proxy on this machine brings everybody's requests from there.
"""

import ipaddress
from functools import lru_cache

IPV6_SITE_BITS = 64  # what one customer of a provider has at least. Source: RIPE-690, read 2026-11-23


class Crowd:
    """Counts connections. 0 is no limit."""

    def __init__(self, most: int = 0, most_each: int = 0) -> None:
        """most_each: from one IPv4 address, or one IPv6 network of 64 bits."""
        self.most = most
        self.most_each = most_each
        self.count = 0
        self._from: dict[str, int] = {}

    def refusal(self, address: str) -> str:
        """Why one more from there cannot be had; "" when it can."""
        if self.most and self.count >= self.most:
            return f"{self.count:,} connections are open, the limit is server.max_connections: {self.most:,}"
        place = place_of(address) if self.most_each else ""
        if place and self._from.get(place, 0) >= self.most_each:
            return (
                f"{self._from[place]:,} connections from {place} are open, the limit is "
                f"server.max_connections_per_address: {self.most_each:,}"
            )
        return ""

    def enter(self, address: str) -> None:
        """One more; it is given back by `leave`."""
        self.count += 1
        place = place_of(address)
        if place:
            self._from[place] = self._from.get(place, 0) + 1

    def leave(self, address: str) -> None:
        self.count -= 1
        place = place_of(address)
        if place:
            left = self._from[place] - 1
            if left:
                self._from[place] = left
            else:
                del self._from[place]


@lru_cache(maxsize=1024)
def place_of(address: str) -> str:
    """What is counted as one caller; "" for loopback, and for what is no address."""
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if read.is_loopback:
        return ""
    if read.version == 4:
        return address
    return str(ipaddress.ip_network((int(read) >> IPV6_SITE_BITS << IPV6_SITE_BITS, 128 - IPV6_SITE_BITS)))
