"""ONNX Runtime: the encoder exported from PyTorch; int8 is its dynamic quantisation."""

from __future__ import annotations

import pathlib

import numpy as np
import onnxruntime
from onnxruntime.quantization import quantize_dynamic

from comparison.peers.conversions import converted
from comparison.peers.hugging_face import encoder_onnx
from comparison.peers.peer import Peer, timed
from comparison.results import Run
from comparison.workloads import Synthetic, Workload, random_documents


class OnnxRuntime(Peer):
    def prepare(self, workload: Workload) -> str | None:
        assert isinstance(workload, Synthetic)
        documents = random_documents(workload)
        file = encoder_onnx(self.scratch, workload.checkpoint, documents)
        if self.precision == "int8":
            file = self._quantised(workload.checkpoint, file)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(file), options, providers=["CPUExecutionProvider"]
        )
        self._feed = {"ids": np.array(documents, dtype=np.int64)}
        self._session.run(None, self._feed)
        return None

    def run(self) -> Run:
        return Run(timed(lambda: self._session.run(None, self._feed))[0])

    def _quantised(self, checkpoint: pathlib.Path, file: pathlib.Path) -> pathlib.Path:
        def quantise(folder: pathlib.Path) -> None:
            quantize_dynamic(str(file), str(folder / "encoder.onnx"))

        return converted(self.scratch, checkpoint, "onnx-int8", quantise) / "encoder.onnx"
