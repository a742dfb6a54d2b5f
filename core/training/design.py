"""Prompts as rows of a sparse matrix, one column per bucket: what the table's weights are fitted on."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from core._grams_np import buckets
from core.grams import BUCKETS
from core.training.corpus import Example

F64 = NDArray[np.float64]
Integers = NDArray[np.integer[Any]]


def raw(text: str) -> bytes:
    """A text as the JSON string that a request brings."""
    return json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")


def design(examples: Sequence[Example]) -> sparse.csr_matrix:
    """[examples, 2 * BUCKETS]: 1 / sqrt(number of distinct buckets), for runs and for words each."""
    columns, values, starts = [], [], [0]
    for example in examples:
        runs, words = buckets(raw(example.opening) if example.opening else b"", raw(example.focus))
        columns += [runs, words]
        values += [np.full(len(kind), max(len(kind), 1) ** -0.5) for kind in (runs, words)]
        starts.append(starts[-1] + len(runs) + len(words))
    indices = np.concatenate(columns).astype(np.int32)
    return sparse.csr_matrix((np.concatenate(values), indices, starts), shape=(len(examples), 2 * BUCKETS))


def balanced(examples: Sequence[Example], tasks: int) -> F64:
    """Weights of the examples: every task counts the same, and a line's square root of its spellings."""
    task = np.array([example.task for example in examples])
    weight = np.sqrt([example.weight for example in examples])
    per_task = np.bincount(task, weight, tasks)
    balanced: F64 = weight / per_task[task] * len(examples) / tasks
    return balanced
