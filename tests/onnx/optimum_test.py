"""Exported folders in Hugging Face's optimum, against the ids that transformers generated.

    python3 tests/onnx/optimum_test.py build/kobolt

Greedy and beam search as in tests/data/checkpoints/*/expected.json; other precisions than fp32
against Kobolt's own back end over the same library. Skipped (exit status 77) where optimum is missing.
"""
import json
import os
import pathlib
import sys
import tempfile
import unittest
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from transformers_program import CHECKPOINTS, DATA, MODEL, ROOT, kobolt, torch  # noqa: E402

try:
    import onnxruntime
    import tokenizers
    from optimum.onnxruntime import ORTModelForSeq2SeqLM
    from transformers import AutoModelForSeq2SeqLM
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

FAMILIES = sorted(path for path in CHECKPOINTS.iterdir() if path.is_dir())
# transformers 4 takes the encoder's vocabulary for the decoder's in beam search.
ONLY_GREEDY = ["marian-separate"]
DEVELOPMENT = ROOT.parent / "shared" / "data" / "dev.jsonl"
DOCUMENTS = 48


class Optimum(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        warnings.simplefilter("ignore")

    def load(self, checkpoint, *arguments):
        folder = self.folder / checkpoint.name
        kobolt("export", checkpoint, "--onnx", folder, "--quiet", *arguments)
        return ORTModelForSeq2SeqLM.from_pretrained(folder)

    def test_every_family_generates_what_transformers_generates(self):
        for checkpoint in FAMILIES:
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
        tokenizer = tokenizers.Tokenizer.from_file(str(MODEL / "tokenizer.json"))
        exported = self.load(MODEL)
        original = AutoModelForSeq2SeqLM.from_pretrained(MODEL, torch_dtype=torch.float32)
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

    def test_every_precision_gives_the_ids_of_kobolts_back_end(self):
        os.environ["KOBOLT_ONNXRUNTIME"] = str(pathlib.Path(onnxruntime.__file__).parent / "capi")
        calibration = self.folder / "calibration.json"
        kobolt("calibrate", MODEL, "--data", DATA, "-o", calibration, "--quiet")
        tokenizer = tokenizers.Tokenizer.from_file(str(MODEL / "tokenizer.json"))
        documents = [json.loads(line)["document"] for line in DATA.read_text().splitlines()]
        for precision in ["fp16", "int8", "int8-weights", "int4-weights"]:
            ranges = ["--calibration", calibration] if precision == "int8" else []
            model = self.load(MODEL, "--precision", precision, *ranges)
            tokenizer.enable_truncation(model.config.max_position_embeddings)
            # A document at a time, as optimum has them: nobody pads.
            lines = kobolt("run", self.folder / MODEL.name, DATA, "--json", "--quiet", "--beams", 1,
                           "--max-new-tokens", 40, "--max-rows", 1).splitlines()
            for document, line in zip(documents, lines, strict=True):
                ids = torch.tensor([tokenizer.encode(document).ids])
                found = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids),
                                       num_beams=1, max_new_tokens=40)[0, 1:].tolist()
                with self.subTest(precision=precision):
                    self.assertEqual(found, json.loads(line)["tokens"])

    def test_every_precision_generates(self):
        for precision in ["fp16", "int8-weights", "int4-weights"]:
            for checkpoint in FAMILIES:
                with self.subTest(checkpoint=checkpoint.name, precision=precision):
                    model = self.load(checkpoint, "--precision", precision)
                    ids = model.generate(input_ids=torch.tensor([[5, 6, 7]]),
                                         attention_mask=torch.ones(1, 3, dtype=torch.int64),
                                         num_beams=1, max_new_tokens=5)
                    self.assertGreater(ids.shape[1], 1)


if __name__ == "__main__":
    unittest.main()
