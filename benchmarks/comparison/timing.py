"""Medians, spreads and ratios of repeated times."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Spread:
    """The median of some values, the least and the greatest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Raises ValueError for no values."""
        if not values:
            raise ValueError("no values to summarise")
        return cls(statistics.median(values), min(values), max(values))


def speedup(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """How many times as fast as `theirs` are `ours`, by round.

    Times of one round met the same disturbances, so each round gives one ratio. Raises ValueError
    where the rounds do not match.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} and {len(theirs)} rounds cannot be paired")
    return Spread.of([b / a for a, b in zip(ours, theirs)])
