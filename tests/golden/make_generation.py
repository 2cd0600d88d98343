"""Golden results of transformers' generate() over a grid of settings, for tests/runtime.

Writes tests/data/runtime/generation.json. Needs torch, transformers 5, numpy; deterministic.
The model is the exact hash function of table_model.py. A document whose result changes when the
logits are perturbed by 2e-6 sits on a near-tie, which rounding may resolve either way: such
documents are left out of their case, and counted in "near_ties".
"""

import json
import pathlib
import random
import warnings

import torch
import transformers
from table_model import MAX_POSITIONS, VOCAB_SIZE, TableModel

OUTPUT = pathlib.Path(__file__).parent.parent / "data" / "runtime" / "generation.json"
PAD = 3
DEFAULTS = {"decoder_start_token_id": 0, "eos_token_id": [1], "pad_token_id": PAD}

KOBART = {
    "num_beams": 5,
    "no_repeat_ngram_size": 3,
    "repetition_penalty": 1.5,
    "decoder_start_token_id": 2,
    "forced_eos_token_id": 2,
    "eos_token_id": [1],
    "bos_token_id": 0,
}


def documents():
    source = random.Random(7)
    # Ragged, and from few tokens, so that n-grams of documents come up in summaries.
    return [[source.randrange(4, VOCAB_SIZE) for _ in range(size)] for size in (5, 17, 1, 9, 30, 40, 12, 3)]


def handpicked():
    """Settings whose combinations matter by themselves."""
    yield {}  # every default: 20 new tokens
    yield {"num_beams": 4}
    yield {"max_length": 20}
    yield {"max_length": 20, "num_beams": 4}
    yield {"max_length": 12, "max_new_tokens": 6}  # max_new_tokens wins
    yield {"min_length": 12, "min_new_tokens": 3, "max_new_tokens": 16}
    yield {"min_length": 30, "max_length": 10, "num_beams": 3}  # cannot be met
    yield {"max_length": 2}
    yield {"max_length": 2, "num_beams": 4, "num_return_sequences": 2}
    yield {"max_new_tokens": 1, "num_beams": 2, "forced_eos_token_id": 1}
    yield {"decoder_start_token_id": None, "bos_token_id": 5}
    yield {"decoder_start_token_id": 1, "forced_eos_token_id": 1}  # KoBART: start is eos
    yield {"decoder_start_token_id": 1, "repetition_penalty": 1.5, "num_beams": 4}
    yield {"eos_token_id": None, "max_new_tokens": 9}
    yield {"eos_token_id": None, "max_new_tokens": 9, "num_beams": 3, "num_return_sequences": 3}
    yield {"eos_token_id": [1, 2], "num_beams": 5, "max_new_tokens": 20}
    yield {"eos_token_id": [1, 2, 9], "num_beams": 3, "num_return_sequences": 3, "early_stopping": True}
    yield {"forced_eos_token_id": [1, 2], "max_new_tokens": 4}
    yield {"forced_bos_token_id": 7, "num_beams": 4}
    yield {"forced_bos_token_id": 1, "num_beams": 4}  # ends at once
    yield {"forced_bos_token_id": 1}
    yield {"suppress_tokens": list(range(10, 40)), "num_beams": 4}
    yield {"suppress_tokens": list(range(3, 47)), "num_beams": 4, "max_new_tokens": 8}
    yield {"begin_suppress_tokens": list(range(4, 30)), "num_beams": 2}
    yield {"begin_suppress_tokens": list(range(4, 30)), "forced_bos_token_id": 6, "num_beams": 2}
    yield {"bad_words_ids": [[5], [1], [6, 7], [0, 8], [9, 10, 11]], "num_beams": 4}
    yield {"bad_words_ids": [[token] for token in range(10, 40)], "max_new_tokens": 12}
    yield {"no_repeat_ngram_size": 1, "num_beams": 4, "max_new_tokens": 30}
    yield {"encoder_no_repeat_ngram_size": 1, "num_beams": 4}
    yield {"encoder_no_repeat_ngram_size": 2, "num_beams": 4}
    yield {"encoder_repetition_penalty": 1.5, "num_beams": 4}
    yield {"encoder_repetition_penalty": 0.7}
    yield {"repetition_penalty": 0.8, "num_beams": 2, "max_new_tokens": 15}
    yield {"repetition_penalty": 1.5, "encoder_repetition_penalty": 1.3, "num_beams": 4}
    for penalty in (-1.0, 0.0, 0.5, 1.0, 2.0):
        for early in (False, True, "never"):
            yield {"num_beams": 4, "length_penalty": penalty, "early_stopping": early, "max_new_tokens": 25}
    for lengths in ({"min_new_tokens": 10, "max_new_tokens": 20}, {"max_length": 30, "min_length": 12},
                    {"min_new_tokens": 30, "max_new_tokens": 38}, {}):
        yield KOBART | lengths
        yield KOBART | lengths | {"early_stopping": True, "length_penalty": 2.0}
        yield KOBART | lengths | {"num_beams": 1}
        yield KOBART | lengths | {"num_return_sequences": 3, "early_stopping": "never"}


