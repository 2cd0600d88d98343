"""Exported folders in Hugging Face's optimum, against the ids that transformers generated.

    python3 tests/onnx/optimum_test.py build/kobolt

Greedy and beam search as in tests/data/checkpoints/*/expected.json. Skipped (exit status 77) where
optimum is missing.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"

try:
    import torch
    import tokenizers
    from optimum.onnxruntime import ORTModelForSeq2SeqLM
    from transformers import AutoModelForSeq2SeqLM
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECKPOINTS = sorted(path for path in (ROOT / "tests/data/checkpoints").iterdir() if path.is_dir())
# transformers 4 takes the encoder's vocabulary for the decoder's in beam search.
ONLY_GREEDY = ["marian-separate"]
TRAINED = ROOT / "examples" / "deb-bart"
DEVELOPMENT = ROOT.parent / "shared" / "data" / "dev.jsonl"
DOCUMENTS = 48
KOBOLT = str(pathlib.Path(sys.argv.pop(1)).resolve()) if len(sys.argv) > 1 else "kobolt"


class Optimum(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        warnings.simplefilter("ignore")

    def load(self, checkpoint, *arguments):
        folder = self.folder / checkpoint.name
        subprocess.run([KOBOLT, "export", checkpoint, "--onnx", folder, "--quiet", *arguments],
                       check=True)
        return ORTModelForSeq2SeqLM.from_pretrained(folder)

    def test_every_family_generates_what_transformers_generates(self):
        for checkpoint in CHECKPOINTS:
            golden = json.loads((checkpoint / "expected.json").read_text())
            model = self.load(checkpoint)
            self.assertIsNotNone(model.decoder_with_past)
            # transformers 4 adds the start token to a length that nobody set, 5 does not.
            lengths = {"max_length": model.generation_config.max_length}
            searches = ["greedy"] if checkpoint.name in ONLY_GREEDY else ["greedy", "beam"]
            for search in searches:
                for document, expected in zip(golden["documents"], golden[search]):
                    with self.subTest(checkpoint=checkpoint.name, search=search):
                        ids = model.generate(input_ids=torch.tensor([document]),
                                             attention_mask=torch.ones(1, len(document),
                                                                       dtype=torch.int64),
                                             **{**lengths, **golden[f"{search}_settings"]})
                        self.assertEqual(ids[0, 1:].tolist(), expected)

    @unittest.skipUnless(DEVELOPMENT.exists(), "needs ../shared with data/dev.jsonl")
    def test_real_documents_give_the_ids_of_transformers(self):
        with DEVELOPMENT.open() as lines:
            documents = [json.loads(next(lines))["document"] for _ in range(DOCUMENTS)]
        tokenizer = tokenizers.Tokenizer.from_file(str(TRAINED / "tokenizer.json"))
        exported = self.load(TRAINED)
        original = AutoModelForSeq2SeqLM.from_pretrained(TRAINED, torch_dtype=torch.float32)
        tokenizer.enable_truncation(original.config.max_position_embeddings)
        for beams in [1, 4]:
            for document in documents:
                ids = torch.tensor([tokenizer.encode(document).ids])
                found, expected = (
                    model.generate(input_ids=ids, attention_mask=torch.ones_like(ids),
                                   num_beams=beams, early_stopping=beams > 1,
                                   max_new_tokens=40)[0].tolist() for model in [exported, original])
                with self.subTest(beams=beams):
                    self.assertEqual(found, expected)

    def test_every_precision_generates(self):
        for precision in ["fp16", "int8-weights", "int4-weights"]:
            for checkpoint in CHECKPOINTS:
                with self.subTest(checkpoint=checkpoint.name, precision=precision):
                    model = self.load(checkpoint, "--precision", precision)
                    ids = model.generate(input_ids=torch.tensor([[5, 6, 7]]),
                                         attention_mask=torch.ones(1, 3, dtype=torch.int64),
                                         num_beams=1, max_new_tokens=5)
                    self.assertGreater(ids.shape[1], 1)


if __name__ == "__main__":
    unittest.main()
