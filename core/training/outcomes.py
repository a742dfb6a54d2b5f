"""Folders of outcomes: what real models scored on real prompts, as parquet files of one format.

`NAME.prompts` (id, dataset, text), `NAME.scores` (one column per model, NaN where not run), and `NAME.cost` (USD per
call, same columns) where it is known.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
from msgspec import Struct
from scipy import sparse

from core.training.corpus import Example
from core.training.design import F64, Integers, design

OWN = Path(__file__).parent / "data" / "outcomes"  # the part that may be passed on
LEFT_OUT = {"NullModel"}  # an attack on the judge, not a model
INDEX = "__index_level_0__"


class Source(Struct):
    """One table of outcomes."""

    name: str
    texts: list[str]
    datasets: list[str]  # of each prompt
    models: list[str]
    scores: F64  # [prompts, models] 0-1, NaN where not run
    cost: F64 | None  # [prompts, models] USD
    rows: sparse.csr_matrix  # [prompts, buckets]

    def part(self, chosen: Integers) -> "Source":
        """The prompts at these places."""
        places = [int(place) for place in chosen]
        return Source(
            self.name,
            [self.texts[place] for place in places],
            [self.datasets[place] for place in places],
            self.models,
            self.scores[places],
            None if self.cost is None else self.cost[places],
            self.rows[places],
        )

    def whole(self, models: Sequence[int]) -> "Source":
        """The prompts that all of these models, by column, were run on."""
        return self.part(np.flatnonzero(~np.isnan(self.scores[:, models]).any(axis=1)))


def sources_in(folder: Path) -> Iterator[Source]:
    """Every source of the folder that has prompts and scores, by name."""
    for path in sorted(folder.glob("*.prompts.parquet")):
        name = path.name.removesuffix(".prompts.parquet")
        prompts = parquet.read_table(path)
        table = parquet.read_table(folder / f"{name}.scores.parquet")
        models = [column for column in table.column_names if column != INDEX and column not in LEFT_OUT]
        texts = prompts["text"].to_pylist()
        scores = _columns(folder / f"{name}.scores.parquet", models)
        if len(texts) != len(scores):
            raise ValueError(f"{path}: {len(texts)} prompts, but {len(scores)} rows of scores")
        costs = folder / f"{name}.cost.parquet"
        yield Source(
            name=name,
            texts=texts,
            datasets=prompts["dataset"].to_pylist(),
            models=models,
            scores=scores,
            cost=_columns(costs, models) if costs.is_file() else None,
            rows=design([Example(0, None, "", text, 1.0, "") for text in texts]),
        )


def _columns(path: Path, models: list[str]) -> F64:
    table = parquet.read_table(path)
    return np.column_stack([table[model].to_numpy().astype(np.float64) for model in models])
