"""The peers by the names of --peers. Their modules import their libraries only when loaded."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from comparison.workloads import Synthetic, Workload

if TYPE_CHECKING:
    from comparison.peers.peer import Peer

# name: title, class, libraries it needs, precisions, whether it generates
_PEERS = {
    "torch": ("PyTorch eager", "TorchEager", ("torch", "transformers"), ("fp32",), True),
    "torchscript": ("TorchScript", "TorchScript", ("torch", "transformers"), ("fp32",), False),
    "ctranslate2": (
        "CTranslate2",
        "CTranslate2",
        ("ctranslate2", "torch", "transformers", "tokenizers"),
        ("fp32", "fp16", "bf16", "int8"),
        True,
    ),
    "onnxruntime": (
        "ONNX Runtime",
        "OnnxRuntime",
        ("onnxruntime", "onnx", "torch", "transformers", "numpy"),
        ("fp32", "int8"),
        False,
    ),
    "openvino": (
        "OpenVINO",
        "OpenVino",
        ("openvino", "onnx", "torch", "transformers", "numpy"),
        ("fp32",),
        False,
    ),
}
NAMES = tuple(_PEERS)
BASELINE = "PyTorch eager"  # what people have who install nothing more


def title(name: str) -> str:
    return _PEERS[name][0]


def declines(name: str, workload: Workload, precision: str) -> str | None:
    """Why a peer cannot do it, as a footnote; None where it can be tried."""
    _, _, libraries, precisions, generates = _PEERS[name]
    missing = [library for library in libraries if importlib.util.find_spec(library) is None]
    if missing:
        return f"not installed ({', '.join(missing)})"
    if not generates and not (isinstance(workload, Synthetic) and workload.encoder_only):
        return "has no generation of its own; timed on the encoder"
    if precision not in precisions:
        return f"not timed in {precision}"
    return None


def load(name: str, precision: str, threads: int, scratch: pathlib.Path) -> Peer:
    """Imports the peer's libraries. Call it in a process of the peer's own."""
    module = importlib.import_module(f"comparison.peers.{name}")
    return getattr(module, _PEERS[name][1])(precision, threads, scratch)


def versions(names: Sequence[str]) -> dict[str, str]:
    """Of the libraries of these peers that are installed."""
    found = {}
    for library in dict.fromkeys(lib for name in names for lib in _PEERS[name][2]):
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
