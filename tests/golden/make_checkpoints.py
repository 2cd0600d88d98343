#!/usr/bin/env python3
"""Write tiny random checkpoints of every family, and what transformers computes with them.

    python3 tests/golden/make_checkpoints.py            # rewrites tests/data/checkpoints

Needs torch, transformers 5, safetensors and numpy. Deterministic (seeded, one thread), but
for mbart50/pytorch_model.bin: the form before zip takes memory addresses as keys of storages.

Each folder is a checkpoint as transformers saves it, in one of the containers that Kobolt reads, and
`expected.json`, computed by transformers from the saved folder in float32:

    weights         shape and weighted sum of every tensor, by its canonical name
    documents       token ids of documents of ragged lengths
    encoder         last hidden state of each document, rows of d_model values, run alone
    decoder_input   token ids that the decoder is fed, decoder start first
    logits          logits after each decoder input, final_logits_bias included: [step][vocab]
    greedy, beam    ids that generate() gives with `greedy_settings` and `beam_settings`, without
                    the start token

Weights are large enough (spread 0.3 and 0.5) that the outputs are far from uniform; every bias, layer
norm and final_logits_bias is random, so that none can be forgotten unnoticed.
"""
import json
import os
import pathlib
import shutil

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    MarianConfig,
    MarianMTModel,
    MBartConfig,
    MBartForConditionalGeneration,
    PegasusConfig,
    PegasusForConditionalGeneration,
)

OUT = pathlib.Path(__file__).resolve().parent.parent / "data" / "checkpoints"
STEPS = 4
LENGTHS = (1, 7, 23, 40)


def shape(**changes):
    sizes = dict(
        d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2,
        decoder_attention_heads=4, encoder_ffn_dim=32, decoder_ffn_dim=24, vocab_size=120,
        max_position_embeddings=64, dropout=0.0, attention_dropout=0.0, activation_dropout=0.0,
    )
    sizes.update(changes)
    return sizes


def checkpoints():
    """Name, model class, configuration, generation settings, dtype, container."""
    bart_tokens = dict(
        pad_token_id=3, bos_token_id=1, eos_token_id=1, decoder_start_token_id=1,
        forced_eos_token_id=1,
    )
    yield (
        "bart", BartForConditionalGeneration,
        BartConfig(**shape(), activation_function="gelu", **bart_tokens),
        dict(num_beams=4, max_new_tokens=16, early_stopping=True, no_repeat_ngram_size=3),
        torch.float32, "safetensors",
    )
    yield (
        "bart-untied", BartForConditionalGeneration,
        BartConfig(**shape(vocab_size=100), activation_function="relu", scale_embedding=True,
                   tie_word_embeddings=False, **bart_tokens),
        dict(num_beams=2, max_length=20, length_penalty=0.6, repetition_penalty=1.5),
        torch.bfloat16, "bin",
    )
    yield (
        "mbart", MBartForConditionalGeneration,
        MBartConfig(**shape(d_model=24), activation_function="gelu", scale_embedding=True,
                    pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=110,
                    forced_eos_token_id=2),
        dict(num_beams=5, max_length=24, early_stopping=True, no_repeat_ngram_size=2),
        torch.float32, "sharded-safetensors",
    )
    yield (
        "mbart50", MBartForConditionalGeneration,
        MBartConfig(**shape(d_model=16), activation_function="relu", scale_embedding=True,
                    pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2,
                    forced_eos_token_id=2),
        dict(num_beams=4, max_length=20, forced_bos_token_id=114, early_stopping="never",
             no_repeat_ngram_size=3),
        torch.float32, "legacy-bin",
    )
    marian = dict(
        activation_function="swish", scale_embedding=True, pad_token_id=119, eos_token_id=0,
        bos_token_id=0, decoder_start_token_id=119, forced_eos_token_id=0,
    )
    yield (
        "marian", MarianMTModel,
        MarianConfig(**shape(), **marian),
        dict(num_beams=4, max_length=20, bad_words_ids=[[119]], repetition_penalty=1.2),
        torch.float32, "sharded-bin",
    )
    yield (
        "marian-separate", MarianMTModel,
        MarianConfig(**shape(vocab_size=130, decoder_vocab_size=120), **marian,
                     share_encoder_decoder_embeddings=False),
        dict(num_beams=3, max_length=20, bad_words_ids=[[119]], min_length=6,
             no_repeat_ngram_size=2),
        torch.float16, "safetensors",
    )
    yield (
        "pegasus", PegasusForConditionalGeneration,
        PegasusConfig(**shape(d_model=16), activation_function="relu", scale_embedding=True,
                      pad_token_id=0, eos_token_id=1, decoder_start_token_id=0,
                      forced_eos_token_id=1),
        dict(num_beams=4, max_length=24, length_penalty=0.8, no_repeat_ngram_size=3),
        torch.float16, "safetensors",
    )


