"""Which Host headers are served on a loopback listener: a page in a browser must not reach it under its own name."""

import functools
import ipaddress
import re

PORT = re.compile(r":[0-9]{0,5}")  # RFC 9110 lets it be empty


@functools.lru_cache(maxsize=256)  # hostile values may fill it, but the few good ones are cheap to work out again
def host_allowed(host_header: bytes, bound_to_loopback: bool) -> bool:
    """True for localhost and loopback addresses with any port; always true when bound to other addresses.

    Against DNS rebinding: evil.example may resolve to 127.0.0.1, but its requests still carry its name.
    """
    return not bound_to_loopback or is_of_this_machine(host_header.decode("latin-1"))


def is_of_this_machine(host: str) -> bool:
    """Is this localhost, 127.0.0.0/8 in full dotted form, or [::1], with or without a port?"""
    if host.startswith("["):
        address, bracket, port = host[1:].partition("]")
        return bool(bracket) and is_port(port) and is_loopback_v6(address)
    name, colon, port = host.partition(":")
    return is_port(colon + port) and (name.lower() == "localhost" or is_loopback_v4(name))


def is_port(text: str) -> bool:
    return not text or PORT.fullmatch(text) is not None


def is_loopback_v4(text: str) -> bool:
    """Short and octal forms (127.1, 0177.0.0.1) are no addresses here, whatever a resolver makes of them."""
    try:
        return ipaddress.IPv4Address(text).is_loopback
    except ValueError:
        return False


def is_loopback_v6(text: str) -> bool:
    """::1, or ::ffff:127.0.0.1 as IPv6 writes 127.0.0.1; without a zone, which may hold any name."""
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return address.scope_id is None and (address.ipv4_mapped or address).is_loopback
