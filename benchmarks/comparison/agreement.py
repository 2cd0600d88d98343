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


def identical(a: list[str], b: list[str], fixed_length: bool = False) -> float:
    """The share of summaries that are the same, white space at the ends aside.

    At a fixed length some engines put the end token in the place of the last word and some do not:
    one summary may then be the beginning of the other (short_work() sees to it that this is all).
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} summaries cannot be compared")

    def same(x: str, y: str) -> bool:
        short, long = sorted((x.strip(), y.strip()), key=len)
        return short == long or (fixed_length and long.startswith(short))

    return sum(map(same, a, b)) / len(a) if a else 1.0


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
            fixed = result.workload.new_tokens is not None
            share = identical(kobolt.runs[0].texts, peer.runs[0].texts, fixed)
            ours, theirs = sum(kobolt.runs[0].tokens), sum(peer.runs[0].tokens)
            lines.append(
                f"{result.workload.name}, {precision}: {share:.1%} of the summaries are identical"
                f"{', a last word aside,' if fixed else ''} between {peer.engine} and Kobolt;"
                f" {theirs} and {ours} tokens were generated."
            )
    return lines
