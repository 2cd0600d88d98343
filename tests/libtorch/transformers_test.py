"""A file of `kobolt export --torchscript` in torch.jit.load, against the logits of transformers.

    python3 tests/libtorch/transformers_test.py build/kobolt

Skipped (exit status 77) where torch or transformers is missing.
"""
import pathlib
import sys
import tempfile
import unittest
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from transformers_program import CHECKPOINTS, kobolt, torch, transformers  # noqa: E402


class TorchScript(unittest.TestCase):
    def logits(self, checkpoint):
        """Of both after one and after two tokens, for documents of unequal length."""
        torch.manual_seed(0)
        theirs = transformers.AutoModelForSeq2SeqLM.from_pretrained(checkpoint,
                                                                    dtype=torch.float32).eval()
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/model.pt"
            kobolt("export", checkpoint, "--torchscript", file, "--quiet")
            warnings.simplefilter("ignore")  # torch has deprecated TorchScript
            ours = torch.jit.load(file)
        ids = torch.randint(5, 60, (3, 11))
        mask = torch.ones_like(ids)
        mask[1, 7:] = 0
        tokens = torch.tensor([[2, 7], [2, 8], [2, 9]])
        with torch.no_grad():
            expected = theirs(input_ids=ids, attention_mask=mask, decoder_input_ids=tokens).logits
            hidden = ours.encode(ids, mask)
            first, cache, cross = ours.decode_first(tokens[:, 0], hidden, mask)
            second, cache = ours.decode_next(tokens[:, 1], torch.tensor([1]), mask, cache, cross)
        self.assertEqual(cache[0].shape[2], 2)
        return torch.stack([first, second], 1), expected

    def test_gives_the_logits_of_transformers(self):
        for name in ("bart", "mbart", "pegasus"):
            with self.subTest(name):
                ours, theirs = self.logits(CHECKPOINTS / name)
                self.assertLess((ours - theirs).abs().max().item(), 1e-4)


if __name__ == "__main__":
    unittest.main()
