"""Kobolt through its program, as its users run it."""

from __future__ import annotations

import json
import pathlib
import subprocess
import tempfile
from typing import Any

from comparison import limits
from comparison.peers.conversions import fingerprint
from comparison.results import KOBOLT, Run
from comparison.workloads import SEQUENCE, DocumentSet, Synthetic, Workload, special_ids


class ProgramError(Exception):
    """The program ended with an error; the text is its message."""


def call(program: pathlib.Path, *arguments: object) -> str:
    """Standard output of `program`. Raises ProgramError with its last line of complaint."""
    line = [str(program), *map(str, arguments)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        complaint = done.stderr.strip().splitlines()
        raise ProgramError(complaint[-1] if complaint else f"exit status {done.returncode}")
    return done.stdout


class Engines:
    """Engine files of this build of the program; each is compiled once a run, never taken from an
    earlier one."""

    def __init__(self, program: pathlib.Path, scratch: pathlib.Path) -> None:
        self.program = program
        self._scratch = scratch
        self._files: dict[tuple[pathlib.Path, str], pathlib.Path] = {}

    def file(self, checkpoint: pathlib.Path, precision: str) -> pathlib.Path:
        key = (checkpoint, precision)
        if key not in self._files:
            name = f"{checkpoint.name}-{fingerprint(checkpoint)}-{precision}.kobolt"
            path = self._scratch / name
            call(
                self.program, "compile", checkpoint, "-o", path, "--precision", precision, "--quiet"
            )
            self._files[key] = path
        return self._files[key]


class Kobolt:
    """Satisfies rounds.Engine. Each run is a process of its own, which warms up before the clock."""

    name = KOBOLT

    def __init__(self, engines: Engines, workload: Workload, precision: str, threads: int) -> None:
        self.precision = precision
        self._engines = engines
        self._workload = workload
        self._threads = threads

    def prepare(self) -> None:
        self._engines.file(self._workload.checkpoint, self.precision)

    def run(self) -> Run:
        if isinstance(self._workload, Synthetic):
            return self._bench(self._workload)
        return self._eval(self._workload)

    def close(self) -> None:
        pass

    def phases(self) -> list[limits.Phase]:
        """The operations and bytes of the work; those of documents, whose lengths vary, are what
        `kobolt profile` counts. Raises ProgramError."""
        work = self._workload
        if isinstance(work, Synthetic):
            return limits.phases(work, limits.Shape.of(work.checkpoint), self.precision)
        arguments = ["--data", work.data, "--document-field", work.field]
        arguments += ["--limit", work.documents, "--batch", work.documents]
        arguments += ["--iterations", 1, "--warmup", 0]
        if work.beams is not None:
            arguments += ["--num-beams", work.beams]
        if work.new_tokens is not None:
            arguments += ["--new-tokens", work.new_tokens]
        return limits.counted(self._call("profile", *arguments), self.precision)

    def _call(self, command: str, *arguments: object) -> dict[str, Any]:
        engine = self._engines.file(self._workload.checkpoint, self.precision)
        shared = ("--threads", self._threads, "--json", "--quiet")
        return json.loads(call(self._engines.program, command, engine, *shared, *arguments))

    def _bench(self, work: Synthetic) -> Run:
        arguments = ["--batch", work.batch, "--sequence", SEQUENCE]
        # Peers keep their process over all rounds. Ours begins anew: by the fourth time it has moved
        # its weights to large pages, as one that goes on has.
        arguments += ["--iterations", 1, "--warmup", 3]
        if work.encoder_only:
            return Run(self._call("bench", *arguments, "--encoder-only")["avg_time"])
        generation = ("--beams", work.beams, "--new-tokens", work.new_tokens)
        result = self._call("bench", *arguments, *generation)
        tokens = round(result["tokens_per_second"] * result["avg_time"])
        # The program tells the sum only: an uneven remainder would show as a document off by it.
        even, rest = divmod(tokens, work.batch)
        return Run(result["avg_time"], [even + rest, *[even] * (work.batch - 1)])

    def _eval(self, work: DocumentSet) -> Run:
        with tempfile.TemporaryDirectory() as folder:
            predictions = pathlib.Path(folder) / "predictions.jsonl"
            arguments = ["--data", work.data, "--document-field", work.field]
            arguments += ["--limit", work.documents, "--bootstrap", 0, "--predictions", predictions]
            # As CTranslate2, which summarises the whole set before the first round.
            arguments += ["--warmup", 1]
            if work.beams is not None:
                arguments += ["--num-beams", work.beams]
            if work.new_tokens is not None:
                arguments += ["--max-new-tokens", work.new_tokens]
                arguments += ["--min-new-tokens", work.new_tokens - 1]
            seconds = self._call("eval", *arguments)["seconds"]
            lines = predictions.read_text(encoding="utf-8").splitlines()
        made = [json.loads(line) for line in lines]
        special = special_ids(work.checkpoint)
        tokens = [sum(token not in special for token in one["tokens"]) for one in made]
        return Run(seconds, tokens, [one["summary"] for one in made])
