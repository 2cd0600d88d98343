#!/usr/bin/env python3
"""Makes examples/deb-bart from the checkpoint that was trained in float32.

    make_example_model.py TRAINED_FOLDER examples/deb-bart

Weights become float16, everything else is copied byte for byte. The model is a small BART (7.8
million parameters) trained to write a Debian package's synopsis from its description, English and
Korean. Needs numpy and safetensors. The same input gives the same bytes.
"""

import pathlib
import shutil
import sys

import numpy
from safetensors.numpy import load_file, save_file


def main(source: pathlib.Path, target: pathlib.Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    tensors = load_file(source / "model.safetensors")
    largest = max(float(numpy.abs(values).max()) for values in tensors.values())
    if largest > float(numpy.finfo(numpy.float16).max):
        sys.exit(f"{largest} does not fit float16")
    halves = {name: values.astype(numpy.float16) for name, values in tensors.items()}
    save_file(halves, target / "model.safetensors", metadata={"format": "pt"})
    for name in ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(source / name, target / name)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
