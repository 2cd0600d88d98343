"""Exported graphs in ONNX's checker and in ONNX Runtime, against what transformers computed.

    python3 tests/onnx/runtime_test.py build/kobolt

The golden numbers are in tests/data/checkpoints/*/expected.json. Skipped (exit status 77) where onnx
or onnxruntime is missing.
"""
import collections
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECKPOINTS = sorted(path for path in (ROOT / "tests/data/checkpoints").iterdir() if path.is_dir())
KOBOLT = str(pathlib.Path(sys.argv.pop(1)).resolve()) if len(sys.argv) > 1 else "kobolt"
GRAPHS = ["encoder_model", "decoder_model", "decoder_with_past_model"]
# One for each change of an operator that is used, and the newest that onnxruntime 1.32 executes.
OPSETS = [13, 17, 18, 20, 21, 23, 27]
FP32 = 1e-4  # absolute; logits are of the order of 1


def export(checkpoint, folder, *arguments):
    subprocess.run([KOBOLT, "export", checkpoint, "--onnx", folder, "--quiet",
                    *map(str, arguments)], check=True)
    return pathlib.Path(folder)


def session_options():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    # Else ONNX Runtime rounds what meets integer weights to 8 bits too.
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
    return options


def session(folder, name, as_written=False):
    options = session_options()
    if as_written:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(folder / f"{name}.onnx", options,
                                        providers=["CPUExecutionProvider"])


def operators(folder, name):
    """How many of each the runtime executes, when all its fusions are done."""
    options = session_options()
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    onnxruntime.InferenceSession(folder / f"{name}.onnx", options,
                                 providers=["CPUExecutionProvider"])
    graph = onnx.load(folder / "optimized.onnx", load_external_data=False).graph
    return collections.Counter(node.op_type for node in graph.node)


class Exported:
    """The three graphs as a decoder with a cache would use them."""

    def __init__(self, folder, as_written=False):
        self.encoder, self.first, self.later = (session(folder, name, as_written)
                                                for name in GRAPHS)

    def encode(self, documents):
        width = max(map(len, documents))
        ids = np.array([document + [0] * (width - len(document)) for document in documents])
        mask = np.array([[1] * len(document) + [0] * (width - len(document))
                         for document in documents])
        hidden, = self.encoder.run(None, {"input_ids": ids, "attention_mask": mask})
        return hidden, mask

    def start(self, tokens, hidden, mask):
        """Logits of all `tokens`, and the cache."""
        names = [output.name for output in self.first.get_outputs()]
        values = self.first.run(None, {"input_ids": tokens, "encoder_hidden_states": hidden,
                                       "encoder_attention_mask": mask})
        outputs = dict(zip(names, values))
        return outputs.pop("logits"), outputs

    def step(self, tokens, cache, mask):
        inputs = {"input_ids": tokens, "encoder_attention_mask": mask}
        for value in self.later.get_inputs():
            if value.name not in inputs:
                inputs[value.name] = cache[value.name.replace("past_key_values", "present")]
        names = [output.name for output in self.later.get_outputs()]
        outputs = dict(zip(names, self.later.run(None, inputs)))
        return outputs.pop("logits"), {**cache, **outputs}


def differences(folder, golden):
    """Largest differences to transformers: encoder, logits at once, logits step by step."""
    model = Exported(folder)
    hidden, mask = model.encode(golden["documents"])
    encoder = max(np.abs(hidden[i, :len(rows)] - np.array(rows)).max()
                  for i, rows in enumerate(golden["encoder"]))
    expected = np.array(golden["logits"])
    tokens = np.array([golden["decoder_input"]] * len(expected))
    at_once = np.abs(model.start(tokens, hidden, mask)[0] - expected).max()
    found, cache = model.start(tokens[:, :1], hidden, mask)
    steps = [found]
    # One token a step, but two in the last, as speculative decoding would.
    for begin in [*range(1, tokens.shape[1] - 2), tokens.shape[1] - 2]:
        end = begin + 1 if begin < tokens.shape[1] - 2 else tokens.shape[1]
        found, cache = model.step(tokens[:, begin:end], cache, mask)
        steps.append(found)
    stepwise = np.abs(np.concatenate(steps, axis=1) - expected).max()
    return encoder, at_once, stepwise


