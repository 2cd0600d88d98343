"""A checkpoint as transformers loads it."""

from __future__ import annotations

import pathlib

import torch
from transformers import BartForConditionalGeneration

from comparison.peers.conversions import converted


class Encoder(torch.nn.Module):
    """The encoder of a checkpoint alone: ids [batch, tokens] to states [batch, tokens, d_model]."""

    def __init__(self, model: BartForConditionalGeneration) -> None:
        super().__init__()
        self.encoder = model.get_encoder()

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.encoder(input_ids=ids).last_hidden_state


def load_model(checkpoint: pathlib.Path) -> BartForConditionalGeneration:
    return BartForConditionalGeneration.from_pretrained(checkpoint).eval()


def encoder_onnx(
    scratch: pathlib.Path, checkpoint: pathlib.Path, documents: list[list[int]]
) -> pathlib.Path:
    """The encoder as an ONNX file for any number of documents of any length."""

    def export(folder: pathlib.Path) -> None:
        with torch.no_grad():
            torch.onnx.export(
                Encoder(load_model(checkpoint)).eval(),
                (torch.tensor(documents),),
                str(folder / "encoder.onnx"),
                input_names=["ids"],
                output_names=["states"],
                dynamic_axes={"ids": {0: "batch", 1: "tokens"}},
                opset_version=17,
                dynamo=False,
            )

    return converted(scratch, checkpoint, "onnx", export) / "encoder.onnx"
