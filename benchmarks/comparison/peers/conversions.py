"""Converted models in the scratch folder, reused while their checkpoint stays the same."""

from __future__ import annotations

import hashlib
import pathlib
import shutil
from collections.abc import Callable


def fingerprint(checkpoint: pathlib.Path) -> str:
    """Changes with any file of the folder: names, sizes and times, as make looks at them."""
    files = sorted(f for f in checkpoint.iterdir() if f.is_file())
    facts = [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]


def converted(
    scratch: pathlib.Path,
    checkpoint: pathlib.Path,
    kind: str,
    convert: Callable[[pathlib.Path], object],
) -> pathlib.Path:
    """A folder that `convert` has filled: it appears only when complete."""
    folder = scratch / f"{kind}-{checkpoint.name}-{fingerprint(checkpoint)}"
    if not folder.exists():
        unfinished = folder.with_name(folder.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        convert(unfinished)
        unfinished.rename(folder)
    return folder
