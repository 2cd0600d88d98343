"""The table for people: a row for each workload and precision, a column for each engine."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Sequence

from comparison.agreement import agreements
from comparison.machine import Machine
from comparison.results import KOBOLT, Result, Series
from comparison.timing import Spread, speedup
from comparison.workloads import DocumentSet, Workload

DASH = "–"


@dataclasses.dataclass(frozen=True)
class Table:
    header: list[str]
    rows: list[list[str]]
    bold: set[tuple[int, int]]  # row and column of the best peers
    notes: list[str]  # numbered from 1 in the cells, as [1]
    remarks: list[str]  # agreement of outputs, ratios across precisions


class _Notes:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def mark(self, text: str) -> str:
        if text not in self.texts:
            self.texts.append(text)
        return f"[{self.texts.index(text) + 1}]"


def amount(workload: Workload, seconds: float) -> str:
    """Seconds, or documents a second where the work is a set of documents."""
    if isinstance(workload, DocumentSet):
        return f"{workload.documents / seconds:.2f}/s"
    return f"{seconds:.3f} s" if seconds < 1 else f"{seconds:.2f} s"


def ratio(spread: Spread) -> str:
    return f"{spread.median:.2f}x ({spread.low:.2f}{DASH}{spread.high:.2f})"


def _cell(workload: Workload, series: Series | None, notes: _Notes) -> str:
    if series is None:
        return DASH
    if not series.stands:
        return f"{DASH} {notes.mark(series.reason)}" if series.reason else DASH
    text = amount(workload, Spread.of(series.seconds).median)
    return f"{text} {notes.mark(series.note)}" if series.note else text


def _across_precisions(result: Result, baseline: str) -> list[str]:
    """Kobolt in other precisions against the peer that has but fp32."""
    lines = []
    theirs = result.find(baseline, "fp32")
    for precision in result.precisions:
        ours = result.find(KOBOLT, precision)
        if precision != "fp32" and ours and theirs:
            spread = ratio(speedup(ours.seconds, theirs.seconds))
            lines.append(
                f"{result.workload.name}: Kobolt {precision} against {baseline} fp32: {spread}."
            )
    return lines


def _against_limit(work: Workload, kobolt: Series | None, least: float | None) -> str:
    if least is None or kobolt is None:
        return DASH
    share = least / Spread.of(kobolt.seconds).median
    return f"{amount(work, least)}, {100 * share:.0f} %"


def build(
    results: Sequence[Result],
    peers: Sequence[str],
    baseline: str,
    machine: Machine | None = None,
) -> Table:
    """`peers` in the order of their columns; `baseline` is compared in fp32 with every precision.
    The last columns say what the `machine` allows."""
    notes = _Notes()
    rows: list[list[str]] = []
    bold: set[tuple[int, int]] = set()
    remarks: list[str] = []
    for result in results:
        work = result.workload
        for precision in result.precisions:
            series = {s.engine: s for s in result.series if s.precision == precision}
            best = result.best_peer(precision)
            kobolt = result.find(KOBOLT, precision)
            row = [work.name, precision]
            for engine in peers:
                if best and engine == best.engine:
                    bold.add((len(rows), len(row)))
                row.append(_cell(work, series.get(engine), notes))
            row.append(_cell(work, series.get(KOBOLT), notes))
            row.append(ratio(speedup(kobolt.seconds, best.seconds)) if kobolt and best else DASH)
            if machine:
                typical = machine.typical_limit(work.name, precision)
                row.append(_against_limit(work, kobolt, machine.limit(work.name, precision)))
                row.append(_against_limit(work, kobolt, typical))
            rows.append(row)
        remarks += agreements(result)
        remarks += _across_precisions(result, baseline)
    header = ["workload", "precision", *peers, KOBOLT, "Kobolt against the best peer"]
    if machine:
        header += ["the machine's limit, Kobolt's share", "at the rates of these rounds"]
        most = machine.most
        remarks.append(
            f"The machine's limit: counted operations and bytes over {most.fp32 / 1e9:.1f} GFLOP/s, "
            f"{most.products('int8') / 1e9:.1f} GOP/s of int8 and {most.read / 1e9:.1f} GB/s, the best "
            "measured beside it. The same over what a tenth of a second gave before each turn, with operands "
            "from L1, medians:"
        )
        remarks += [
            f"{name}: {rates.fp32 / 1e9:.1f}, {rates.products('int8') / 1e9:.1f}, {rates.read / 1e9:.1f}."
            for name, rates in machine.typical.items()
        ]
    return Table(header, rows, bold, notes.texts, remarks)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _pad(text: str, width: int, left: bool) -> str:
    space = " " * (width - _width(text))
    return text + space if left else space + text


def _below(table: Table, bullet: str) -> list[str]:
    lines = [f"[{i}] {note}" for i, note in enumerate(table.notes, 1)]
    return [f"{bullet}{line}" for line in (*lines, *table.remarks)]


def as_text(table: Table) -> str:
    """For a terminal; the best peer of a row carries a star."""
    rows = [
        [f"{text} *" if (r, c) in table.bold else text for c, text in enumerate(row)]
        for r, row in enumerate(table.rows)
    ]
    lines = [table.header, *rows]
    widths = [max(_width(line[c]) for line in lines) for c in range(len(table.header))]
    text = [
        "  ".join(_pad(cell, widths[c], c < 2) for c, cell in enumerate(line)).rstrip()
        for line in lines
    ]
    return "\n".join([*text, *_below(table, "")]) + "\n"


def as_markdown(table: Table) -> str:
    """The best peer of a row in bold."""
    lines = ["| " + " | ".join(table.header) + " |", "|" + "---|" * len(table.header)]
    for r, row in enumerate(table.rows):
        cells = [f"**{text}**" if (r, c) in table.bold else text for c, text in enumerate(row)]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    below = _below(table, "- ")
    return "\n".join([*lines, *([""] if below else []), *below]) + "\n"
