import contextlib
import io
import json
import pathlib
import tempfile
import unittest

from comparison import arguments, peers, workloads


class ArgumentsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "config.json").write_text("{}")
        self.program = self.folder / "kobolt"
        self.program.write_text("")
        self.data = self.folder / "data.jsonl"
        lines = [json.dumps({"document": f"text {i}", "body": "b"}) for i in range(70)]
        self.data.write_text("\n".join(lines) + "\n\n")
        self.base = [str(self.folder), str(self.program)]

    def parse(self, *more):
        return arguments.parse([*self.base, *map(str, more)])

    def refusal(self, *arguments_):
        """Standard error of a call that must end with status 2."""
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors), self.assertRaises(SystemExit) as ended:
            arguments.parse([str(a) for a in arguments_])
        self.assertEqual(ended.exception.code, 2)
        return errors.getvalue()

    def test_defaults(self):
        settings = self.parse()
        self.assertEqual([w.name for w in settings.work], list(workloads.SYNTHETIC))
        self.assertEqual(settings.peers, list(peers.NAMES))
        self.assertEqual(settings.precisions, ["fp32", "int8"])
        self.assertEqual((settings.rounds, settings.threads), (3, 2))
        self.assertFalse(settings.footprint)

    def test_files_add_their_workloads(self):
        pair = (self.folder, self.data)
        settings = self.parse("--dialogues", *pair, "--dev-set", *pair)
        self.assertEqual([w.name for w in settings.work], list(workloads.NAMES))
        dialogues, dev = settings.work[-2:]
        self.assertEqual((dialogues.documents, dialogues.beams, dialogues.new_tokens), (64, 4, 40))
        self.assertEqual((dev.documents, dev.beams, dev.new_tokens), (70, None, None))
        self.assertEqual(dev.texts()[69], "text 69")

    def test_limit_and_field(self):
        more = ["--dev-set", self.folder, self.data, "--limit", 5, "--document-field", "body"]
        (dev,) = self.parse("--work", "dev-set", *more).work
        self.assertEqual(dev.texts(), ["b"] * 5)

    def test_lists(self):
        settings = self.parse("--work", "gen-1x512-b4,enc-1x512", "--precisions", "int8,int4,int8")
        self.assertEqual([w.name for w in settings.work], ["gen-1x512-b4", "enc-1x512"])
        self.assertEqual(settings.precisions, ["int8", "int4"])

    def test_wrong_use(self):
        self.assertIn("'quick' is none of", self.refusal(*self.base, "--work", "quick"))
        self.assertIn("'fp8' is none of", self.refusal(*self.base, "--precisions", "fp8"))
        for rounds in ("0", "-1", "many"):
            self.assertIn("no number above 0", self.refusal(*self.base, f"--rounds={rounds}"))
        self.assertIn("needs --dev-set", self.refusal(*self.base, "--work", "dev-set"))
        self.assertIn("no checkpoint", self.refusal(self.folder / "none", self.program))
        self.assertIn("is no program", self.refusal(self.folder, self.folder / "none"))

    def test_broken_data_is_named_with_its_line(self):
        self.data.write_text('{"document": "a"}\n{"text": "b"}\n')
        complaint = self.refusal(*self.base, "--dev-set", self.folder, self.data)
        self.assertIn(f"{self.data}:2: no JSON object with a field 'document'", complaint)

    def test_help_teaches(self):
        text = io.StringIO()
        with contextlib.redirect_stdout(text), self.assertRaises(SystemExit) as ended:
            arguments.parse(["--help"])
        self.assertEqual(ended.exception.code, 0)
        for word in (*workloads.NAMES, *peers.NAMES, "examples:", "--footprint"):
            self.assertIn(word, text.getvalue())


if __name__ == "__main__":
    unittest.main()
