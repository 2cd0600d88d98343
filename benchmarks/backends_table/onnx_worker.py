"""Summarises a data set greedily with ONNX Runtime over a folder of `kobolt export --onnx`.

    onnx_worker.py FOLDER DATA PREDICTIONS FIELD DOCUMENTS THREADS

Prints one line of JSON: seconds of summarising, texts to texts, and the process's peak memory. Needs
numpy, onnxruntime and tokenizers; nothing else is loaded, so that memory is theirs.
"""

from __future__ import annotations

import json
import pathlib
import resource
import sys
import time

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

BATCH = 16  # documents of similar length that are padded to one


def session(folder: pathlib.Path, name: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    file = str(folder / f"{name}_model.onnx")
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


class Model:
    def __init__(self, folder: pathlib.Path, threads: int) -> None:
        self._encoder = session(folder, "encoder", threads)
        self._first = session(folder, "decoder", threads)
        self._next = session(folder, "decoder_with_past", threads)
        config = json.loads((folder / "config.json").read_text())
        settings = config | json.loads((folder / "generation_config.json").read_text())
        self._start = settings["decoder_start_token_id"]
        self._forced = settings.get("forced_bos_token_id")
        self._forced_end = settings.get("forced_eos_token_id")
        self._end = settings["eos_token_id"]
        self._most = settings.get("max_new_tokens") or settings["max_length"] - 1
        self.positions = config["max_position_embeddings"]

    def greedy(self, documents: list[list[int]]) -> list[list[int]]:
        """The most likely token after the other, until all documents have ended."""
        length = max(map(len, documents))
        ids = np.zeros((len(documents), length), np.int64)
        mask = np.zeros_like(ids)
        for row, document in enumerate(documents):
            ids[row, : len(document)] = document
            mask[row, : len(document)] = 1
        hidden = self._encoder.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        tokens = np.full((len(documents), 1), self._start, np.int64)
        feed = {"input_ids": tokens, "encoder_attention_mask": mask}
        graph, cache = self._first, {"encoder_hidden_states": hidden}
        made: list[list[int]] = [[] for _ in documents]
        running = np.ones(len(documents), bool)
        for step in range(self._most):
            names = [output.name for output in graph.get_outputs()]
            found = dict(zip(names, graph.run(names, feed | cache)))
            tokens = found.pop("logits")[:, -1].argmax(-1).astype(np.int64)
            if step == 0 and self._forced is not None:
                tokens[:] = self._forced
            if step == self._most - 1 and self._forced_end is not None:
                tokens[:] = self._forced_end
            for row in np.flatnonzero(running):
                made[row].append(int(tokens[row]))
            running &= tokens != self._end
            if not running.any():
                break
            past = {name.replace("present", "past_key_values"): x for name, x in found.items()}
            cache = past if graph is self._first else cache | past
            graph, feed["input_ids"] = self._next, tokens[:, None]
        return made


def main() -> None:
    folder, data, predictions = map(pathlib.Path, sys.argv[1:4])
    field, count, threads = sys.argv[4], int(sys.argv[5]), int(sys.argv[6])
    lines = data.read_text().splitlines()[:count]
    documents = [json.loads(line)[field] for line in lines]
    model = Model(folder, threads)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(model.positions)
    tokenizer.no_padding()

    begin = time.perf_counter()
    encoded = [encoding.ids for encoding in tokenizer.encode_batch(documents)]
    order = sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
    made: list[list[int]] = [[] for _ in encoded]
    for at in range(0, len(order), BATCH):
        batch = order[at : at + BATCH]
        for i, row in zip(batch, model.greedy([encoded[i] for i in batch])):
            made[i] = row
    texts = tokenizer.decode_batch(made, skip_special_tokens=True)
    seconds = time.perf_counter() - begin

    with predictions.open("w") as out:
        out.writelines(" ".join(text.split()) + "\n" for text in texts)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peak_memory": peak}))


if __name__ == "__main__":
    main()
