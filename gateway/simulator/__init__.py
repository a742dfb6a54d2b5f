"""Keyless providers over loopback HTTP, which answer like real ones and misbehave on request."""
