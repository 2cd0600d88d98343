"""PyTorch in eager mode, through transformers."""

from __future__ import annotations

from comparison.peers.hugging_face import Encoder, load_model, torch
from comparison.peers.peer import Peer, timed
from comparison.peers.text import encode, load_tokenizer
from comparison.results import Run
from comparison.workloads import (
    DocumentSet,
    Synthetic,
    Workload,
    random_documents,
    special_ids,
)

BATCH = 8  # documents of similar length that are padded to one and generated together


class TorchEager(Peer):
    def prepare(self, workload: Workload) -> str | None:
        torch.set_num_threads(self.threads)
        self._model = load_model(workload.checkpoint)
        self._special = special_ids(workload.checkpoint)
        self._workload = workload
        if isinstance(workload, Synthetic):
            self._ids = torch.tensor(random_documents(workload))
            encoder = Encoder(self._model).eval()
            with torch.inference_mode():
                encoder(self._ids)  # warms up; a whole generation would take most of a minute
            self._encoder = encoder
            return None
        self._tokenizer = load_tokenizer(workload.checkpoint)
        self._documents = workload.texts()
        self._summarise(workload, self._documents[:BATCH])
        return f"batches of {BATCH} documents, sorted by length and padded"

    @torch.inference_mode()
    def run(self) -> Run:
        work = self._workload
        if isinstance(work, DocumentSet):
            seconds, made = timed(lambda: self._summarise(work, self._documents))
            return Run(seconds, *made)
        if work.encoder_only:
            return Run(timed(lambda: self._encoder(self._ids))[0])
        seconds, rows = timed(lambda: self._generate(work, self._ids))
        # The start token is no generated one.
        return Run(seconds, [len(row) - 1 for row in rows.tolist()])

    def _generate(self, work: Workload, ids: torch.Tensor, mask: torch.Tensor | None = None):
        settings: dict[str, object] = {}
        if work.beams is not None:
            settings["num_beams"] = work.beams
            settings["early_stopping"] = work.beams > 1
        if work.new_tokens is not None:
            settings["max_new_tokens"] = work.new_tokens
            settings["min_new_tokens"] = work.new_tokens - 1
        mask = torch.ones_like(ids) if mask is None else mask
        return self._model.generate(ids, attention_mask=mask, do_sample=False, **settings)

    @torch.inference_mode()
    def _summarise(self, work: DocumentSet, documents: list[str]) -> tuple[list[int], list[str]]:
        encoded = [encoding.ids for encoding in encode(self._tokenizer, documents)]
        order = sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
        made: list[list[int]] = [[] for _ in encoded]
        pad = self._model.config.pad_token_id
        for at in range(0, len(order), BATCH):
            batch = order[at : at + BATCH]
            length = max(len(encoded[i]) for i in batch)
            ids = torch.tensor([encoded[i] + [pad] * (length - len(encoded[i])) for i in batch])
            mask = torch.tensor(
                [[1] * len(encoded[i]) + [0] * (length - len(encoded[i])) for i in batch]
            )
            for i, row in zip(batch, self._generate(work, ids, mask).tolist()):
                made[i] = row
        texts = self._tokenizer.decode_batch(made, skip_special_tokens=True)
        return [sum(token not in self._special for token in row) for row in made], texts
