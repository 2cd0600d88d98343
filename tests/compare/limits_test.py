import json
import pathlib
import tempfile
import unittest

from comparison import limits
from comparison.limits import Ceilings, Phase, Shape
from comparison.workloads import synthetic

ONES = Ceilings(fp32=1.0, bf16=0.0, pairs=2.0, bytes=0.0, read=4.0)
SMALL = Shape(d=2, ffn=3, encoder_layers=1, decoder_layers=1, decoder_ffn=3, vocabulary=10)


class PhaseTest(unittest.TestCase):
    def test_the_longer_of_arithmetic_and_reading_counts(self):
        self.assertEqual(Phase(6.0, 1.0, 8.0).seconds("fp32", ONES), 7.0)
        self.assertEqual(Phase(6.0, 1.0, 8.0).seconds("int8", ONES), 3.5)
        self.assertEqual(Phase(6.0, 1.0, 48.0).seconds("bf16", ONES), 12.0)

    def test_attention_of_integer_engines_multiplies_pairs_where_they_are_faster(self):
        self.assertEqual(Phase(0.0, 8.0).seconds("int8", ONES), 4.0)
        self.assertEqual(Phase(0.0, 8.0).seconds("int4", ONES), 4.0)
        self.assertEqual(Phase(0.0, 8.0).seconds("bf16", ONES), 8.0)
        slow = Ceilings(fp32=2.0, bf16=0.0, pairs=1.0, bytes=0.0, read=4.0)
        self.assertEqual(Phase(0.0, 8.0).seconds("int8", slow), 4.0)

    def test_attention_of_int8_multiplies_bytes_where_they_are_faster(self):
        machine = Ceilings(fp32=1.0, bf16=0.0, pairs=2.0, bytes=4.0, read=1.0)
        self.assertEqual(Phase(0.0, 8.0).seconds("int8", machine), 2.0)
        self.assertEqual(Phase(0.0, 8.0).seconds("int4", machine), 4.0)

    def test_bytes_are_for_int8_and_int4(self):
        machine = Ceilings(fp32=1.0, bf16=0.0, pairs=2.0, bytes=4.0, read=1.0)
        self.assertEqual(Phase(8.0).seconds("int8", machine), 2.0)
        self.assertEqual(Phase(8.0).seconds("int4", machine), 2.0)
        self.assertEqual(Phase(8.0).seconds("fp16", machine), 8.0)

    def test_bf16_has_its_own_arithmetic_in_products_where_the_machine_has_it(self):
        machine = Ceilings(fp32=1.0, bf16=2.0, pairs=2.0, bytes=4.0, read=1.0)
        self.assertEqual(Phase(8.0).seconds("bf16", machine), 4.0)
        self.assertEqual(Phase(8.0).seconds("bf16", ONES), 8.0)
        self.assertEqual(Phase(0.0, 8.0).seconds("bf16", machine), 8.0)


class PhasesTest(unittest.TestCase):
    def test_encoder(self):
        (encoder,) = limits.phases(synthetic("enc-8x512", pathlib.Path()), SMALL, "fp32")
        weights = 4 * 2 * 2 + 2 * 2 * 3
        self.assertEqual(encoder.product_ops, 2 * 8 * 512 * weights)
        self.assertEqual(encoder.attention_ops, 8 * 4 * 512 * 512 * 2)
        self.assertEqual(encoder.read_bytes, 4 * weights)

    def test_steps(self):
        found = limits.phases(synthetic("gen-1x512-b4", pathlib.Path()), SMALL, "int8")
        self.assertEqual(len(found), 2 + 63)
        self.assertEqual(found[1].product_ops, 2 * 512 * 2 * 2 * 2)
        weights = 6 * 2 * 2 + 2 * 2 * 3 + 2 * 10
        self.assertEqual(found[2].product_ops, 2 * 1 * weights)
        self.assertEqual(found[3].product_ops, 2 * 4 * weights)
        self.assertEqual(found[3].attention_ops, 4 * 4 * (512 + 2) * 2)
        self.assertEqual(found[3].read_bytes, weights + 2 * (512 + 4 * 2) * 2)


