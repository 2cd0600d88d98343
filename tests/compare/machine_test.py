import pathlib
import sys
import tempfile
import unittest

from comparison import table
from comparison.limits import Phase
from comparison.machine import Machine
from comparison.results import KOBOLT, Result, Run, Series
from comparison.workloads import DocumentSet

# Stands for roofline: 4 GFLOP/s at best, 5 of them with operands from L1, which do not count there, and
# 1, 2, 3 such at the moments that it is asked for.
ROOFLINE = """#!{python}
import pathlib, sys
file = pathlib.Path({moments!r})
loaded = 5
if "--now" in sys.argv:
    loaded = int(file.read_text()) if file.exists() else 1
    file.write_text(str(loaded + 1))
print("CPU, 2 threads")
print(f"AVX2  2  4.0  {{loaded}}.0  0.0  8.0  0.0  0.0  16.0")
"""


class MachineTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        moments = str(pathlib.Path(folder.name) / "moments")
        roofline = pathlib.Path(folder.name) / "roofline"
        roofline.write_text(ROOFLINE.format(python=sys.executable, moments=moments))
        roofline.chmod(0o755)
        self.machine = Machine(roofline, 2)

    def end(self, turns):
        for _ in range(turns):
            self.machine.watch()
        self.machine.end_of("dev-set", {"fp32": [Phase(4e9, 0.0, 1.0), Phase(0.0, 0.0, 16e9)]})

    def test_limits_are_at_the_best_and_at_the_typical_rates(self):
        self.end(turns=3)
        self.assertEqual(self.machine.limit("dev-set", "fp32"), 2.0)
        self.assertEqual(self.machine.typical_limit("dev-set", "fp32"), 3.0)

    def test_what_was_not_counted_or_seen_has_none(self):
        self.end(turns=0)
        self.assertIsNone(self.machine.limit("dev-set", "int8"))
        self.assertIsNone(self.machine.typical_limit("dev-set", "fp32"))

    def test_the_table_has_both(self):
        self.end(turns=3)
        data = DocumentSet("dev-set", pathlib.Path(), pathlib.Path(), "document", 12)
        result = Result(data, [Series(KOBOLT, p, [Run(4.0)]) for p in ("fp32", "int8")])
        made = table.build([result], [], "Slow", self.machine)
        self.assertEqual(made.rows[0][-2:], ["6.00/s, 50 %", "4.00/s, 75 %"])
        self.assertEqual(made.rows[1][-2:], [table.DASH, table.DASH])
        self.assertEqual([len(row) for row in made.rows], [len(made.header)] * 2)
        self.assertEqual(made.remarks[-1], "dev-set: 2.0, 8.0, 16.0.")


if __name__ == "__main__":
    unittest.main()
