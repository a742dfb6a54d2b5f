"""The wire formats, by name."""

from gateway.dialects.contract import Inbound, Outbound

INBOUND: dict[str, Inbound] = {}
OUTBOUND: dict[str, Outbound] = {}