class ShapeTest(unittest.TestCase):
    def test_of_a_checkpoint(self):
        config = {"d_model": 2, "encoder_ffn_dim": 3, "decoder_ffn_dim": 3, "vocab_size": 10}
        config |= {"encoder_layers": 1, "decoder_layers": 1}
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "config.json").write_text(json.dumps(config))
            self.assertEqual(Shape.of(pathlib.Path(folder)), SMALL)
            work = synthetic("enc-1x512", pathlib.Path(folder))
            phases = limits.phases(work, Shape.of(work.checkpoint), "fp32")
            seconds = 2 * 512 * 28 + 4 * 512 * 512 * 2
            self.assertEqual(limits.least_seconds(phases, "fp32", ONES), seconds)


class CountedTest(unittest.TestCase):
    def test_times_at_other_rates_become_work(self):
        ceilings = {"fp32": 2.0, "bf16": 0.0, "pairs": 3.0, "bytes": 8.0, "read": 5.0}
        operators = [
            {"least_arithmetic": 6.0, "least_reading": 1.0},
            {"least_arithmetic": 0.0, "least_reading": 4.0},
        ]
        profile = {"ceilings": ceilings, "operators": operators}
        counted = limits.counted(profile, "fp32")
        self.assertEqual(counted, [Phase(12.0, 0.0, 5.0), Phase(0.0, 0.0, 20.0)])
        self.assertEqual(limits.least_seconds(counted, "fp32", ONES), 12.0 + 5.0)
        self.assertEqual(limits.counted(profile, "int8")[0].product_ops, 48.0)


class CeilingsTest(unittest.TestCase):
    PRINTED = """CPU, 2 threads
set  threads  fp32 GFLOP/s  from L1  bf16 GFLOP/s  pairs GOP/s  bytes GOP/s  from L1  read GB/s
AVX512_BF16  1  40.5  39.0  80.0  79.0  160.0  150.0   9.2
AVX512_BF16  2  79.0  75.0  159.0  160.0  310.0  290.0  16.0
AVX2  1  41.0  38.0  0.0  39.0  0.0  0.0   9.1
AVX2  2  80.0  74.0  0.0  79.0  0.0  0.0  16.5
"""

    def test_the_best_set_with_that_many_threads(self):
        self.assertEqual(
            limits.parse_ceilings(self.PRINTED, 2), Ceilings(80e9, 159e9, 160e9, 310e9, 16.5e9)
        )

    def test_operands_from_l1(self):
        self.assertEqual(
            limits.parse_ceilings(self.PRINTED, 2, loaded=True),
            Ceilings(75e9, 159e9, 160e9, 290e9, 16.5e9),
        )
        alone = "\n".join(line for line in self.PRINTED.splitlines() if "AVX512" not in line)
        self.assertEqual(limits.parse_ceilings(alone, 2, loaded=True).bytes, 0.0)

    def test_the_best_of_two_measurements(self):
        best = Ceilings(1.0, 0.0, 5.0, 0.0, 3.0).best(Ceilings(2.0, 4.0, 4.0, 1.0, 3.0))
        self.assertEqual(best, Ceilings(2.0, 4.0, 5.0, 1.0, 3.0))

    def test_typical_are_the_medians(self):
        moments = [Ceilings(1.0, 0.0, 5.0, 0.0, 3.0), Ceilings(2.0, 0.0, 4.0, 0.0, 9.0)]
        moments.append(Ceilings(8.0, 0.0, 6.0, 0.0, 4.0))
        self.assertEqual(Ceilings.typical(moments), Ceilings(2.0, 0.0, 5.0, 0.0, 4.0))

    def test_no_such_line(self):
        with self.assertRaisesRegex(ValueError, "4 threads"):
            limits.parse_ceilings(self.PRINTED, 4)


if __name__ == "__main__":
    unittest.main()
