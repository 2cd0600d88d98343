"""CTranslate2: the whole model; it sorts and batches documents itself."""

from __future__ import annotations

import json
import pathlib

import ctranslate2
from ctranslate2.converters.transformers import TransformersConverter
from transformers import PreTrainedTokenizerFast

from comparison.peers.conversions import converted
from comparison.peers.peer import Peer, timed
from comparison.peers.settings import beam_settings
from comparison.peers.text import encode, load_tokenizer
from comparison.results import Run
from comparison.workloads import (
    DocumentSet,
    Synthetic,
    Workload,
    random_documents,
)

COMPUTE_TYPES = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16", "int8": "int8"}
BATCH_TOKENS = (512, 2048, 8192)  # tokens a batch that are tried for a set of documents


class _Converter(TransformersConverter):
    """Takes tokenizer.json as it is; transformers would pick a class by the model's family."""

    def __init__(self, checkpoint: pathlib.Path) -> None:
        super().__init__(str(checkpoint))
        self._checkpoint = checkpoint

    def load_model(self, model_class, model_name_or_path, **kwargs):
        model = super().load_model(model_class, model_name_or_path, **kwargs)
        # The converter reads a field that transformers 5 no longer gives to every BART.
        if not hasattr(model.config, "normalize_before"):
            model.config.normalize_before = False
        return model

    def load_tokenizer(self, tokenizer_class, model_name_or_path, **kwargs):
        return PreTrainedTokenizerFast.from_pretrained(self._checkpoint)


class CTranslate2(Peer):
    def prepare(self, workload: Workload) -> str | None:
        self._workload = workload
        self._compute_type = COMPUTE_TYPES[self.precision]
        self._folder = converted(
            self.scratch,
            workload.checkpoint,
            f"ctranslate2-{self.precision}",
            lambda folder: _Converter(workload.checkpoint).convert(
                str(folder),
                quantization=None if self.precision == "fp32" else self._compute_type,
                force=True,
            ),
        )
        self._translator = self._load(workers=1)
        if isinstance(workload, Synthetic):
            spelled = json.loads((self._folder / "shared_vocabulary.json").read_text("utf-8"))
            self._tokens = [[spelled[i] for i in ids] for ids in random_documents(workload)]
            self.run()
            if workload.encoder_only:
                return "the encoder and one decoder step; it runs no encoder alone"
            return None
        self._documents = workload.texts()
        self._tokenizer = load_tokenizer(workload.checkpoint)
        return self._choose_batches(workload)

    def run(self) -> Run:
        work = self._workload
        if isinstance(work, DocumentSet):
            seconds, made = timed(lambda: self._summarise(work))
            return Run(seconds, *made)
        new = work.new_tokens or 1
        seconds, results = timed(
            lambda: self._translator.translate_batch(
                self._tokens,
                beam_size=max(1, work.beams),
                min_decoding_length=new - 1,
                max_decoding_length=new,
                max_input_length=0,
            )
        )
        return Run(seconds, [len(result.hypotheses[0]) for result in results])

    def _load(self, workers: int) -> ctranslate2.Translator:
        return ctranslate2.Translator(
            str(self._folder),
            device="cpu",
            compute_type=self._compute_type,
            inter_threads=workers,
            intra_threads=max(1, self.threads // workers),
        )

    def _choose_batches(self, work: DocumentSet) -> str:
        """Tries batch sizes, then a worker a thread; keeps what was fastest."""
        times: dict[int, float] = {}
        for self._batch_tokens in BATCH_TOKENS:
            if not times:
                self._summarise(work)  # warms up
            times[self._batch_tokens] = timed(lambda: self._summarise(work))[0]
        self._batch_tokens = min(times, key=times.__getitem__)
        workers = 1
        if self.threads > 1:
            together = self._translator
            self._translator = self._load(workers=self.threads)
            if timed(lambda: self._summarise(work))[0] < times[self._batch_tokens]:
                workers = self.threads
            else:
                self._translator = together
        return (
            f"batches of {self._batch_tokens} tokens, {workers} at a time with"
            f" {self.threads // workers} threads each: the best of those tried"
        )

    def _summarise(self, work: DocumentSet) -> tuple[list[int], list[str]]:
        sources = [encoding.tokens for encoding in encode(self._tokenizer, self._documents)]
        results = self._translator.translate_batch(
            sources,
            max_batch_size=self._batch_tokens,
            batch_type="tokens",
            max_input_length=0,
            **beam_settings(work),
        )
        ids = [
            [self._tokenizer.token_to_id(token) for token in result.hypotheses[0]]
            for result in results
        ]
        return [len(row) for row in ids], self._tokenizer.decode_batch(ids)
