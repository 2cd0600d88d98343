"""What was measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from comparison.timing import Spread
from comparison.workloads import DocumentSet, Workload

KOBOLT = "Kobolt"


@dataclasses.dataclass(frozen=True)
class Run:
    """One timed run. `tokens`: generated ones of each document, `texts`: the summaries; both empty
    where the engine has none to show."""

    seconds: float
    tokens: list[int] = dataclasses.field(default_factory=list)
    texts: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Series:
    """The runs of one engine, one a round. With a `reason` it has no standing: it could not do the
    work, failed, or did less than the work. A `note` says how it was run."""

    engine: str
    precision: str
    runs: list[Run] = dataclasses.field(default_factory=list)
    reason: str | None = None
    note: str | None = None

    @property
    def seconds(self) -> list[float]:
        return [run.seconds for run in self.runs]

    @property
    def stands(self) -> bool:
        return self.reason is None and bool(self.runs)


@dataclasses.dataclass
class Result:
    """All series of one workload."""

    workload: Workload
    series: list[Series]

    def find(self, engine: str, precision: str) -> Series | None:
        """The series with standing, if there is one."""
        found = (s for s in self.series if (s.engine, s.precision) == (engine, precision))
        return next((s for s in found if s.stands), None)

    def best_peer(self, precision: str) -> Series | None:
        peers = [
            s for s in self.series if s.engine != KOBOLT and s.precision == precision and s.stands
        ]
        return min(peers, key=lambda s: Spread.of(s.seconds).median, default=None)

    @property
    def precisions(self) -> list[str]:
        return list(dict.fromkeys(s.precision for s in self.series))


def to_json(results: Iterable[Result], settings: dict[str, object]) -> dict[str, object]:
    """Every raw time; summaries themselves stay out."""
    return {
        "settings": settings,
        "results": [
            {
                "workload": result.workload.name,
                "checkpoint": str(result.workload.checkpoint),
                "documents": result.workload.documents,
                "data": str(result.workload.data)
                if isinstance(result.workload, DocumentSet)
                else None,
                "engine": series.engine,
                "precision": series.precision,
                "seconds": series.seconds,
                "generated_tokens": sum(series.runs[0].tokens) if series.runs else 0,
                "reason": series.reason,
                "note": series.note,
            }
            for result in results
            for series in result.series
        ],
    }
