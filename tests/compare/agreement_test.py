import pathlib
import unittest

from comparison.agreement import agreements, identical, short_work
from comparison.results import KOBOLT, Result, Run, Series
from comparison.workloads import NEW_TOKENS, DocumentSet, synthetic

CHECKPOINT = pathlib.Path("checkpoint")
PAIR = synthetic("gen-8x512-b4", CHECKPOINT)
DEV = DocumentSet("dev-set", CHECKPOINT, pathlib.Path("dev.jsonl"), "document", 2)


def series(*runs, engine="Peer", precision="fp32"):
    return Series(engine, precision, list(runs))


class ShortWorkTest(unittest.TestCase):
    def test_the_end_token_may_be_counted_or_not(self):
        whole = Run(1.0, [NEW_TOKENS] * 4 + [NEW_TOKENS - 1] * 4)
        self.assertIsNone(short_work(PAIR, series(whole)))

    def test_fewer_or_more_tokens_are_found_in_any_round(self):
        whole = Run(1.0, [NEW_TOKENS] * 8)
        for off in (NEW_TOKENS - 2, NEW_TOKENS + 1, 0):
            run = Run(0.5, [NEW_TOKENS] * 7 + [off])
            self.assertIn(f"{off} tokens", short_work(PAIR, series(whole, run)))

    def test_missing_documents_are_found(self):
        self.assertIn("7 documents of 8", short_work(PAIR, series(Run(1.0, [NEW_TOKENS] * 7))))
        self.assertIn("1 summaries of 2", short_work(DEV, series(Run(1.0, [3], ["a"]))))

    def test_the_encoder_generates_nothing(self):
        self.assertIsNone(short_work(synthetic("enc-1x512", CHECKPOINT), series(Run(1.0))))

    def test_a_free_length_is_not_judged(self):
        self.assertIsNone(short_work(DEV, series(Run(1.0, [3, 40], ["a", "b"]))))


class AgreementsTest(unittest.TestCase):
    def test_identical_ignores_white_space_at_the_ends_only(self):
        self.assertEqual(identical([" a", "b c"], ["a ", "b  c"]), 0.5)
        with self.assertRaises(ValueError):
            identical(["a"], [])

    def test_a_fixed_length_may_end_with_a_word_or_the_end_token(self):
        self.assertEqual(identical(["a b c", "a b c"], ["a b", "a c"], fixed_length=True), 0.5)
        self.assertEqual(identical(["a b"], ["a b c"], fixed_length=True), 1)
        self.assertEqual(identical(["a b"], ["a b c"]), 0)

    def test_compares_within_a_precision(self):
        ours = Run(1.0, [1, 2], ["a", "b"])
        theirs = Run(2.0, [1, 3], ["a", "c"])
        result = Result(
            DEV,
            [
                series(ours, engine=KOBOLT),
                series(theirs),
                series(theirs, precision="int8"),
                Series("Absent", "fp32", reason="not installed"),
            ],
        )
        (line,) = agreements(result)
        self.assertIn("50.0%", line)
        self.assertIn("4 and 3 tokens", line)


if __name__ == "__main__":
    unittest.main()
