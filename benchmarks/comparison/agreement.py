"""Whether engines did the same work: one that does less must not win."""

from __future__ import annotations

from comparison.results import KOBOLT, Result, Series
from comparison.workloads import Workload


def short_work(workload: Workload, series: Series) -> str | None:
    """Why `series` did not do all of `workload`; None where it did.

    Some engines return the end token and some do not, so a document may be one token short.
    """
    for run in series.runs:
        if run.texts and len(run.texts) != workload.documents:
            return f"gave {len(run.texts)} summaries of {workload.documents}"
        exactly = workload.new_tokens
        if exactly is None:
            continue
        if len(run.tokens) != workload.documents:
            return f"generated for {len(run.tokens)} documents of {workload.documents}"
        off = [count for count in run.tokens if count not in (exactly - 1, exactly)]
        if off:
            return f"generated {off[0]} tokens where {exactly} were asked for"
    return None


def identical(a: list[str], b: list[str]) -> float:
    """The share of summaries that are the same, white space at the ends aside."""
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} summaries cannot be compared")
    return sum(x.strip() == y.strip() for x, y in zip(a, b)) / len(a) if a else 1.0


def agreements(result: Result) -> list[str]:
    """A line for each peer whose summaries can be compared with Kobolt's."""
    lines = []
    for precision in result.precisions:
        kobolt = result.find(KOBOLT, precision)
        if kobolt is None or not kobolt.runs[0].texts:
            continue
        for peer in result.series:
            same_place = peer.precision == precision and peer.engine != KOBOLT
            if not same_place or not peer.stands or not peer.runs[0].texts:
                continue
            share = identical(kobolt.runs[0].texts, peer.runs[0].texts)
            ours, theirs = sum(kobolt.runs[0].tokens), sum(peer.runs[0].tokens)
            lines.append(
                f"{result.workload.name}, {precision}: {share:.1%} of the summaries are identical"
                f" between {peer.engine} and Kobolt; {theirs} and {ours} tokens were generated."
            )
    return lines
