"""Pruned folders as transformers and PyTorch's pruning module see them.

    python3 tests/prune/transformers_test.py build/kobolt

Skipped (exit status 77) where torch or transformers is missing.
"""
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from transformers_program import DATA, MODEL, kobolt, torch, transformers  # noqa: E402

from safetensors.torch import load_file  # noqa: E402  (transformers brings it along)
from torch.nn.utils import prune  # noqa: E402

BEAMS, TOKENS, DOCUMENTS = 4, 24, 6


def documents():
    return [json.loads(line)["document"] for line in DATA.read_text().splitlines()[:DOCUMENTS]]


def ids_of_kobolt(folder):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as data:
        data.writelines(line + "\n" for line in DATA.read_text().splitlines()[:DOCUMENTS])
        data.flush()
        lines = kobolt("run", folder, data.name, "--json", "--quiet", "--beams", BEAMS,
                       "--max-new-tokens", TOKENS).splitlines()
    return [json.loads(line)["tokens"] for line in lines]


def ids_of_transformers(folder):
    # Refuses sizes that do not fit; what is missing or left over is asked for.
    model, report = transformers.AutoModelForSeq2SeqLM.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"], report
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    results = []
    for text in documents():
        batch = tokenizer(text, return_tensors="pt", truncation=True,
                          max_length=model.config.max_position_embeddings)
        with torch.no_grad():
            ids = model.generate(input_ids=batch["input_ids"],
                                 attention_mask=batch["attention_mask"], num_beams=BEAMS,
                                 max_new_tokens=TOKENS)[0].tolist()
        results.append(ids[1:])
    return results


class LoadsUnchanged(unittest.TestCase):
    def same_ids(self, *options):
        with tempfile.TemporaryDirectory() as folder:
            kobolt("prune", MODEL, "-o", folder, *options)
            theirs, ours = ids_of_transformers(folder), ids_of_kobolt(folder)
            self.assertEqual(len(theirs), len(ours))
            # kobolt keeps the token that ends a summary, transformers too.
            self.assertEqual(theirs, ours)
            return json.loads((pathlib.Path(folder) / "config.json").read_text())

    def test_masked(self):
        self.same_ids("--method", "global", "--amount", 0.2)

    def test_uniform_structured(self):
        config = self.same_ids("--method", "structured", "--unit", "whole", "--amount", 0.2,
                               "--uniform")
        before = json.loads((MODEL / "config.json").read_text())
        for key in ("encoder_ffn_dim", "decoder_ffn_dim"):
            self.assertEqual(config[key], before[key] - round(0.2 * before[key]))

    def test_fewer_layers(self):
        before = json.loads((MODEL / "config.json").read_text())["decoder_layers"]
        config = self.same_ids("--method", "layers", "--drop", "decoder.layers.1")
        self.assertEqual(config["decoder_layers"], before - 1)

    def test_fewer_tokens(self):
        before = json.loads((MODEL / "config.json").read_text())["vocab_size"]
        config = self.same_ids("--vocab", DATA)
        self.assertLess(config["vocab_size"], before)


class Pairs(unittest.TestCase):
    def test_are_read_by_torchs_pruning_module(self):
        with tempfile.TemporaryDirectory() as pairs, tempfile.TemporaryDirectory() as masked:
            options = ("--method", "global", "--amount", 0.3)
            kobolt("prune", MODEL, "-o", pairs, *options, "--format", "pairs")
            kobolt("prune", MODEL, "-o", masked, *options)
            model = transformers.AutoModelForSeq2SeqLM.from_pretrained(MODEL, dtype=torch.float32)
            stored = load_file(f"{pairs}/model.safetensors")
            for name, module in list(model.named_modules()):
                if f"{name}.weight_mask" in stored:
                    prune.identity(module, "weight")
            unexpected = model.load_state_dict(stored, strict=False).unexpected_keys
            self.assertEqual(unexpected, [])
            expected = load_file(f"{masked}/model.safetensors")
            compared = 0
            for name, module in model.named_modules():
                if prune.is_pruned(module) and hasattr(module, "weight_mask"):
                    prune.remove(module, "weight")
                    self.assertTrue(torch.equal(module.weight, expected[f"{name}.weight"]), name)
                    compared += 1
            self.assertGreater(compared, 20)