def grid(count):
    """Random points of the grid of everything."""
    source = random.Random(3)
    axes = {
        "num_beams": [1, 2, 4, 5],
        "length_penalty": [-1.0, 0.0, 1.0, 2.0],
        "early_stopping": [False, True, "never"],
        "no_repeat_ngram_size": [None, 2, 3],
        "repetition_penalty": [None, 1.5],
        "encoder_no_repeat_ngram_size": [None, None, None, 2],
        "encoder_repetition_penalty": [None, None, None, 1.2],
        "forced_bos_token_id": [None, None, 4],
        "forced_eos_token_id": [None, 1, 2],
        "eos_token_id": [[1], [1], [1, 2]],
        "decoder_start_token_id": [0, 0, 1, 2],
        "bad_words_ids": [None, None, [[5], [12, 13], [20, 21, 22]]],
        "suppress_tokens": [None, None, [30, 31]],
        "begin_suppress_tokens": [None, None, [1, 16]],
        "max_new_tokens": [None, 5, 14, 30],
        "max_length": [None, None, 11, 25],
        "min_new_tokens": [None, None, 4, 12],
        "min_length": [None, None, 6],
    }
    for _ in range(count):
        case = {name: source.choice(values) for name, values in axes.items()}
        case = {name: value for name, value in case.items() if value is not None}
        if case["num_beams"] == 1:
            del case["length_penalty"], case["early_stopping"]
        else:
            case["num_return_sequences"] = source.randint(1, case["num_beams"])
        yield case


def run(model, batch, settings):
    longest = max(len(document) for document in batch)
    ids = torch.tensor([document + [PAD] * (longest - len(document)) for document in batch])
    mask = torch.tensor([[1] * len(document) + [0] * (longest - len(document)) for document in batch])
    out = model.generate(
        input_ids=ids,
        attention_mask=mask,
        use_cache=False,
        return_dict_in_generate=True,
        output_scores=True,
        **settings,
    )
    eos = settings.get("eos_token_id") or []
    count = settings.get("num_return_sequences", 1)
    results = []
    for i in range(len(batch)):
        sequences = []
        for j in range(i * count, (i + 1) * count):
            tokens = out.sequences[j, 1:].tolist()
            if settings.get("num_beams", 1) > 1:
                # The number of tokens that were chosen, rather than padded.
                tokens = tokens[: int((out.beam_indices[j] >= 0).sum())]
                sequences.append([tokens, float(f"{out.sequences_scores[j].item():.7g}")])
            else:
                ends = [k for k, token in enumerate(tokens) if token in eos]
                sequences.append([tokens[: ends[0] + 1] if ends else tokens, 0])
        results.append(sequences)
    return results


def tokens_of(result):
    return [sequence[0] for sequence in result]


def main():
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    model, noisy = TableModel(), TableModel(noise=2e-6)
    inputs = documents()
    cases, near_ties = [], 0
    for number, chosen in enumerate([*handpicked(), *grid(360)]):
        settings = {name: value for name, value in (DEFAULTS | chosen).items() if value is not None}
        # Padding is part of "the document" to the settings that look at it, so those go one by one.
        ragged = not any(name.startswith("encoder_") for name in settings)
        picks = [(number * 3 + k) % len(inputs) for k in range(3)]
        batches = [picks] if ragged else [[pick] for pick in picks]
        kept, results = [], []
        for batch in batches:
            exact = run(model, [inputs[pick] for pick in batch], settings)
            shaken = run(noisy, [inputs[pick] for pick in batch], settings)
            for pick, a, b in zip(batch, exact, shaken):
                if tokens_of(a) == tokens_of(b):
                    kept.append(pick)
                    results.append(a)
                else:
                    near_ties += 1
        cases.append({"settings": settings, "documents": kept, "results": results})
    golden = {
        "transformers": transformers.__version__,
        "vocab_size": VOCAB_SIZE,
        "max_positions": MAX_POSITIONS,
        "documents": inputs,
        "near_ties": near_ties,
        "cases": cases,
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    lines = json.dumps(golden, separators=(",", ":")).replace('{"settings"', '\n{"settings"')
    OUTPUT.write_text(lines + "\n")
    print(f"{len(cases)} cases, {sum(len(c['documents']) for c in cases)} documents, {near_ties} near-ties")


if __name__ == "__main__":
    main()
