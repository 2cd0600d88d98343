"""A peer in a process of its own: libraries that cannot share one do not meet, and one that dies
takes nothing along."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import pathlib
from multiprocessing.connection import Connection

from comparison import peers
from comparison.results import Run
from comparison.rounds import reason_of
from comparison.workloads import Workload


PARTING_SECONDS = 5  # for a worker to end by itself


def _environment(threads: int) -> dict[str, str]:
    """What libraries read when they load: threads of OpenMP and of the tokenizer; no downloads."""
    return {
        "OMP_NUM_THREADS": str(threads),
        "RAYON_NUM_THREADS": str(threads),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
    }


class PeerError(Exception):
    """The peer raised something, or its process ended; the text says which."""


@dataclasses.dataclass(frozen=True)
class Assignment:
    peer: str
    workload: Workload
    precision: str
    threads: int
    scratch: pathlib.Path


def _serve(connection: Connection, assignment: Assignment, log: pathlib.Path) -> None:
    # Peers print as they please; the terminal is for the comparison.
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        peer = peers.load(
            assignment.peer, assignment.precision, assignment.threads, assignment.scratch
        )
        connection.send(("ready", peer.prepare(assignment.workload)))
        while connection.recv() == "run":
            connection.send(("done", peer.run()))
    except EOFError:  # the comparison ended
        pass
    except Exception as error:  # whatever the library raises
        connection.send(("failed", reason_of(error)))


class Worker:
    """Satisfies rounds.Engine."""

    def __init__(self, assignment: Assignment) -> None:
        self.name = peers.title(assignment.peer)
        self.precision = assignment.precision
        self._assignment = assignment
        self._process: multiprocessing.process.BaseProcess | None = None
        self._connection: Connection | None = None

    def prepare(self) -> str | None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        log = self._assignment.scratch / f"{self._assignment.peer}-{self.precision}.log"
        self._process = context.Process(
            target=_serve, args=(theirs, self._assignment, log), daemon=True
        )
        os.environ.update(_environment(self._assignment.threads))
        self._process.start()
        theirs.close()
        return self._answer()

    def run(self) -> Run:
        assert self._connection is not None
        self._connection.send("run")
        return self._answer()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()  # the worker's loop ends with it
        if self._process is not None:
            self._process.join(PARTING_SECONDS)
            self._process.terminate()
            self._process.join()

    def _answer(self):
        assert self._connection is not None and self._process is not None
        try:
            kind, content = self._connection.recv()
        except EOFError:
            self._process.join()
            raise PeerError(f"its process ended with status {self._process.exitcode}") from None
        if kind == "failed":
            raise PeerError(content)
        return content
