import pathlib
import unittest

from comparison.results import Run, Series
from comparison.rounds import measure
from comparison.workloads import NEW_TOKENS, synthetic

WORK = synthetic("gen-1x512-b1", pathlib.Path("checkpoint"))


class Fake:
    """An engine that writes down what it is asked for, and fails when told to."""

    precision = "fp32"

    def __init__(self, name, diary, fails="", at=1, tokens=NEW_TOKENS):
        self.name, self.diary, self.fails, self.at, self.tokens = name, diary, fails, at, tokens
        self.runs = 0

    def prepare(self):
        if self.fails == "prepare":
            raise RuntimeError("no model\nof that name")
        return f"{self.name}'s note"

    def run(self):
        self.runs += 1
        self.diary.append(self.name)
        if self.fails == "run" and self.runs == self.at:
            raise RuntimeError("fell over")
        return Run(float(self.runs), [self.tokens])

    def close(self):
        self.diary.append(f"{self.name} closed")


def done(engines, rounds=2, declined=()):
    return measure(WORK, engines, list(declined), rounds, lambda _: None, settle=0)


class RoundsTest(unittest.TestCase):
    def test_engines_take_turns(self):
        diary = []
        result = done([Fake("a", diary), Fake("b", diary)])
        self.assertEqual(diary, ["a", "b", "a", "b", "a closed", "b closed"])
        self.assertEqual([s.seconds for s in result.series], [[1.0, 2.0]] * 2)
        self.assertEqual(result.series[0].note, "a's note")

    def test_each_turn_is_watched(self):
        diary = []
        engines = [Fake("a", diary), Fake("b", diary)]
        measure(WORK, engines, [], 2, lambda _: None, settle=0, watch=lambda: diary.append("watch"))
        self.assertEqual(diary[:-2], ["watch", "a", "watch", "b"] * 2)

    def test_one_that_fails_leaves_and_is_closed(self):
        diary = []
        engines = [Fake("a", diary, "prepare"), Fake("b", diary, "run", at=2), Fake("c", diary)]
        a, b, c = done(engines, rounds=3).series
        self.assertEqual((a.reason, a.runs), ("no model", []))
        self.assertEqual((b.reason, b.runs), ("fell over", []))
        self.assertEqual(len(c.runs), 3)
        self.assertEqual(diary[-3:], ["a closed", "b closed", "c closed"])
        self.assertEqual(diary.count("b"), 2)

    def test_one_that_does_less_has_no_standing(self):
        result = done([Fake("a", [], tokens=NEW_TOKENS // 2)])
        self.assertFalse(result.series[0].stands)

    def test_those_that_decline_are_kept(self):
        absent = Series("x", "fp32", reason="not installed")
        self.assertIs(done([Fake("a", [])], declined=[absent]).series[-1], absent)

    def test_an_interruption_closes_all(self):
        diary = []

        class Interrupted(Fake):
            def run(self):
                raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            done([Fake("a", diary), Interrupted("b", diary)])
        self.assertEqual(diary, ["a", "a closed", "b closed"])


if __name__ == "__main__":
    unittest.main()