class Graphs(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def check(self, folder):
        for name in GRAPHS:
            onnx.checker.check_model(folder / f"{name}.onnx", full_check=True)

    def test_every_family_in_every_operator_set_is_transformers(self):
        for checkpoint in CHECKPOINTS:
            golden = json.loads((checkpoint / "expected.json").read_text())
            for opset in OPSETS:
                with self.subTest(checkpoint=checkpoint.name, opset=opset):
                    folder = export(checkpoint, self.folder / f"{checkpoint.name}-{opset}",
                                    "--opset", opset)
                    self.check(folder)
                    for name, difference in zip(["encoder", "at once", "stepwise"],
                                                differences(folder, golden)):
                        self.assertLess(difference, FP32, name)

    @unittest.skipIf(onnx.defs.onnx_opset_version() < 28, "needs onnx 1.23")
    def test_the_newest_operator_set_is_well_formed(self):
        self.check(export(CHECKPOINTS[0], self.folder / "newest", "--opset", 28))

    def test_what_the_runtime_makes_of_rounded_weights_is_what_is_written(self):
        # What is written is tested in values_test.cc.
        for checkpoint in CHECKPOINTS:
            golden = json.loads((checkpoint / "expected.json").read_text())
            tokens = np.array([golden["decoder_input"]] * len(golden["documents"]))
            for precision in ["fp16", "int8-weights", "int4-weights"]:
                with self.subTest(checkpoint=checkpoint.name, precision=precision):
                    folder = export(checkpoint, self.folder / f"{checkpoint.name}-{precision}",
                                    "--precision", precision)
                    self.check(folder)
                    logits = []
                    for as_written in [False, True]:
                        model = Exported(folder, as_written)
                        logits.append(model.start(tokens, *model.encode(golden["documents"]))[0])
                    share = 0.01 if precision == "fp16" else 1e-4
                    self.assertLess(np.abs(logits[0] - logits[1]).max(),
                                    share * np.abs(logits[1]).max())

    def test_calibrated_int8_becomes_products_of_integers(self):
        model = ROOT / "examples" / "deb-bart"
        calibration = self.folder / "calibration.json"
        subprocess.run([KOBOLT, "calibrate", model, "--data", ROOT / "examples/descriptions.jsonl",
                        "--samples", "16", "-o", calibration, "--quiet"], check=True)
        folder = export(model, self.folder / "int8", "--precision", "int8", "--calibration",
                        calibration)
        self.check(folder)
        # q, k, v, out, fc1, fc2 of 3 layers; in the decoder a second attention and the projection
        # to the vocabulary; later steps have keys and values of the document already.
        for name, products in zip(GRAPHS, [3 * 6, 3 * 10 + 1, 3 * 8 + 1]):
            self.assertEqual(operators(folder, name)["MatMulIntegerToFloat"], products, name)
        documents = [[5446, 1637, 1398, 4612, 1], [1637, 1404, 1]]
        logits = []
        for as_written in [False, True]:
            exported = Exported(folder, as_written)
            hidden, mask = exported.encode(documents)
            logits.append(exported.start(np.array([[1, 1637]] * 2), hidden, mask)[0])
        # Sums in another order may round an activation to the next step.
        self.assertLess(np.abs(logits[0] - logits[1]).max(), 0.02 * np.abs(logits[1]).max())

    def test_fixed_axes_are_fixed(self):
        folder = export(CHECKPOINTS[0], self.folder / "fixed", "--dynamic-axes", "none", "--batch",
                        2, "--sequence", 7)
        self.check(folder)
        self.assertEqual(session(folder, "encoder_model").get_inputs()[0].shape, [2, 7])
        model = Exported(folder)
        hidden, mask = model.encode([[5, 6, 7, 8, 9, 10, 11], [5, 6, 7]])
        logits, cache = model.start(np.array([[2], [2]]), hidden, mask)
        self.assertEqual(model.step(np.array([[3], [4]]), cache, mask)[0].shape, logits.shape)


if __name__ == "__main__":
    unittest.main()
