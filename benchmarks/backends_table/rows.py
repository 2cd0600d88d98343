"""The rows of the table: how each makes its files, and what summarises with them."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import subprocess


class Missing(Exception):
    """A row cannot be made here; the text says why."""


@dataclasses.dataclass(frozen=True)
class Task:
    """What every row does."""

    program: pathlib.Path
    checkpoint: pathlib.Path
    data: pathlib.Path
    calibration_data: pathlib.Path
    field: str
    documents: int
    threads: int
    scratch: pathlib.Path


@dataclasses.dataclass(frozen=True)
class Result:
    seconds: float
    rouge_l: float
    file_bytes: int
    memory_bytes: int


def call(task: Task, *arguments: object) -> str:
    line = [str(task.program), *map(str, arguments)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Missing((done.stderr.strip().splitlines() or ["no message"])[-1])
    return done.stdout


def size_of(path: pathlib.Path) -> int:
    """Of a file, or of the weights of a folder."""
    if path.is_file():
        return path.stat().st_size
    weights = (".safetensors", ".bin", ".onnx", ".onnx_data")
    return sum(file.stat().st_size for file in path.iterdir() if file.suffix in weights)


def evaluated(task: Task, model: pathlib.Path, *flags: object) -> Result:
    """By `kobolt eval`, in a process of its own."""
    found = json.loads(
        call(task, "eval", model, "--data", task.data, "--document-field", task.field, "--limit",
             task.documents, "--num-beams", 1, "--threads", task.threads, "--bootstrap", 0,
             "--json", "--quiet", *flags))
    return Result(found["seconds"], found["rouge"]["rougeL"]["f"]["mean"], size_of(model),
                  found["peak_memory"])


def kobolt(precision: str):
    def run(task: Task) -> Result:
        engine = task.scratch / f"{precision}.kobolt"
        call(task, "compile", task.checkpoint, "-o", engine, "--precision", precision, "--quiet")
        return evaluated(task, engine)

    return run


def torch_eager(task: Task) -> Result:
    return evaluated(task, task.checkpoint, "--backend", "torch")


def torch_script(task: Task) -> Result:
    file = task.scratch / "model.pt"
    call(task, "export", task.checkpoint, "--torchscript", file, "--quiet")
    return evaluated(task, file)


def onnx_runtime(precision: str):
    def run(task: Task) -> Result:
        folder = task.scratch / f"onnx-{precision}"
        flags: list[object] = ["--precision", precision]
        if precision == "int8":
            calibration = task.scratch / "calibration.json"
            call(task, "calibrate", task.checkpoint, "--data", task.calibration_data,
                 "--document-field", task.field, "-o", calibration, "--quiet")
            flags += ["--calibration", calibration]
        call(task, "export", task.checkpoint, "--onnx", folder, "--quiet", *flags)
        return evaluated(task, folder)

    return run


ROWS = {
    "PyTorch, eager": torch_eager,
    "TorchScript": torch_script,
    "ONNX Runtime, fp32": onnx_runtime("fp32"),
    "ONNX Runtime, int8": onnx_runtime("int8"),
    "Kobolt, fp32": kobolt("fp32"),
    "Kobolt, fp16": kobolt("fp16"),
    "Kobolt, int8": kobolt("int8"),
    "Kobolt, int4": kobolt("int4"),
}
