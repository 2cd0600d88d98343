import pathlib
import unittest

from comparison import table
from comparison.results import KOBOLT, Result, Run, Series, to_json
from comparison.timing import Spread
from comparison.workloads import DocumentSet, synthetic

CHECKPOINT = pathlib.Path("checkpoint")
PEERS = ["Slow", "Fast", "Absent"]


def timed(engine, precision, *seconds, **more):
    return Series(engine, precision, [Run(s) for s in seconds], **more)


def example():
    encoder = Result(
        synthetic("enc-1x512", CHECKPOINT),
        [
            timed("Slow", "fp32", 4.0, 4.0),
            timed("Fast", "fp32", 2.0, 4.0, note="with | bars"),
            timed(KOBOLT, "fp32", 1.0, 1.0),
            timed(KOBOLT, "int8", 0.5, 0.25),
            Series("Fast", "int8", reason="not timed in int8"),
            Series("Absent", "fp32", reason="not installed"),
            Series("Absent", "int8", reason="not installed"),
        ],
    )
    data = DocumentSet("dev-set", CHECKPOINT, pathlib.Path("dev.jsonl"), "document", 10)
    return [encoder, Result(data, [timed(KOBOLT, "fp32", 4.0), timed("Slow", "fp32", 5.0)])]


class TableTest(unittest.TestCase):
    def setUp(self):
        self.table = table.build(example(), PEERS, "Slow")

    def test_cells(self):
        self.assertEqual(
            self.table.rows,
            [
                [
                    *["enc-1x512", "fp32", "4.00 s", "3.00 s [1]", "– [2]", "1.00 s"],
                    "3.00x (2.00–4.00)",
                ],
                ["enc-1x512", "int8", "–", "– [3]", "– [2]", "0.375 s", "–"],
                ["dev-set", "fp32", "2.00/s", "–", "–", "2.50/s", "1.25x (1.25–1.25)"],
            ],
        )
        self.assertEqual(self.table.notes, ["with | bars", "not installed", "not timed in int8"])

    def test_the_fastest_peer_is_the_best(self):
        self.assertEqual(self.table.bold, {(0, 3), (2, 2)})

    def test_other_precisions_are_held_against_the_baseline(self):
        self.assertEqual(
            self.table.remarks,
            ["enc-1x512: Kobolt int8 against Slow fp32: 12.00x (8.00–16.00)."],
        )

    def test_less_work_does_not_win(self):
        results = example()
        results[0].series[1].reason = "generated 1 tokens where 64 were asked for"
        made = table.build(results, PEERS, "Slow")
        self.assertIn((0, 2), made.bold)
        self.assertEqual(made.rows[0][3], "– [1]")

    def test_kobolt_that_failed_has_no_ratio(self):
        failed = Result(
            synthetic("enc-1x512", CHECKPOINT),
            [timed("Slow", "fp32", 1.0), Series(KOBOLT, "fp32", reason="no such precision")],
        )
        self.assertEqual(
            table.build([failed], ["Slow"], "Slow").rows[0][2:], ["1.00 s", "– [1]", "–"]
        )

    def test_markdown(self):
        lines = table.as_markdown(self.table).splitlines()
        self.assertEqual(lines[1], "|---|---|---|---|---|---|---|")
        self.assertIn("| **3.00 s [1]** |", lines[2])
        self.assertEqual(len({line.count("|") for line in lines[:5]}), 1)
        self.assertEqual(lines[5], "")
        self.assertEqual(lines[6], "- [1] with | bars")

    def test_text_is_aligned(self):
        lines = table.as_text(self.table).splitlines()
        self.assertIn("3.00 s [1] *", lines[1])
        ends = {line.index(found) + len(found) for line, found in zip(lines[1:4:2], ("4.00 s", "2.00/s *"))}
        self.assertEqual(len({len(line) for line in lines[:2]}), 1)
        self.assertEqual(ends, {lines[0].index("Slow") + len("Slow")})


class NumbersTest(unittest.TestCase):
    def test_amounts(self):
        work = example()[1].workload
        self.assertEqual(table.amount(work, 4.0), "2.50/s")
        self.assertEqual(table.amount(synthetic("enc-1x512", CHECKPOINT), 0.12345), "0.123 s")
        self.assertEqual(table.amount(synthetic("enc-1x512", CHECKPOINT), 12.345), "12.35 s")

    def test_ratio(self):
        self.assertEqual(table.ratio(Spread(1.234, 1.1, 1.5)), "1.23x (1.10–1.50)")

    def test_json_holds_every_raw_time(self):
        made = to_json(example(), {"threads": 2})
        self.assertEqual(made["results"][1]["seconds"], [2.0, 4.0])
        self.assertEqual(made["results"][-1]["data"], "dev.jsonl")
        self.assertEqual(made["settings"], {"threads": 2})


if __name__ == "__main__":
    unittest.main()
