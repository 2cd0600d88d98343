"""OpenVINO: the encoder exported from PyTorch to ONNX."""

from __future__ import annotations

import numpy as np
import openvino

from comparison.peers.hugging_face import encoder_onnx
from comparison.peers.peer import Peer, timed
from comparison.results import Run
from comparison.workloads import Synthetic, Workload, random_documents


class OpenVino(Peer):
    def prepare(self, workload: Workload) -> str | None:
        assert isinstance(workload, Synthetic)
        documents = random_documents(workload)
        file = encoder_onnx(self.scratch, workload.checkpoint, documents)
        core = openvino.Core()
        settings = {
            "INFERENCE_NUM_THREADS": self.threads,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }
        self._request = core.compile_model(str(file), "CPU", settings).create_infer_request()
        self._ids = np.array(documents, dtype=np.int64)
        self._request.infer({0: self._ids})
        return None

    def run(self) -> Run:
        return Run(timed(lambda: self._request.infer({0: self._ids}))[0])
