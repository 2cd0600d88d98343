import json
import pathlib
import sys
import tempfile
import unittest

from comparison.kobolt import Engines, Kobolt, ProgramError
from comparison.limits import Phase
from comparison.workloads import DocumentSet

# Stands for the program: writes down how it is called, and two predictions where asked for them.
PROGRAM = """#!{python}
import json, pathlib, sys
with open({calls!r}, "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
if "--predictions" in sys.argv:
    lines = [{{"summary": "one", "tokens": [0, 5, 6, 1]}}, {{"summary": "two", "tokens": [7, 1]}}]
    file = pathlib.Path(sys.argv[sys.argv.index("--predictions") + 1])
    file.write_text("".join(json.dumps(line) + "\\n" for line in lines))
    print(json.dumps({{"seconds": 0.5}}))
if sys.argv[1] == "profile":
    ceilings = dict(fp32=1.0, bf16=0.0, pairs=2.0, bytes=4.0, read=8.0)
    print(json.dumps(dict(ceilings=ceilings, operators=[dict(least_arithmetic=3.0, least_reading=1.0)])))
"""


class DocumentSetTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.calls = self.folder / "calls"
        self.program = self.folder / "kobolt"
        self.program.write_text(PROGRAM.format(python=sys.executable, calls=str(self.calls)))
        self.program.chmod(0o755)
        checkpoint = self.folder / "checkpoint"
        checkpoint.mkdir()
        (checkpoint / "config.json").write_text(json.dumps({"bos_token_id": 0, "eos_token_id": 1}))
        self.work = DocumentSet(
            "dialogues", checkpoint, self.folder / "x.jsonl", "document", 2, beams=4, new_tokens=40
        )

    def kobolt(self):
        return Kobolt(Engines(self.program, self.folder), self.work, "int8", 2)

    def option(self, name):
        call = json.loads(self.calls.read_text().splitlines()[-1])
        self.assertEqual(call[0], "eval")
        return call[call.index(name) + 1]

    def test_a_round_has_a_pass_before_the_clock_as_peers_have(self):
        self.kobolt().run()
        self.assertEqual(self.option("--warmup"), "1")

    def test_a_round_is_what_the_program_says(self):
        run = self.kobolt().run()
        self.assertEqual((run.seconds, run.tokens, run.texts), (0.5, [2, 1], ["one", "two"]))
        self.assertEqual(self.option("--min-new-tokens"), "39")
        self.assertEqual(self.option("--num-beams"), "4")

    def test_work_of_documents_is_what_the_program_counts(self):
        self.assertEqual(self.kobolt().phases(), [Phase(12.0, 0.0, 8.0)])

    def test_a_program_that_fails_is_an_error_with_its_last_line(self):
        self.program.write_text("#!/bin/sh\necho first >&2; echo no such option >&2; exit 2\n")
        with self.assertRaisesRegex(ProgramError, "^no such option$"):
            self.kobolt().run()


if __name__ == "__main__":
    unittest.main()