def randomise(model, generator):
    """Fills every weight but the positions that a formula gives."""
    seen = set()
    for name, tensor in list(model.named_parameters()) + list(model.named_buffers()):
        if tensor.data_ptr() in seen or not tensor.is_floating_point():
            continue
        seen.add(tensor.data_ptr())
        if "embed_positions" in name and model.config.model_type in ("marian", "pegasus"):
            continue
        noise = torch.randn(tensor.shape, generator=generator)
        with torch.no_grad():
            if "layer_norm" in name or "layernorm" in name:
                tensor.copy_(0.2 * noise + (1.0 if name.endswith("weight") else 0.0))
            elif name == "final_logits_bias":
                tensor.copy_(noise)
                # Else the end hardly ever wins and every sequence has the same length.
                tensor[0, model.config.eos_token_id] += 2
            elif "embed" in name or "shared" in name or "lm_head" in name:
                tensor.copy_(0.3 * noise)
            else:
                tensor.copy_(0.5 * noise)


def save(model, folder, container):
    model.save_pretrained(folder)
    if container == "safetensors":
        return
    if container == "sharded-safetensors":
        (folder / "model.safetensors").unlink()
        model.save_pretrained(folder, max_shard_size="40KB")
        return
    # transformers 5 only writes safetensors: the torch files are written as version 4 did, with the
    # names of tied weights all there, sharing one storage.
    (folder / "model.safetensors").unlink()
    state = model.state_dict()
    if container in ("bin", "legacy-bin"):
        torch.save(state, folder / "pytorch_model.bin",
                   _use_new_zipfile_serialization=container == "bin")
        return
    names = sorted(state)
    shards = {
        "pytorch_model-00001-of-00002.bin": [n for n in names if "decoder" in n],
        "pytorch_model-00002-of-00002.bin": [n for n in names if "decoder" not in n],
    }
    for file, members in shards.items():
        torch.save({name: state[name] for name in members}, folder / file)
    index = {
        "metadata": {"total_size": sum(t.nbytes for t in state.values())},
        "weight_map": {name: file for file, members in shards.items() for name in members},
    }
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=2) + "\n")


def rounded(tensor):
    """Seven significant digits: all that float32 holds."""
    return [[float(f"{value:.7g}") for value in row] for row in tensor.tolist()]


def weights(model):
    """Tied tensors once; sum of (1 + i % 97) * value_i, which moves when values change places."""
    result, seen = {}, set()
    for name, tensor in sorted(model.state_dict().items(), key=lambda item: "shared" not in item[0]):
        if tensor.data_ptr() in seen:
            continue
        seen.add(tensor.data_ptr())
        flat = tensor.flatten().double()
        places = 1 + torch.arange(len(flat), dtype=torch.float64) % 97
        result[name] = [list(tensor.shape), float(f"{(flat * places).sum().item():.9g}")]
    return result


def expected(model, generator):
    config = model.config
    special = {config.pad_token_id, config.eos_token_id, getattr(config, "bos_token_id", None)}
    words = [i for i in range(5, min(config.vocab_size, 100)) if i not in special]
    documents = []
    for length in LENGTHS:
        picks = torch.randint(len(words), (length - 1,), generator=generator).tolist()
        documents.append([words[i] for i in picks] + [config.eos_token_id])
    vocabulary = model.final_logits_bias.shape[-1]
    picks = torch.randint(5, min(vocabulary, 100), (STEPS - 1,), generator=generator).tolist()
    decoder_input = [config.decoder_start_token_id] + picks

    result = dict(weights=weights(model), documents=documents, encoder=[],
                  decoder_input=decoder_input, logits=[])
    settings = dict(
        greedy_settings=dict(num_beams=1, max_new_tokens=16, repetition_penalty=1.4),
        beam_settings={},
    )
    result.update(settings, greedy=[], beam=[])
    for document in documents:
        ids = torch.tensor([document])
        with torch.no_grad():
            encoded = model.get_encoder()(input_ids=ids)
            out = model(input_ids=ids, decoder_input_ids=torch.tensor([decoder_input]))
            result["encoder"].append(rounded(encoded.last_hidden_state[0]))
            result["logits"].append(rounded(out.logits[0]))
            for mode in ("greedy", "beam"):
                tokens = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids),
                                        **settings[mode + "_settings"])
                result[mode].append(tokens[0, 1:].tolist())
    return result


def main():
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    shutil.rmtree(OUT, ignore_errors=True)
    for number, (name, kind, config, generation, dtype, container) in enumerate(checkpoints()):
        generator = torch.Generator().manual_seed(1000 + number)
        torch.manual_seed(number)
        model = kind(config).eval()
        randomise(model, generator)
        model.generation_config.update(**generation)
        model.generation_config._from_model_config = False
        folder = OUT / name
        folder.mkdir(parents=True)
        save(model.to(dtype), folder, container)
        # From the folder, so that what transformers makes of it is what is expected.
        loaded, info = kind.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
        assert not info["missing_keys"] and not info["unexpected_keys"], info
        text = json.dumps(expected(loaded.eval(), generator), separators=(",", ":"))
        (folder / "expected.json").write_text(text + "\n")
        for file in sorted(folder.iterdir()):
            print(f"{file.stat().st_size:8d}  {file.relative_to(OUT)}")


if __name__ == "__main__":
    main()
