#!/usr/bin/env python3
"""Write what the methods of calibration find for some distributions, by NumPy.

    python3 tests/golden/make_calibration.py            # rewrites tests/data/quantize/clips.json

Needs NumPy. The numbers are made by exact operations from a counter, so that the test makes the same
ones. Every method is written here as docs/calibration.md defines it, without any shortcut.
"""
import json
import pathlib

import numpy

OUT = pathlib.Path(__file__).resolve().parent.parent / "data" / "quantize" / "clips.json"
BINS, LEVELS = 2048, 128
PERCENTILES = (99.99, 99.0, 50.0, 100.0)


def uniform(count):
    """In [0, 1), a multiple of 2^-32 each."""
    counter = numpy.arange(1, count + 1, dtype=numpy.uint64)
    return ((counter * numpy.uint64(2654435761)) % numpy.uint64(2**32)).astype(numpy.float64) / 2**32


def distributions():
    u = uniform(20000)
    signed = 2 * u - 1
    yield "uniform", signed * 3
    yield "heavy tail", signed / (1.0078125 - numpy.abs(signed))
    yield "cubic", signed * signed * signed * 0.001
    yield "one side", numpy.where(signed > 0, signed / (1.0625 - signed), 0.0)
    outliers = signed.copy()
    outliers[[17, 4711]] = [-250.0, 93.0]
    yield "outliers", outliers
    yield "constant", numpy.full(100, -0.75)
    yield "few", u[:5]
    yield "steps", numpy.round(signed * 4) / 4
    yield "tiny", signed * 2.0**-110


def histogram(x):
    magnitude = numpy.abs(x.astype(numpy.float64))
    top = magnitude.max()
    limit = 2.0 ** (numpy.floor(numpy.log2(top)) + 1)
    counts, _ = numpy.histogram(magnitude, bins=BINS, range=(0, limit))
    width = limit / BINS
    return counts[: int(top / width) + 1], width, top


def kl_divergence(counts, bins):
    reference = counts[:bins].astype(numpy.float64)
    reference[-1] += counts[bins:].sum()
    candidate = numpy.zeros(bins)
    for level in range(LEVELS):
        part = slice(level * bins // LEVELS, (level + 1) * bins // LEVELS)
        filled = counts[part] > 0
        if filled.any():
            candidate[part] = numpy.where(filled, counts[part].sum() / filled.sum(), 0)
    if candidate.sum() == 0:
        return numpy.inf
    p, q = reference / reference.sum(), candidate / candidate.sum()
    used = p > 0
    if (q[used] == 0).any():
        return numpy.inf
    return (p[used] * numpy.log(p[used] / q[used])).sum()


def squared_error(counts, width, clip):
    middles = (numpy.arange(len(counts)) + 0.5) * width
    step = clip / 127
    stored = step * numpy.minimum(numpy.rint(middles / step), 127)
    return (counts * (middles - stored) ** 2).sum()


def cheapest(costs):
    """Close calls are given as all that may win: sums in another order."""
    costs = numpy.array(costs)
    best = costs.min()
    return [int(i) for i in numpy.flatnonzero(costs <= best + 1e-9 * abs(best) + 1e-300)]


def clips(x):
    counts, width, top = histogram(x)
    most = len(counts)

    def edge(bins):
        return min(bins * width, top)

    candidates = range(min(LEVELS, most), most + 1)
    result = {"minmax": [float(top)]}
    for method, cost in (("entropy", lambda bins: kl_divergence(counts, bins)),
                         ("mse", lambda bins: squared_error(counts, width, edge(bins)))):
        winners = cheapest([cost(bins) for bins in candidates])
        result[method] = [float(edge(candidates[i])) for i in winners]
    cumulative = numpy.cumsum(counts)
    for percentile in PERCENTILES:
        bins = int(numpy.argmax(cumulative >= len(x) * (percentile / 100))) + 1
        result[f"percentile {percentile:g}"] = [float(edge(bins))]
    return result


def main():
    OUT.parent.mkdir(exist_ok=True)
    result = []
    for name, values in distributions():
        x = values.astype(numpy.float32)
        counts, width, _ = histogram(x)
        result.append(dict(name=name, bins=len(counts), width=width,
                           weighted_counts=int((counts * numpy.arange(1, len(counts) + 1)).sum()),
                           clips=clips(x)))
        print(name, {key: value[:3] for key, value in result[-1]["clips"].items()})
    OUT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
