"""Finds things in JSON and event streams without decoding them. Chooses the compiled twin; STEELYARD_PURE=1 the plain.

There is no silent fallback: without the extension the import fails and says how to build it.
"""

import os
from typing import Literal

from core._scan_np import HUGE, MAX_DEPTH, MORE, NOT_AN_OBJECT, ODD, READ, Malformed, too_many

__all__ = [
    "HUGE",
    "IMPLEMENTATION",
    "MAX_DEPTH",
    "MORE",
    "NOT_AN_OBJECT",
    "ODD",
    "READ",
    "Malformed",
    "check_object",
    "scan_frames",
    "too_many",
    "top_level_spans",
]

IMPLEMENTATION: Literal["cython", "python"] = "python" if os.environ.get("STEELYARD_PURE") == "1" else "cython"

if IMPLEMENTATION == "python":
    from core._scan_np import check_object, scan_frames, top_level_spans
else:
    try:
        from core._scan_cy import check_object, scan_frames, top_level_spans
    except ImportError as missing:
        raise ImportError(
            "core._scan_cy is not compiled for this Python; run `make build`, or set STEELYARD_PURE=1 for plain Python"
        ) from missing
