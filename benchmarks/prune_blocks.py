#!/usr/bin/env python3
"""Writes a checkpoint in which a share of the blocks of 16 outputs by 1 input is zero, in every linear
layer by itself, those of smallest norm: the checkpoint behind `blocks` in docs/performance.md.

    python3 benchmarks/prune_blocks.py CHECKPOINT OUT [--amount 0.5]

Needs numpy and safetensors. It is for speed alone; nothing is trained again.
"""

from __future__ import annotations

import argparse
import pathlib
import shutil

import numpy
from safetensors.numpy import load_file, save_file

BLOCK = 16


def without_smallest_blocks(weight: numpy.ndarray, amount: float) -> numpy.ndarray:
    """`weight` [out, in] with round(amount * n) of its n blocks zero. out must be a multiple of 16."""
    rows, columns = weight.shape
    blocks = weight.reshape(rows // BLOCK, BLOCK, columns).copy()
    norms = numpy.square(blocks, dtype=numpy.float64).sum(axis=1).ravel()
    order = numpy.argsort(norms, kind="stable")[: round(amount * norms.size)]
    panel, column = numpy.unravel_index(order, (rows // BLOCK, columns))
    blocks[panel, :, column] = 0
    return blocks.reshape(rows, columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=pathlib.Path, metavar="CHECKPOINT")
    parser.add_argument("out", type=pathlib.Path, metavar="OUT")
    parser.add_argument("--amount", type=float, default=0.5, help="share of the blocks, 0 to 1")
    given = parser.parse_args()
    if not 0 <= given.amount <= 1:
        parser.error(f"--amount {given.amount} is not between 0 and 1")
    weights = load_file(given.checkpoint / "model.safetensors")
    for name, weight in weights.items():
        if ".layers." in name and weight.ndim == 2:
            if weight.shape[0] % BLOCK:
                parser.error(f"{name} has {weight.shape[0]} outputs, no multiple of {BLOCK}")
            weights[name] = without_smallest_blocks(weight, given.amount)
    given.out.mkdir(parents=True, exist_ok=True)
    for file in given.checkpoint.iterdir():
        if file.suffix == ".json":
            shutil.copy(file, given.out / file.name)
    save_file(weights, given.out / "model.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main()
