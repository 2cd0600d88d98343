"""The command line and the table."""

from __future__ import annotations

import argparse
import pathlib
import tempfile

from backends_table.rows import ROWS, Missing, Result, Task


def megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


def row_text(name: str, result: Result | str, first: float | None) -> str:
    if isinstance(result, str):
        return f"| {name} | {result} | | | | |"
    speed = "" if first is None else f"{first / result.seconds:.2f}x"
    return (f"| {name} | {result.seconds:.2f} s | {speed} | {result.rouge_l:.4f} | "
            f"{megabytes(result.file_bytes)} | {megabytes(result.memory_bytes)} |")


def best_of(run, task: Task, rounds: int) -> Result:
    return min((run(task) for _ in range(rounds)), key=lambda result: result.seconds)


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks/backends",
        description="Summarises a data set greedily with one checkpoint by every back end: PyTorch eager and "
        "TorchScript (the component for LibTorch), ONNX Runtime over the exported graphs (its library, which "
        "KOBOLT_ONNXRUNTIME names), and Kobolt. Prints a Markdown table: time of summarising, the best of the "
        "rounds; ROUGE-L; size of what is loaded; peak memory of the process. Rows whose library is missing "
        "say so.")
    parser.add_argument("checkpoint", type=pathlib.Path, help="Hugging Face folder")
    parser.add_argument("program", type=pathlib.Path, help="the kobolt program")
    parser.add_argument("--data", type=pathlib.Path, required=True,
                        help="documents and summaries, JSON lines")
    parser.add_argument("--calibration-data", type=pathlib.Path,
                        help="documents to calibrate int8 with; those of --data without it")
    parser.add_argument("--field", default="document", help="field of the document")
    parser.add_argument("--documents", type=int, default=100, help="the first N, 0 = all; 100")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="ROW",
                        help="; ".join(ROWS))
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = parsed(arguments)
    print("| | time | | ROUGE-L | files | peak memory |\n|---|---|---|---|---|---|")
    first = None
    with tempfile.TemporaryDirectory() as scratch:
        task = Task(program=options.program.resolve(), checkpoint=options.checkpoint,
                    data=options.data, calibration_data=options.calibration_data or options.data,
                    field=options.field, documents=options.documents, threads=options.threads,
                    scratch=pathlib.Path(scratch))
        for name in options.rows:
            try:
                result: Result | str = best_of(ROWS[name], task, options.rounds)
            except Missing as missing:
                result = str(missing)
            print(row_text(name, result, first), flush=True)
            if first is None and isinstance(result, Result):
                first = result.seconds
    return 0
