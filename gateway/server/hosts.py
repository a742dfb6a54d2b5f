"""Which Host headers are served on a loopback listener: a page in a browser must not reach it under its own name."""

import functools
import ipaddress


@functools.lru_cache(maxsize=256)  # hostile values may fill it, but the few good ones are cheap to work out again
def host_allowed(host_header: bytes, bound_to_loopback: bool) -> bool:
    """True for localhost and loopback addresses with any port; always true when bound to other addresses.

    Against DNS rebinding: evil.example may resolve to 127.0.0.1, but its requests still carry its name.
    """
    if not bound_to_loopback:
        return True
    name = host_name(host_header.decode("latin-1"))
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def host_name(host: str) -> str:
    """The name or address in a Host header, "" when its form is wrong."""
    if host.startswith("["):
        address, bracket, port = host[1:].partition("]")
        return address if bracket and (not port or port[0] == ":" and port[1:].isdigit()) else ""
    name, colon, port = host.partition(":")
    return name if not colon or port.isdigit() else ""
