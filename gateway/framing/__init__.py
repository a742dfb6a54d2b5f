"""Bytes to frames and back: sans-I/O incremental parsers."""
