"""Ranks the catalog for a request. Chooses the compiled twin; STEELYARD_PURE=1 chooses the numpy one.

There is no silent fallback: without the extension the import fails and says how to build it.
"""

import os
from typing import Literal

from core.decision import STREAM_WRITING_SHARE, DecisionTable, Ranking, Reason

__all__ = [
    "IMPLEMENTATION",
    "STREAM_WRITING_SHARE",
    "DecisionTable",
    "Ranking",
    "Reason",
    "Scorer",
    "rank",
    "significant",
]

IMPLEMENTATION: Literal["cython", "numpy"] = "numpy" if os.environ.get("STEELYARD_PURE") == "1" else "cython"

if IMPLEMENTATION == "numpy":
    from core._scorer_np import Scorer, rank, significant
else:
    try:
        from core._scorer_cy import Scorer, rank, significant
    except ImportError as missing:
        raise ImportError(
            "core._scorer_cy is not compiled for this Python; run `make build`, or set STEELYARD_PURE=1 for numpy"
        ) from missing
