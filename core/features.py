"""Reads a prompt's texts once and describes them in numbers. Chooses the compiled twin; STEELYARD_PURE=1 the plain one.

There is no silent fallback: without the extension the import fails and says how to build it.
"""

import os
from typing import Literal

from core.text import Cue, Features

__all__ = ["IMPLEMENTATION", "Cue", "Features", "extract"]

IMPLEMENTATION: Literal["cython", "python"] = "python" if os.environ.get("STEELYARD_PURE") == "1" else "cython"

if IMPLEMENTATION == "python":
    from core._features_np import extract
else:
    try:
        from core._features_cy import extract
    except ImportError as missing:
        raise ImportError(
            "core._features_cy is not compiled for this Python; run `make build`, or set STEELYARD_PURE=1"
        ) from missing
