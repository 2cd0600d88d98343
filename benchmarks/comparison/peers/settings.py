"""A checkpoint's generation settings under CTranslate2's names."""

from __future__ import annotations

import json

from comparison.workloads import DocumentSet, read_config

# transformers' settings that translate_batch has under another name or the same
_NAMES = {
    "num_beams": "beam_size",
    "length_penalty": "length_penalty",
    "repetition_penalty": "repetition_penalty",
    "no_repeat_ngram_size": "no_repeat_ngram_size",
    "max_new_tokens": "max_decoding_length",
    "min_new_tokens": "min_decoding_length",
}
_DEFAULTS = {"num_beams": 1, "length_penalty": 1.0}


def beam_settings(work: DocumentSet) -> dict[str, object]:
    """What `work` says, else the checkpoint, else transformers' defaults."""
    config = read_config(work.checkpoint)
    file = work.checkpoint / "generation_config.json"
    settings = _DEFAULTS | {k: v for k, v in config.items() if v is not None}
    if file.exists():
        generation = json.loads(file.read_text(encoding="utf-8"))
        settings |= {k: v for k, v in generation.items() if v is not None}
    if "max_new_tokens" not in settings:
        settings["max_new_tokens"] = int(settings.get("max_length", 20)) - 1  # the start token
    if work.beams is not None:
        settings["num_beams"] = work.beams
    if work.new_tokens is not None:
        settings["max_new_tokens"] = work.new_tokens
        settings["min_new_tokens"] = work.new_tokens - 1
    return {theirs: settings[ours] for ours, theirs in _NAMES.items() if ours in settings}
