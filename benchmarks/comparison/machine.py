"""What the machine gave while engines were timed on it."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence

from comparison.limits import Ceilings, Phase, least_seconds, measure_ceilings


class Machine:
    """Measured by roofline: the best that was seen of it at any time, and what is typical of the
    moments before the turns of a workload, with operands that are loaded. Where other programs or the
    host of a virtual machine take a share, the second is what engines had."""

    def __init__(self, roofline: pathlib.Path, threads: int) -> None:
        """Raises ValueError, OSError or subprocess.CalledProcessError, as all methods that measure."""
        self._roofline = roofline
        self._threads = threads
        self._moments: list[Ceilings] = []
        self._work: dict[tuple[str, str], Sequence[Phase]] = {}
        self.most = measure_ceilings(roofline, threads)
        self.typical: dict[str, Ceilings] = {}

    def watch(self) -> None:
        """Looks at the machine before a turn."""
        self._moments.append(measure_ceilings(self._roofline, self._threads, now=True))

    def end_of(self, workload: str, work: Mapping[str, Sequence[Phase]]) -> None:
        """All turns of a workload were taken; `work` is what is to be done in each precision."""
        self.most = self.most.best(measure_ceilings(self._roofline, self._threads))
        if self._moments:
            self.typical[workload] = Ceilings.typical(self._moments)
        self._moments = []
        for precision, phases in work.items():
            self._work[workload, precision] = phases

    def limit(self, workload: str, precision: str) -> float | None:
        """Seconds that the work takes at the best rates; None where it was not counted."""
        return self._at(self.most, workload, precision)

    def typical_limit(self, workload: str, precision: str) -> float | None:
        """The same at the rates that were typical of its turns."""
        return self._at(self.typical.get(workload), workload, precision)

    def _at(self, rates: Ceilings | None, workload: str, precision: str) -> float | None:
        work = self._work.get((workload, precision))
        return least_seconds(work, precision, rates) if rates and work else None
