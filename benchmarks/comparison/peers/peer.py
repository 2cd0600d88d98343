"""What every peer is to the comparison."""

from __future__ import annotations

import abc
import pathlib
import time
from collections.abc import Callable

from comparison.results import Run
from comparison.workloads import Workload


class Peer(abc.ABC):
    def __init__(self, precision: str, threads: int, scratch: pathlib.Path) -> None:
        self.precision = precision
        self.threads = threads
        self.scratch = scratch

    @abc.abstractmethod
    def prepare(self, workload: Workload) -> str | None:
        """Converts and loads the model and warms up. Returns how it will run, for a footnote."""

    @abc.abstractmethod
    def run(self) -> Run:
        """Does the prepared work once; loading is no part of it."""


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """Seconds of a call, and what it returned."""
    start = time.perf_counter()
    value = work()
    return time.perf_counter() - start, value