def expect_masks_of_rows(test, score, scores):
    """With kobolt's `score`, of each row of each matrix the share of smallest `scores` is pruned, and
    nothing else."""
    amount = 0.4
    with tempfile.TemporaryDirectory() as folder:
        kobolt("prune", MODEL, "-o", folder, "--method", "row", "--score", score, "--data", DATA,
               "--limit", DOCUMENTS, "--amount", amount, "--format", "pairs")
        stored = load_file(f"{folder}/model.safetensors")
    test.assertEqual(len(scores), sum(name.endswith("_mask") for name in stored))
    differing = total = 0
    for name, of in scores.items():
        count = round(amount * of.shape[1])
        ours = stored[f"{name}.weight_mask"] != 0
        test.assertTrue(((~ours).sum(1) == count).all(), name)
        ordered, order = of.sort(dim=1, stable=True)
        theirs = torch.ones_like(ours).scatter_(1, order[:, :count], False)
        # Activations are sums in another order: only near-ties may fall differently.
        threshold = ordered[:, count - 1:count].expand_as(of)
        near = (of - threshold).abs() <= 1e-3 * threshold
        test.assertTrue(near[ours != theirs].all(), name)
        differing += (ours != theirs).sum().item()
        total += ours.numel()
    test.assertLess(differing, 1e-3 * total)


class Wanda(unittest.TestCase):
    """Masks by |weight| times the norm of its input, against hooks in torch."""

    def input_norms(self, model, tokenizer):
        sums = {}

        def add(name):
            def hook(_, inputs):
                squares = inputs[0].detach().double().flatten(0, -2).square().sum(0)
                sums[name] = sums.get(name, 0) + squares
            return hook

        for name, module in model.named_modules():
            if ".layers." in name and isinstance(module, torch.nn.Linear):
                module.register_forward_pre_hook(add(name))
        for text in documents():
            batch = tokenizer(text, return_tensors="pt", truncation=True,
                              max_length=model.config.max_position_embeddings)
            with torch.no_grad():
                model.generate(**{k: batch[k] for k in ("input_ids", "attention_mask")},
                               num_beams=1)
        return {name: total.sqrt().float() for name, total in sums.items()}

    def test_masks_are_torchs(self):
        model = transformers.AutoModelForSeq2SeqLM.from_pretrained(MODEL, dtype=torch.float32)
        norms = self.input_norms(model, transformers.AutoTokenizer.from_pretrained(MODEL))
        modules = dict(model.named_modules())
        scores = {name: modules[name].weight.detach().abs() * norm for name, norm in norms.items()}
        expect_masks_of_rows(self, "wanda", scores)


class Taylor(unittest.TestCase):
    """Masks by |weight * derivative of the loss|, against torch autograd."""

    def scores(self, model, tokenizer):
        lines = [json.loads(line) for line in DATA.read_text().splitlines()[:DOCUMENTS]]
        model = model.double()
        total, tokens = 0, 0
        for line in lines:
            batch = tokenizer(line["document"], return_tensors="pt", truncation=True,
                              max_length=model.config.max_position_embeddings)
            # The tokenizer has no tokens of its own around a text; the end is to be learnt.
            ids = tokenizer(text_target=line["summary"])["input_ids"] + [model.config.eos_token_id]
            labels = torch.tensor([ids])
            loss = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"],
                         labels=labels).loss
            total, tokens = total + loss * labels.shape[1], tokens + labels.shape[1]
        (total / tokens).backward()
        return {name: (module.weight * module.weight.grad).abs().detach()
                for name, module in model.named_modules()
                if ".layers." in name and isinstance(module, torch.nn.Linear)}

    def test_masks_are_autograds(self):
        model = transformers.AutoModelForSeq2SeqLM.from_pretrained(MODEL, dtype=torch.float32)
        scores = self.scores(model.eval(), transformers.AutoTokenizer.from_pretrained(MODEL))
        expect_masks_of_rows(self, "taylor", scores)


if __name__ == "__main__":
    unittest.main()
