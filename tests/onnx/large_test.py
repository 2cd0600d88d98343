"""A model of more than 2 GB, which is what one protobuf can hold, in ONNX's checker and in ONNX
Runtime, against transformers.

    KOBOLT_LARGE_TESTS=1 python3 tests/onnx/large_test.py build/kobolt

The weights are random. Takes 5 GB of disk, 9 GB of memory and minutes. Skipped (exit status 77)
unless asked for, and where torch, transformers, onnx or onnxruntime is missing.
"""
import os
import pathlib
import sys
import tempfile
import unittest

if not os.environ.get("KOBOLT_LARGE_TESTS"):
    print("skipped: KOBOLT_LARGE_TESTS=1 asks for it; it takes 5 GB of disk and 9 GB of memory")
    sys.exit(77)
try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from transformers_program import kobolt, torch, transformers  # noqa: E402

LIMIT = 2**31  # bytes
GRAPHS = ["encoder_model", "decoder_model", "decoder_with_past_model"]
VOCABULARY = 24000
TOLERANCE = 1e-4  # of the largest logit


def large_bart():
    torch.manual_seed(0)
    config = transformers.BartConfig(
        vocab_size=VOCABULARY, d_model=1536, encoder_layers=8, decoder_layers=8,
        encoder_ffn_dim=6144, decoder_ffn_dim=6144, encoder_attention_heads=16,
        decoder_attention_heads=16, max_position_embeddings=128, dropout=0.0)
    return transformers.BartForConditionalGeneration(config).eval()


class Large(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        checkpoint = pathlib.Path(cls.scratch.name) / "bart"
        cls.folder = pathlib.Path(cls.scratch.name) / "onnx"
        large_bart().half().save_pretrained(checkpoint)  # half of the disk
        model = transformers.BartForConditionalGeneration.from_pretrained(
            checkpoint, dtype=torch.float32).eval()
        cls.ids = torch.tensor([[0, 17, VOCABULARY - 1, 5, 2]])
        cls.tokens = torch.tensor([[2]])
        with torch.no_grad():
            cls.expected = model(input_ids=cls.ids, decoder_input_ids=cls.tokens).logits.numpy()
        del model
        kobolt("export", checkpoint, "--onnx", cls.folder, "--quiet")

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def test_weights_lie_beyond_2_gb_and_once(self):
        size = (self.folder / "model.onnx_data").stat().st_size
        self.assertGreater(size, LIMIT)
        used = {}
        for graph in GRAPHS:
            path = self.folder / f"{graph}.onnx"
            self.assertLess(path.stat().st_size, 2**20)
            for tensor in onnx.load(path, load_external_data=False).graph.initializer:
                where = {entry.key: entry.value for entry in tensor.external_data}
                if where:
                    used[int(where["offset"])] = int(where["length"])
        self.assertGreater(max(used), LIMIT, "no tensor begins beyond")
        self.assertGreater(sum(used.values()), 0.99 * size)
        self.assertLessEqual(sum(used.values()), size, "tensors overlap")

    def test_checker_takes_the_graphs(self):
        for graph in GRAPHS:
            with self.subTest(graph):
                onnx.checker.check_model(str(self.folder / f"{graph}.onnx"))

    def test_onnx_runtime_gives_the_logits_of_transformers(self):
        mask = np.ones_like(self.ids.numpy())
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3

        def run(graph, outputs, **inputs):
            session = onnxruntime.InferenceSession(self.folder / f"{graph}.onnx", options)
            return session.run(outputs, inputs)[0]

        hidden = run("encoder_model", ["last_hidden_state"], input_ids=self.ids.numpy(),
                     attention_mask=mask)
        logits = run("decoder_model", ["logits"], input_ids=self.tokens.numpy(),
                     encoder_attention_mask=mask, encoder_hidden_states=hidden)
        difference = np.abs(logits - self.expected).max() / np.abs(self.expected).max()
        self.assertLess(difference, TOLERANCE)


if __name__ == "__main__":
    unittest.main()
