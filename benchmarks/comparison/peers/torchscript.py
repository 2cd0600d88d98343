"""PyTorch's TorchScript: the traced and frozen encoder."""

from __future__ import annotations

from comparison.peers.hugging_face import Encoder, load_model, torch
from comparison.peers.peer import Peer, timed
from comparison.results import Run
from comparison.workloads import Synthetic, Workload, random_documents

WARMUP = 2  # the profiling executor specialises in the first runs


class TorchScript(Peer):
    def prepare(self, workload: Workload) -> str | None:
        assert isinstance(workload, Synthetic)
        torch.set_num_threads(self.threads)
        self._ids = torch.tensor(random_documents(workload))
        with torch.no_grad():
            module = Encoder(load_model(workload.checkpoint)).eval()
            traced = torch.jit.trace(module, self._ids, check_trace=False)
            self._encoder = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
            for _ in range(WARMUP):
                self._encoder(self._ids)
        return None

    @torch.no_grad()
    def run(self) -> Run:
        return Run(timed(lambda: self._encoder(self._ids))[0])
