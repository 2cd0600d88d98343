"""What the tests share that run transformers beside the program: its path, from the command line,
and torch and transformers themselves. Where one of them is missing, the test says so and ends with
exit status 77.
"""
import os
import pathlib
import subprocess
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

try:
    import torch
    import transformers
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

__all__ = ["CHECKPOINTS", "DATA", "KOBOLT", "MODEL", "ROOT", "kobolt", "torch", "transformers"]

ROOT = pathlib.Path(__file__).resolve().parents[1]
MODEL = ROOT / "examples" / "deb-bart"
DATA = ROOT / "examples" / "descriptions.jsonl"
CHECKPOINTS = ROOT / "tests" / "data" / "checkpoints"
KOBOLT = str(pathlib.Path(sys.argv.pop(1)).resolve()) if len(sys.argv) > 1 else "kobolt"


def kobolt(*arguments):
    """What the program prints. Throws where it fails."""
    return subprocess.run([KOBOLT, *map(str, arguments)], check=True, capture_output=True,
                          text=True).stdout
