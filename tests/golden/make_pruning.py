#!/usr/bin/env python3
"""Write the masks that torch.nn.utils.prune makes of the tiny checkpoints.

    python3 tests/golden/make_pruning.py            # rewrites tests/data/prune

Needs torch and transformers 5. Deterministic.

Each case is a list of steps, applied one after the other to one checkpoint, and what is there at its
end: for each module in the order of computation the pruned indices, row-major, and the logits of the
pruned model after each of DECODER for the document DOCUMENT. torch breaks ties
arbitrarily, so a case in which a tie or, for norms, a near-tie would matter is refused here.
`pairs` is a checkpoint whose state_dict was saved while it was pruned: weight_orig, weight_mask.
"""
import json
import os
import pathlib

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from torch.nn.utils import prune

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
OUT = DATA / "prune" / "masks.json"
PAIRS = DATA / "prune" / "pairs"
DOCUMENT = [5, 6, 7, 8, 9, 10, 11]
DECODER = [3, 20, 21]


def magnitude(amount):
    return dict(method="magnitude", amount=amount)


def structured(amount, dim, n):
    return dict(method="structured", amount=amount, dim=dim, norm=n)


def everything(amount):
    return dict(method="global", amount=amount)


CASES = [
    ("bart", [magnitude(0.3)]),
    # Halves, of the 512 weights of the encoder's fc1: rounded to even, 4 and 6.
    ("bart", [magnitude(4.5 / 512)]),
    ("bart", [magnitude(5.5 / 512)]),
    ("bart", [magnitude(0.0)]),
    ("bart", [magnitude(1.0)]),
    ("mbart", [magnitude(0.5), magnitude(0.25)]),
    ("bart", [everything(0.4)]),
    ("mbart", [everything(0.2), everything(0.5)]),
    ("marian", [everything(0.3), magnitude(0.1), structured(0.2, 0, "2")]),
    ("bart", [structured(0.2, 0, "1")]),
    ("bart", [structured(0.2, 1, "2")]),
    ("mbart", [structured(0.3, 0, "inf")]),
    ("mbart", [structured(0.25, 1, "1"), structured(0.25, 0, "2")]),
    ("marian", [structured(0.2, 0, "2"), structured(0.5, 0, "2"), structured(0.125, 1, "inf")]),
]


def linears(model):
    """(name without "model.", module) of the layers that are pruned where none are named."""
    order = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj",
             "encoder_attn.q_proj", "encoder_attn.k_proj", "encoder_attn.v_proj",
             "encoder_attn.out_proj", "fc1", "fc2"]
    modules = dict(model.model.named_modules())
    for side, count in (("encoder", model.config.encoder_layers),
                        ("decoder", model.config.decoder_layers)):
        for layer in range(count):
            for name in order:
                name = f"{side}.layers.{layer}.{name}"
                if name in modules:
                    yield name, modules[name]


def refuse_ties(values, count, gap=0.0):
    ordered = values.flatten().sort().values
    if 0 < count < len(ordered):
        low, high = ordered[count - 1].item(), ordered[count].item()
        if high - low <= gap * abs(high):
            raise SystemExit(f"a tie at {low} and {high}: choose another amount")


def left(module):
    mask = getattr(module, "weight_mask", torch.ones_like(module.weight))
    return module.weight[mask == 1]


def apply(step, chosen):
    amount = step["amount"]
    if step["method"] == "global":
        values = torch.cat([left(m).abs().flatten() for _, m in chosen])
        refuse_ties(values, round(amount * len(values)))
        prune.global_unstructured([(m, "weight") for _, m in chosen],
                                  pruning_method=prune.L1Unstructured, amount=amount)
        return
    for _, module in chosen:
        if step["method"] == "magnitude":
            values = left(module).abs()
            refuse_ties(values, round(amount * values.numel()))
            prune.l1_unstructured(module, "weight", amount=amount)
        else:
            n, dim = float(step["norm"]), step["dim"]
            mask = getattr(module, "weight_mask", torch.ones_like(module.weight))
            norms = torch.linalg.vector_norm(module.weight.double(), ord=n, dim=1 - dim)
            norms = norms[mask.sum(dim=1 - dim) != 0]
            refuse_ties(norms, round(amount * len(norms)), gap=1e-5)
            prune.ln_structured(module, "weight", amount=amount, n=n, dim=dim)


def write_pairs():
    source = DATA / "checkpoints" / "bart"
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(source).eval()
    for _, module in linears(model):
        prune.l1_unstructured(module, "weight", amount=0.5)
    PAIRS.mkdir(parents=True, exist_ok=True)
    # A state_dict as torch.save writes it, tied tensors under each of their names.
    torch.save(model.state_dict(), PAIRS / "pytorch_model.bin")
    for name in ("config.json", "generation_config.json"):
        (PAIRS / name).write_bytes((source / name).read_bytes())


def main():
    torch.set_num_threads(1)
    cases = []
    for checkpoint, steps in CASES:
        model = transformers.AutoModelForSeq2SeqLM.from_pretrained(
            DATA / "checkpoints" / checkpoint, dtype=torch.float32).eval()
        chosen = list(linears(model))
        with torch.no_grad():
            for step in steps:
                apply(step, chosen)
        masks = {name: (module.weight_mask.flatten() == 0).nonzero().flatten().tolist()
                 for name, module in chosen}
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([DOCUMENT]),
                           decoder_input_ids=torch.tensor([DECODER])).logits[0]
        cases.append(dict(checkpoint=checkpoint, steps=steps, document=DOCUMENT, decoder=DECODER,
                          logits=[[float(f"{x:.7g}") for x in row] for row in logits.tolist()],
                          pruned=masks))
    write_pairs()
    # One module a line: a difference is then seen as what it is.
    text = json.dumps(cases, separators=(",", ":")).replace('],"', '],\n"').replace('},{"ch', '},\n{"ch')
    OUT.write_text(text + "\n")
    print(f"{len(cases)} cases, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
