"""The ranges of `kobolt calibrate` against what forward hooks see in transformers.

    python3 tests/quantize/transformers_test.py build/kobolt

Skipped (exit status 77) where torch or transformers is missing.
"""
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from transformers_program import DATA, MODEL, kobolt, torch, transformers  # noqa: E402

DOCUMENTS = 6


def calibration_of_kobolt(*options):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "calibration.json"
        kobolt("calibrate", MODEL, "--data", DATA, "--samples", DOCUMENTS, "--quiet", "-o", file,
               *options)
        return json.loads(file.read_text())


def inputs_in_transformers():
    """All inputs of each linear layer, one after the other, by the layer's name."""
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(MODEL, dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(MODEL)
    inputs = {}
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear):
            def hook(_, arguments, name=name.removeprefix("model.")):
                inputs.setdefault(name, []).append(arguments[0].detach().flatten())
            module.register_forward_pre_hook(hook)
    with torch.no_grad():
        for line in DATA.read_text().splitlines()[:DOCUMENTS]:
            batch = tokenizer(json.loads(line)["document"], return_tensors="pt", truncation=True,
                              max_length=model.config.max_position_embeddings)
            model.generate(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"],
                           num_beams=1, do_sample=False)
    return {name: torch.cat(parts) for name, parts in inputs.items()}


class Ranges(unittest.TestCase):
    def test_are_those_of_forward_hooks(self):
        theirs = inputs_in_transformers()
        ours = {layer["name"]: layer for layer in
                calibration_of_kobolt("--method", "percentile", "--percentile", "99")["layers"]}
        self.assertEqual(set(ours), set(theirs))
        for name, x in theirs.items():
            top = x.abs().max().item()
            for key, value in (("min", x.min().item()), ("max", x.max().item())):
                self.assertAlmostEqual(ours[name][key], value, delta=1e-4 * top, msg=f"{name} {key}")
            # The clip is the end of the bin that holds the percentile: at most 1/1024 of the range.
            percentile = x.abs().sort().values[round(0.99 * len(x)) - 1].item()
            self.assertAlmostEqual(ours[name]["clip"], percentile, delta=2e-3 * top, msg=name)


if __name__ == "__main__":
    unittest.main()
