"""What Kobolt costs beside time on documents: file, memory, start."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import random
import subprocess
import tempfile
import time

from comparison.kobolt import Engines, ProgramError, call
from comparison.timing import Spread
from comparison.workloads import NEW_TOKENS, SEQUENCE

BEAMS = 4
WORDS = 20  # of the short document whose first token is awaited
STARTS = 15


@dataclasses.dataclass(frozen=True)
class Footprint:
    file_bytes: int
    cache_bytes: int  # keys and values of one document of SEQUENCE tokens and BEAMS beams
    peak_bytes: int  # most resident memory over loading and two such summaries
    first_token: Spread  # seconds from the start of the process to its end, one token later

    @property
    def peak_share(self) -> float:
        """Of memory that is not the cache, as a multiple of the file."""
        return (self.peak_bytes - self.cache_bytes) / self.file_bytes


def short_document(checkpoint: pathlib.Path) -> str:
    """Ordinary words of the checkpoint's vocabulary."""
    tokenizer = json.loads((checkpoint / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = tokenizer["model"]["vocab"]
    words = list(vocabulary) if isinstance(vocabulary, dict) else [piece for piece, _ in vocabulary]
    ordinary = sorted(word for word in words if word.isalnum())
    return " ".join(random.Random(0).choices(ordinary or ["text"], k=WORDS))


def _seconds_to_first_token(line: list[str]) -> float:
    start = time.perf_counter()
    # posix_spawn, by way of subprocess: no copy of this process is made first.
    done = subprocess.run(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise ProgramError(done.stderr.decode(errors="replace").strip())
    return seconds


def measure(engines: Engines, checkpoint: pathlib.Path, precision: str, threads: int) -> Footprint:
    """Raises ProgramError where the program fails."""
    engine = engines.file(checkpoint, precision)
    shared = ["--threads", str(threads), "--quiet"]
    shape = ["--batch", 1, "--sequence", SEQUENCE, "--beams", BEAMS, "--new-tokens", NEW_TOKENS]
    once = ["--iterations", 2, "--warmup", 0, "--json"]  # by then the file is in large pages
    bench = json.loads(call(engines.program, "bench", engine, *shared, *shape, *once))
    with tempfile.TemporaryDirectory() as folder:
        document = pathlib.Path(folder) / "document.txt"
        document.write_text(short_document(checkpoint) + "\n", encoding="utf-8")
        line = [str(engines.program), "run", str(engine), str(document)]
        line += [*shared, "--max-new-tokens", "1"]
        _seconds_to_first_token(line)  # brings the file into memory
        times = [_seconds_to_first_token(line) for _ in range(STARTS)]
    return Footprint(
        file_bytes=os.stat(engine).st_size,
        cache_bytes=int(bench["memory"]["kv_cache"]),
        peak_bytes=int(bench["peak_memory"]),
        first_token=Spread.of(times),
    )


def as_text(footprints: dict[str, Footprint]) -> str:
    lines = []
    for precision, found in footprints.items():
        lines += [
            f"{precision}: engine file {found.file_bytes / 1e6:.1f} MB",
            f"{precision}: at most {found.peak_bytes / 1e6:.1f} MB resident over loading and two"
            f" documents ({SEQUENCE} tokens, {BEAMS} beams, {NEW_TOKENS} tokens out):"
            f" {found.peak_share:.2f} times the file beside {found.cache_bytes / 1e6:.1f} MB of"
            " keys and values",
            f"{precision}: {found.first_token.median:.3f} s from the start of the process to its"
            f" end after one token of a short document ({found.first_token.low:.3f} to"
            f" {found.first_token.high:.3f}, {STARTS} starts)",
        ]
    return "\n".join(lines) + "\n"
