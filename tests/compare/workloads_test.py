import json
import pathlib
import tempfile
import unittest

from comparison import footprint, peers
from comparison.peers.conversions import converted
from comparison.peers.settings import beam_settings
from comparison.workloads import (
    SEQUENCE,
    DocumentSet,
    random_documents,
    special_ids,
    synthetic,
)


class CheckpointTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.write("config.json", vocab_size=12, eos_token_id=1, pad_token_id=3, num_beams=2)

    def write(self, name, **fields):
        (self.folder / name).write_text(json.dumps(fields))

    def documents(self, **fields):
        return DocumentSet("x", self.folder, pathlib.Path("x.jsonl"), "document", 2, **fields)


class RandomDocumentsTest(CheckpointTest):
    def test_no_special_token_is_drawn(self):
        self.write("generation_config.json", eos_token_id=[1, 9], forced_eos_token_id=7)
        self.assertEqual(special_ids(self.folder), {1, 3, 7, 9})
        made = random_documents(synthetic("gen-8x512-b4", self.folder))
        self.assertEqual([len(document) for document in made], [SEQUENCE] * 8)
        self.assertEqual({i for document in made for i in document}, {5, 6, 8, 10, 11})

    def test_one_document_is_the_first_of_many(self):
        one = random_documents(synthetic("enc-1x512", self.folder))
        self.assertEqual(one, random_documents(synthetic("enc-8x512", self.folder))[:1])


class BeamSettingsTest(CheckpointTest):
    def test_the_generation_file_wins_over_the_configuration(self):
        self.write("generation_config.json", num_beams=4, max_new_tokens=40, length_penalty=None)
        self.assertEqual(
            beam_settings(self.documents()),
            {"beam_size": 4, "length_penalty": 1.0, "max_decoding_length": 40},
        )

    def test_the_greatest_length_counts_the_start_token(self):
        self.assertEqual(beam_settings(self.documents())["max_decoding_length"], 19)
        self.write("config.json", max_length=62)
        self.assertEqual(beam_settings(self.documents())["max_decoding_length"], 61)

    def test_the_workload_wins_over_both(self):
        made = beam_settings(self.documents(beams=4, new_tokens=40))
        self.assertEqual(made["beam_size"], 4)
        self.assertEqual((made["min_decoding_length"], made["max_decoding_length"]), (39, 40))


class ConversionsTest(CheckpointTest):
    def test_a_conversion_is_reused_until_the_checkpoint_changes(self):
        calls = []

        def convert(folder):
            calls.append(folder)
            (folder / "model").write_text("converted")

        with tempfile.TemporaryDirectory() as scratch:
            first = converted(pathlib.Path(scratch), self.folder, "kind", convert)
            self.assertEqual(converted(pathlib.Path(scratch), self.folder, "kind", convert), first)
            self.assertEqual((first / "model").read_text(), "converted")
            self.assertEqual(len(calls), 1)
            self.write("config.json", vocab_size=1000)
            second = converted(pathlib.Path(scratch), self.folder, "kind", convert)
            self.assertNotEqual(first, second)

    def test_a_conversion_that_failed_is_tried_again(self):
        def fail(folder):
            (folder / "half").write_text("")
            raise RuntimeError

        with tempfile.TemporaryDirectory() as scratch:
            with self.assertRaises(RuntimeError):
                converted(pathlib.Path(scratch), self.folder, "kind", fail)
            again = converted(pathlib.Path(scratch), self.folder, "kind", lambda folder: None)
            self.assertEqual(list(again.iterdir()), [])


class DeclineTest(CheckpointTest):
    def setUp(self):
        super().setUp()
        entries = dict(peers._PEERS)
        self.addCleanup(peers._PEERS.update, entries)
        for name, entry in entries.items():
            peers._PEERS[name] = (*entry[:2], (), *entry[3:])

    def test_what_is_installed_is_tried_where_it_can(self):
        encoder, generation = (synthetic(n, self.folder) for n in ("enc-1x512", "gen-1x512-b1"))
        self.assertIsNone(peers.declines("openvino", encoder, "fp32"))
        self.assertIn("generation", peers.declines("openvino", generation, "fp32"))
        self.assertIn("generation", peers.declines("onnxruntime", self.documents(), "fp32"))
        self.assertIn("int4", peers.declines("ctranslate2", generation, "int4"))
        self.assertIsNone(peers.declines("ctranslate2", self.documents(), "int8"))

    def test_what_is_missing_is_named(self):
        entry = peers._PEERS["torch"]
        peers._PEERS["torch"] = (*entry[:2], ("no_such_library_at_all",), *entry[3:])
        reason = peers.declines("torch", self.documents(), "fp32")
        self.assertEqual(reason, "not installed (no_such_library_at_all)")


class FootprintTest(CheckpointTest):
    def test_the_file_is_compared_with_what_is_not_cache(self):
        made = footprint.Footprint(100, 50, 170, None)
        self.assertAlmostEqual(made.peak_share, 1.2)

    def test_a_short_document_is_of_ordinary_words(self):
        vocabulary = {"<s>": 0, "word": 1, "▁x": 2, "other": 3}
        self.write("tokenizer.json", model={"vocab": vocabulary})
        words = footprint.short_document(self.folder).split()
        self.assertEqual(len(words), footprint.WORDS)
        self.assertEqual(set(words), {"word", "other"})
        self.write("tokenizer.json", model={"vocab": [["<s>", 0.0], ["piece", -1.0]]})
        self.assertEqual(set(footprint.short_document(self.folder).split()), {"piece"})


if __name__ == "__main__":
    unittest.main()
