#!/usr/bin/env python3
"""Time Kobolt and CTranslate2 in turn on the same work, on this machine's CPU.

    compare_ctranslate2.py CHECKPOINT KOBOLT [--rounds 3] [--threads 2] [--work gen-1x512-b4,...]

CHECKPOINT is a Hugging Face BART folder whose tokenizer spells token i as "ti" (speed does not depend
on the weights' values, so random ones of KoBART's shape will do); KOBOLT is the program. Needs
ctranslate2, transformers, torch, numpy. Engines go to ./compare-scratch. Every round runs one engine
after the other, so that both meet the same disturbances; medians and their ratio are printed.

Workloads: documents of 512 tokens; 64 tokens are generated, exactly; b1 is greedy, b4 has 4 beams.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import time

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import ctranslate2
import numpy as np
from ctranslate2.converters.transformers import TransformersConverter
from transformers import PreTrainedTokenizerFast

WORK = {"gen-1x512-b1": (1, 1), "gen-1x512-b4": (1, 4), "gen-8x512-b4": (8, 4)}
PRECISIONS = {"fp32": "float32", "int8": "int8"}
NEW_TOKENS = 64


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("checkpoint")
    ap.add_argument("kobolt")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--work", default=",".join(WORK))
    args = ap.parse_args()
    scratch = pathlib.Path("compare-scratch")
    scratch.mkdir(exist_ok=True)

    class Converter(TransformersConverter):
        def load_tokenizer(self, cls, name, **kwargs):
            return PreTrainedTokenizerFast.from_pretrained(args.checkpoint)

    ids = np.random.default_rng(0).integers(5, 30000, (8, 512))
    words = [[f"t{i}" for i in row] for row in ids.tolist()]
    print(f"{'workload':14} {'precision':9} {'CTranslate2':>12} {'Kobolt':>9} {'ratio':>6}", flush=True)
    for precision, theirs in PRECISIONS.items():
        converted = scratch / f"ctranslate2-{precision}"
        if not converted.exists():
            Converter(args.checkpoint).convert(
                str(converted), quantization=None if precision == "fp32" else theirs)
        engine = scratch / f"{precision}.kobolt"
        subprocess.run([args.kobolt, "compile", args.checkpoint, "-o", engine, "--precision", precision,
                        "--quiet"], check=True)
        translator = ctranslate2.Translator(
            str(converted), device="cpu", compute_type=theirs, inter_threads=1,
            intra_threads=args.threads)
        for name in args.work.split(","):
            batch, beams = WORK[name]

            def translate():
                start = time.perf_counter()
                translator.translate_batch(
                    words[:batch], beam_size=beams, min_decoding_length=NEW_TOKENS - 1,
                    max_decoding_length=NEW_TOKENS, max_input_length=0)
                return time.perf_counter() - start

            def bench():
                out = subprocess.run(
                    [args.kobolt, "bench", engine, "--json", "--threads", str(args.threads), "--batch",
                     str(batch), "--sequence", "512", "--beams", str(beams), "--new-tokens",
                     str(NEW_TOKENS), "--iterations", "1", "--warmup", "1"],
                    check=True, capture_output=True, text=True).stdout
                return json.loads(out)["avg_time"]

            translate()  # warms up; bench() does so by itself
            pairs = [(translate(), bench()) for _ in range(args.rounds)]
            a, b = (statistics.median(times) for times in zip(*pairs))
            print(f"{name:14} {precision:9} {a:10.2f} s {b:7.2f} s {a / b:5.2f}x", flush=True)


if __name__ == "__main__":
    main()
