"""Runs engines in turn, round by round, so that all meet the same disturbances."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from comparison.agreement import short_work
from comparison.results import Result, Run, Series
from comparison.workloads import Workload

# Thread pools of some peers spin for a while after their work; the next engine is timed without them.
SETTLE_SECONDS = 0.4


class Engine(Protocol):
    """An engine set to one workload in one precision."""

    name: str
    precision: str

    def prepare(self) -> str | None:
        """Loads and warms up, untimed. Returns how it will run, if that needs saying."""

    def run(self) -> Run:
        """Does the work once."""

    def close(self) -> None:
        """Frees what prepare() took."""


def reason_of(error: BaseException) -> str:
    """One line for a footnote."""
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__


def measure(
    workload: Workload,
    engines: Sequence[Engine],
    declined: Sequence[Series],
    rounds: int,
    say: Callable[[str], None],
    settle: float = SETTLE_SECONDS,
    watch: Callable[[], None] = lambda: None,
) -> Result:
    """An engine that fails keeps its reason and takes no further part. `watch` is called before each
    turn."""
    series = [Series(engine.name, engine.precision) for engine in engines]
    try:
        for engine, record in zip(engines, series):
            say(f"{workload.name} {engine.precision}: {engine.name} loads")
            try:
                record.note = engine.prepare()
            except Exception as error:  # whatever a peer's library raises
                record.reason = reason_of(error)
        for number in range(1, rounds + 1):
            for engine, record in zip(engines, series):
                if record.reason is not None:
                    continue
                time.sleep(settle)
                watch()
                try:
                    run = engine.run()
                except Exception as error:  # as above
                    record.reason, record.runs = reason_of(error), []
                    continue
                record.runs.append(run)
                say(
                    f"{workload.name} {engine.precision} {number}/{rounds}:"
                    f" {engine.name} {run.seconds:.3f} s"
                )
    finally:
        for engine in engines:
            engine.close()
    for record in series:
        record.reason = record.reason or short_work(workload, record)
    return Result(workload, [*series, *declined])
