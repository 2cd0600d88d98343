"""An encoder-decoder model whose next-token logits are a hash of document, position and history.

The same function is written in C++ in tests/runtime/table_backend.cc: every operation is exact in
float32, so both sides see the same logits, bit for bit, and generation can be compared by itself.
Needs torch, transformers 5, numpy.
"""

import numpy as np
import torch
from transformers import BartConfig, BartForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput, Seq2SeqLMOutput

VOCAB_SIZE = 48
MAX_POSITIONS = 40
EOS_SLOPES = {1: 0.25, 2: 0.125}  # these tokens get likelier with every position


def combine(h, value):
    """One step of a 32-bit hash (murmur3's finaliser over a mix of both); arrays or numbers."""
    with np.errstate(over="ignore"):
        h = (np.asarray(h, np.uint32) ^ np.asarray(value, np.uint32)) * np.uint32(0x9E3779B1)
        h = h + np.uint32(0x7F4A7C15)
        h = h ^ (h >> np.uint32(16))
        h = h * np.uint32(0x85EBCA6B)
        h = h ^ (h >> np.uint32(13))
        h = h * np.uint32(0xC2B2AE35)
        return h ^ (h >> np.uint32(16))


def fold(seed, tokens):
    h = np.uint32(seed)
    for token in tokens:
        h = combine(h, np.uint32(token))
    return h


def unit(h):
    """20 bits of the hash as a float32 in [0, 1)."""
    return (h >> np.uint32(12)).astype(np.float32) * np.float32(2.0**-20)


def logits(document, sequence):
    """[VOCAB_SIZE] for the token after `sequence`, which begins with the decoder start token."""
    tokens = np.arange(VOCAB_SIZE, dtype=np.uint32)
    doc = fold(1, document)
    position = len(sequence) - 1
    by_previous = combine(combine(combine(doc, 11), sequence[-1]), tokens)
    by_position = combine(combine(combine(doc, 12), position), tokens)
    by_history = combine(combine(fold(2, sequence), doc), tokens)
    out = np.float32(6) * unit(by_previous) + np.float32(2) * unit(by_position) + unit(by_history)
    for token, slope in EOS_SLOPES.items():
        out[token] += np.float32(slope) * np.float32(position)
    return out


class _Encoder(torch.nn.Module):
    def forward(self, input_ids=None, attention_mask=None, **_):
        return BaseModelOutput(last_hidden_state=input_ids.to(torch.float32).unsqueeze(-1))


class TableModel(BartForConditionalGeneration):
    """`noise` perturbs every logit by up to that much, to find near-ties."""

    def __init__(self, noise=0.0):
        super().__init__(
            BartConfig(
                vocab_size=VOCAB_SIZE,
                max_position_embeddings=MAX_POSITIONS,
                d_model=4,
                encoder_layers=1,
                decoder_layers=1,
                encoder_attention_heads=1,
                decoder_attention_heads=1,
                encoder_ffn_dim=4,
                decoder_ffn_dim=4,
                bos_token_id=None,
                eos_token_id=None,
                pad_token_id=3,
                decoder_start_token_id=None,
                forced_eos_token_id=None,
            )
        )
        self.table_encoder = _Encoder()
        self.noise = noise
        self.random = np.random.default_rng(0)
        self.cache = {}

    def get_encoder(self, *_, **__):
        return self.table_encoder

    def forward(
        self,
        input_ids=None,
        attention_mask=None,
        decoder_input_ids=None,
        encoder_outputs=None,
        **_,
    ):
        documents = encoder_outputs.last_hidden_state[..., 0].to(torch.int64)
        rows = []
        for document, mask, sequence in zip(documents, attention_mask, decoder_input_ids):
            document = tuple(document[mask.bool()].tolist())
            sequence = tuple(sequence.tolist())
            key = (document, sequence)
            if key not in self.cache:
                self.cache[key] = logits(document, sequence)
            row = self.cache[key]
            if self.noise:
                row = row + self.random.uniform(-self.noise, self.noise, VOCAB_SIZE)
            rows.append(row.astype(np.float32))
        return Seq2SeqLMOutput(logits=torch.from_numpy(np.stack(rows)).unsqueeze(1))
