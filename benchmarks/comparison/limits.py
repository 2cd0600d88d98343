"""The least time that the machine allows for a workload: its operations and bytes over the rates that
benchmarks/roofline measures."""

from __future__ import annotations

import dataclasses
import pathlib
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from comparison.workloads import SEQUENCE, Synthetic, read_config

# Bytes that a weight takes. int4 has a scale of 2 bytes for 32 weights.
WEIGHT_BYTES = {"fp32": 4.0, "fp16": 2.0, "bf16": 2.0, "int8": 1.0, "int4": 0.5 + 2 / 32}


@dataclasses.dataclass(frozen=True)
class Ceilings:
    """Operations and bytes a second. `pairs` and `bytes` are products of int16 and of int8; `bf16` and
    `bytes` are 0 where the machine has no instruction for them."""

    fp32: float
    bf16: float
    pairs: float
    bytes: float
    read: float

    def products(self, precision: str) -> float:
        """int8 takes bytes where the machine has an instruction for them, int4 always: without one it
        takes two, as pairs do, of twice the lanes."""
        if precision == "int8":
            return max(self.pairs, self.bytes)
        if precision == "int4":
            return max(2 * self.pairs, self.bytes)
        return max(self.fp32, self.bf16) if precision == "bf16" else self.fp32

    def attention(self, precision: str) -> float:
        """That of integer engines multiplies pairs where they are faster, that of int8 bytes too."""
        integers = {"int8": max(self.pairs, self.bytes), "int4": self.pairs}
        return max(self.fp32, integers.get(precision, 0.0))

    def best(self, other: Ceilings) -> Ceilings:
        """A disturbed measurement shows less than the machine can do."""
        return Ceilings(*map(max, dataclasses.astuple(self), dataclasses.astuple(other)))

    @classmethod
    def typical(cls, samples: Sequence[Ceilings]) -> Ceilings:
        """The medians of several moments. Raises StatisticsError for none."""
        return cls(*map(statistics.median, zip(*map(dataclasses.astuple, samples), strict=True)))


@dataclasses.dataclass(frozen=True)
class Shape:
    d: int
    ffn: int
    encoder_layers: int
    decoder_layers: int
    decoder_ffn: int
    vocabulary: int

    @classmethod
    def of(cls, checkpoint: pathlib.Path) -> Shape:
        config = read_config(checkpoint)
        names = ("d_model", "encoder_ffn_dim", "encoder_layers", "decoder_layers")
        return cls(
            *(int(config[name]) for name in names),
            decoder_ffn=int(config["decoder_ffn_dim"]),
            vocabulary=int(config["vocab_size"]),
        )


@dataclasses.dataclass
class Phase:
    """Work that follows other work: it takes the longer of its arithmetic and its reading."""

    product_ops: float = 0.0
    attention_ops: float = 0.0
    read_bytes: float = 0.0

    def seconds(self, precision: str, ceilings: Ceilings) -> float:
        products = self.product_ops / ceilings.products(precision)
        arithmetic = products + self.attention_ops / ceilings.attention(precision)
        return max(arithmetic, self.read_bytes / ceilings.read)


def _encoder(shape: Shape, documents: int, weight: float) -> Phase:
    weights = shape.encoder_layers * (4 * shape.d**2 + 2 * shape.d * shape.ffn)
    rows = documents * SEQUENCE
    return Phase(
        product_ops=2.0 * rows * weights,
        attention_ops=4.0 * rows * SEQUENCE * shape.d * shape.encoder_layers,
        read_bytes=weight * weights,
    )


def _cross_projection(shape: Shape, documents: int, weight: float) -> Phase:
    weights = shape.decoder_layers * 2 * shape.d**2
    return Phase(
        product_ops=2.0 * documents * SEQUENCE * weights,
        read_bytes=weight * weights,
    )


def _step(shape: Shape, documents: int, rows: int, position: int, precision: str) -> Phase:
    """One position decoded. Keys and values: a document's cross-attention is read once for all its
    rows; engines keep both caches in the precision of their weights, but never below int8."""
    layer = 6 * shape.d**2 + 2 * shape.d * shape.decoder_ffn
    weights = shape.decoder_layers * layer + shape.d * shape.vocabulary
    cached = max(1.0, WEIGHT_BYTES[precision])
    positions = documents * SEQUENCE + rows * position
    return Phase(
        product_ops=2.0 * rows * weights,
        attention_ops=4.0 * rows * (SEQUENCE + position) * shape.d * shape.decoder_layers,
        read_bytes=WEIGHT_BYTES[precision] * weights
        + 2.0 * cached * positions * shape.d * shape.decoder_layers,
    )


def phases(work: Synthetic, shape: Shape, precision: str) -> list[Phase]:
    """What is counted of work whose sizes are known."""
    weight = WEIGHT_BYTES[precision]
    found = [_encoder(shape, work.batch, weight)]
    if work.encoder_only:
        return found
    found.append(_cross_projection(shape, work.batch, weight))
    # All beams of the first step are alike, and the last token is forced to be the end.
    for position in range((work.new_tokens or 0) - 1):
        rows = work.batch * (1 if position == 0 else work.beams)
        found.append(_step(shape, work.batch, rows, position + 1, precision))
    return found


def counted(profile: Mapping[str, Any], precision: str) -> list[Phase]:
    """Of what `kobolt profile --json` counted: operators, one after the other. It tells times at the
    rates that it measured itself; attention is taken at the rate of products, which it has in fp32
    and int8."""
    ceilings = Ceilings(**profile["ceilings"])
    return [
        Phase(
            product_ops=operator["least_arithmetic"] * ceilings.products(precision),
            read_bytes=operator["least_reading"] * ceilings.read,
        )
        for operator in profile["operators"]
    ]


def least_seconds(work: Sequence[Phase], precision: str, ceilings: Ceilings) -> float:
    """What these rates allow for phases one after the other."""
    return sum(phase.seconds(precision, ceilings) for phase in work)


def parse_ceilings(text: str, threads: int, loaded: bool = False) -> Ceilings:
    """What roofline printed: a line an instruction set and number of threads; the best of the sets
    counts. With `loaded`, fp32 and bytes are the rates with operands from L1, where the machine has
    them. Raises ValueError where that number of threads is missing."""
    found = None
    for line in text.splitlines():
        cells = line.split()
        if len(cells) != 9 or cells[1] != str(threads):
            continue
        fp32, fp32_loaded, bf16, pairs, bytes_, bytes_loaded, read = (
            float(cell) * 1e9 for cell in cells[2:]
        )
        if loaded:
            fp32, bytes_ = fp32_loaded or fp32, bytes_loaded or bytes_
        ceilings = Ceilings(fp32, bf16, pairs, bytes_, read)
        found = ceilings.best(found) if found else ceilings
    if found:
        return found
    raise ValueError(f"roofline did not measure {threads} threads: {text.strip()!r}")


def measure_ceilings(program: pathlib.Path, threads: int, now: bool = False) -> Ceilings:
    """The best that the machine gives, or what it gives products `now`: with operands that are
    loaded. Raises ValueError, OSError or subprocess.CalledProcessError."""
    command = [program, "--now"] if now else [program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return parse_ceilings(done.stdout, threads, loaded=now)
