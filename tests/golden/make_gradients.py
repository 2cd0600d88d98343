#!/usr/bin/env python3
"""Write the loss of the tiny checkpoints and its derivatives by their weights, by torch autograd.

    python3 tests/golden/make_gradients.py            # rewrites tests/data/gradient

Needs torch, transformers 5 and safetensors. Deterministic (seeded).

For each checkpoint of tests/data/checkpoints a file, computed in float64 from its float32 weights:

    samples     documents and labels, token ids; transformers itself makes decoder inputs of labels
    loss        mean cross-entropy over the label tokens of all samples
    gradients   of every matrix by its canonical name: the norm; the weighted sum, which moves when
                values change places; some entries as [index, value]
"""
import json
import os
import pathlib

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
OUT = DATA / "gradient"
SHAPES = ((1, 1), (23, 9), (40, 30), (7, 2))  # tokens of documents and of labels
ENTRIES = 6


def labels_of(config, words):
    """With what the family's tokenizers put around a summary."""
    if config.model_type != "mbart":
        return words + [config.eos_token_id]
    if config.decoder_start_token_id == config.eos_token_id:  # mBART-50
        return [112] + words + [config.eos_token_id]
    return words + [config.eos_token_id, config.decoder_start_token_id]


def samples_of(config, generator):
    special = {config.pad_token_id, config.eos_token_id, config.decoder_start_token_id}
    words = [i for i in range(5, min(config.vocab_size, 100)) if i not in special]

    def some(count):
        return [words[i] for i in torch.randint(len(words), (count,), generator=generator).tolist()]

    return [
        dict(document=some(inside - 1) + [config.eos_token_id],
             labels=labels_of(config, some(outside - 1)))
        for inside, outside in SHAPES
    ]


def number(value):
    return float(f"{value:.9g}")


def summary(gradient):
    flat = gradient.flatten()
    places = 1 + torch.arange(len(flat), dtype=torch.float64) % 97
    step = len(flat) / ENTRIES
    chosen = [int((i + 0.5) * step) for i in range(ENTRIES)]
    return dict(norm=number(flat.norm().item()),
                weighted_sum=number((flat * places).sum().item()),
                entries=[[i, number(flat[i].item())] for i in chosen])


def gradients_of(model):
    """Tied tensors once, by the name that Kobolt has for them."""
    result, seen = {}, set()
    parameters = sorted(model.named_parameters(remove_duplicate=False),
                        key=lambda item: "shared" not in item[0])
    for name, parameter in parameters:
        if parameter.dim() != 2 or parameter.grad is None or parameter.data_ptr() in seen:
            continue
        seen.add(parameter.data_ptr())
        result[name] = summary(parameter.grad)
    return result


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    OUT.mkdir(exist_ok=True)
    for seed, folder in enumerate(sorted((DATA / "checkpoints").iterdir())):
        model = transformers.AutoModelForSeq2SeqLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager").double().eval()
        for module in model.modules():
            if isinstance(module, torch.nn.Embedding):
                module.padding_idx = None  # torch would leave its row out of the derivative
        samples = samples_of(model.config, torch.Generator().manual_seed(seed))
        tokens = sum(len(sample["labels"]) for sample in samples)
        loss = 0
        for sample in samples:
            out = model(input_ids=torch.tensor([sample["document"]]),
                        labels=torch.tensor([sample["labels"]]))
            loss = loss + out.loss * len(sample["labels"])
        loss = loss / tokens
        loss.backward()
        result = dict(samples=samples, loss=number(loss.item()), gradients=gradients_of(model))
        file = OUT / f"{folder.name}.json"
        file.write_text(json.dumps(result, separators=(",", ":")) + "\n")
        print(f"{file.stat().st_size:8d}  {file.relative_to(DATA)}")


if __name__ == "__main__":
    main()
