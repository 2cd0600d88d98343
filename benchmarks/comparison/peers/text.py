"""From documents to token ids and back, with the tokenizer that transformers would use."""

from __future__ import annotations

import pathlib

from tokenizers import Encoding, Tokenizer

from comparison.workloads import read_config


def load_tokenizer(checkpoint: pathlib.Path) -> Tokenizer:
    """Documents lose what is beyond the model's positions, as in Kobolt."""
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    tokenizer.enable_truncation(int(read_config(checkpoint)["max_position_embeddings"]))
    tokenizer.no_padding()
    return tokenizer


def encode(tokenizer: Tokenizer, documents: list[str]) -> list[Encoding]:
    return tokenizer.encode_batch(documents)
