#!/usr/bin/env python3
"""Write which generation settings transformers 5 takes from a checkpoint folder.

    python3 tests/golden/make_generation_settings.py  # rewrites tests/data/checkpoint/settings.json

Needs torch and transformers 5. Each case is the text of config.json and of generation_config.json
(null: there is none) and the settings that generate() would start from, or null where transformers
refuses the files. max_length is null where nothing sets it: transformers then generates 20 tokens.
"""
import json
import os
import pathlib
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from transformers import BartConfig, BartForConditionalGeneration

OUT = pathlib.Path(__file__).resolve().parent.parent / "data" / "checkpoint" / "settings.json"

FIELDS = (
    "max_new_tokens min_length min_new_tokens num_beams num_return_sequences length_penalty "
    "early_stopping repetition_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size "
    "encoder_repetition_penalty bad_words_ids suppress_tokens begin_suppress_tokens do_sample "
    "temperature top_k top_p bos_token_id pad_token_id eos_token_id decoder_start_token_id "
    "forced_bos_token_id forced_eos_token_id"
).split()

SHAPE = dict(
    model_type="bart", architectures=["BartForConditionalGeneration"], vocab_size=40, d_model=8,
    encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
    encoder_ffn_dim=8, decoder_ffn_dim=8, max_position_embeddings=64,
)

# As KoBART fine-tunings have them: ids that differ, one file with a list and one with a number.
KOBART = dict(
    bos_token_id=0, decoder_start_token_id=2, eos_token_id=1, forced_eos_token_id=2, pad_token_id=3,
    force_bos_token_to_be_generated=False, use_cache=True,
)
KOBART_GENERATION = dict(
    bos_token_id=0, decoder_start_token_id=2, eos_token_id=[1], forced_eos_token_id=2,
    pad_token_id=3, transformers_version="4.57.0",
)
# As facebook/bart-large-cnn: everything in config.json, with defaults a task.
CNN = dict(
    bos_token_id=0, eos_token_id=2, pad_token_id=1, decoder_start_token_id=2, forced_bos_token_id=0,
    forced_eos_token_id=2, num_beams=4, max_length=142, min_length=56, length_penalty=2.0,
    no_repeat_ngram_size=3, early_stopping=True, prefix=" ",
    task_specific_params=dict(summarization=dict(num_beams=6, max_length=30, early_stopping=False)),
)

CASES = {
    "kobart": (KOBART, KOBART_GENERATION),
    "kobart without generation_config.json": (KOBART, None),
    "bart-large-cnn, all in config.json": (CNN, None),
    "generation_config.json alone counts": (CNN, dict(num_beams=2)),
    "an empty generation_config.json": (CNN, {}),
    "only defaults of a task": (
        dict(task_specific_params=CNN["task_specific_params"]), None),
    "nothing anywhere": ({}, None),
    "the class defaults of config.json are not settings": (dict(eos_token_id=7), None),
    "nulls are not there": (
        dict(num_beams=None, eos_token_id=None, max_length=None, forced_eos_token_id=None), None),
    "nulls in generation_config.json": (
        CNN, dict(num_beams=None, early_stopping=None, max_length=None, top_k=None,
                  length_penalty=None, eos_token_id=None, do_sample=None, temperature=None)),
    "eos list and forced list": (
        {}, dict(eos_token_id=[2, 5, 7], forced_eos_token_id=[2, 5], forced_bos_token_id=9)),
    "eos list in config.json": (dict(eos_token_id=[2, 5]), None),
    "never": ({}, dict(early_stopping="never", num_beams=3)),
    "early stopping as a number": ({}, dict(early_stopping=1)),
    "no early stopping": ({}, dict(early_stopping=False)),
    "early stopping of another kind": ({}, dict(early_stopping="maybe")),
    "old name of the forced start": (
        dict(force_bos_token_to_be_generated=True, bos_token_id=4), None),
    "old name in generation_config.json": (
        {}, dict(force_bos_token_to_be_generated=True, bos_token_id=4)),
    "old name in a file made from config.json": (
        {}, dict(_from_model_config=True, force_bos_token_to_be_generated=True, bos_token_id=4)),
    "lengths": ({}, dict(max_new_tokens=60, min_new_tokens=30, max_length=128, min_length=12)),
    "no new tokens": ({}, dict(max_new_tokens=0)),
    "penalties": (
        {}, dict(repetition_penalty=1.5, encoder_repetition_penalty=1.2, no_repeat_ngram_size=3,
                 encoder_no_repeat_ngram_size=4, num_return_sequences=2, num_beams=5)),
    "words": (
        {}, dict(bad_words_ids=[[3], [4, 5]], suppress_tokens=[6, 7],
                 begin_suppress_tokens=[8])),
    "sampling": ({}, dict(do_sample=True, temperature=0.7, top_k=0, top_p=0.9)),
    "settings of config.json beside a file": (
        dict(no_repeat_ngram_size=2, do_sample=True), dict(num_beams=3)),
}


def settings(config, generation):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        BartForConditionalGeneration(BartConfig(**SHAPE)).save_pretrained(folder)
        (folder / "config.json").write_text(config)
        (folder / "generation_config.json").unlink()
        if generation is not None:
            (folder / "generation_config.json").write_text(generation)
        try:
            model = BartForConditionalGeneration.from_pretrained(folder)
        except ValueError:
            return None
        prepared, _ = model._prepare_generation_config(None)
        result = {field: getattr(prepared, field) for field in FIELDS}
        result["max_length"] = model.generation_config.max_length
        return result


def main():
    torch.manual_seed(0)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    cases = []
    for name, (config, generation) in CASES.items():
        config_text = json.dumps({**SHAPE, **config})
        generation_text = None if generation is None else json.dumps(generation)
        cases.append({
            "name": name, "config": config_text, "generation": generation_text,
            "expected": settings(config_text, generation_text),
        })
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(cases, indent=1) + "\n")
    print(f"{OUT.stat().st_size} bytes, {len(cases)} cases")


if __name__ == "__main__":
    main()
