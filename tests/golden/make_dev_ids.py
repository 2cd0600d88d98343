#!/usr/bin/env python3
"""Golden token ids of transformers' generate() on the development set, for tests/runtime.

    make_dev_ids.py SHARED_FOLDER       # with models/deb-bart and data/dev.jsonl in it

Writes tests/data/runtime/dev_ids.json: for greedy search and 4 beams the generated ids of every
document, without the start token. Ids only: none of the data's text. Needs torch, transformers 5.
Deterministic: one thread, documents one by one.
"""

import json
import os
import pathlib
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from transformers import BartForConditionalGeneration, PreTrainedTokenizerFast

OUTPUT = pathlib.Path(__file__).parent.parent / "data" / "runtime" / "dev_ids.json"


def main(shared: pathlib.Path) -> None:
    torch.set_num_threads(1)
    folder = shared / "models" / "deb-bart"
    model = BartForConditionalGeneration.from_pretrained(folder).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    lines = (shared / "data" / "dev.jsonl").read_text().splitlines()
    golden = {}
    for name, beams in (("greedy", 1), ("beam4", 4)):
        golden[name] = []
        for line in lines:
            text = json.loads(line)["document"]
            ids = tokenizer(text, truncation=True, max_length=512, return_tensors="pt")["input_ids"]
            with torch.no_grad():
                out = model.generate(
                    ids, attention_mask=torch.ones_like(ids), num_beams=beams, max_new_tokens=40)
            golden[name].append(out[0].tolist()[1:])
    OUTPUT.write_text(json.dumps(golden, separators=(",", ":")).replace("]],", "]],\n") + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
