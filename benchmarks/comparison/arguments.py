"""The command line of `benchmarks/compare`."""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
from collections.abc import Sequence

from comparison import peers, workloads

PRECISIONS = ("fp32", "fp16", "bf16", "int8", "int4")

DESCRIPTION = """\
Time Kobolt and the installed peers in turn on the same work, on this machine's CPU.

Every round runs each engine once, one after the other, so that all meet the same disturbances; medians
and the ratio to the fastest peer (median, least, greatest of the rounds) are printed. Loading a model
is never timed. A peer that is not installed, cannot do a workload or fails shows as a dash with the
reason below the table; one that generates less than was asked for does not count.
"""

EPILOG = """\
workloads:
  enc-8x512, enc-1x512        the encoder alone: 8 documents of 512 tokens, or 1
  gen-1x512-b1                1 document of 512 tokens, exactly 64 tokens out, greedy
  gen-1x512-b4, gen-8x512-b4  1 or 8 documents, exactly 64 tokens out, 4 beams
  dialogues                   the first 64 documents of a file: tokenise, 4 beams, exactly 40 tokens
                              out, detokenise; documents a second (needs --dialogues)
  dev-set                     all documents of a file through a trained model with its own settings:
                              tokenise, generate, detokenise; documents a second (needs --dev-set)

peers:
  torch, torchscript, ctranslate2, onnxruntime, openvino, from the Python that runs this program:
    python3 -m venv VENV
    VENV/bin/pip install torch transformers ctranslate2 onnx onnxruntime openvino
    VENV/bin/python benchmarks/compare CHECKPOINT build/kobolt

examples:
  benchmarks/compare kobart build/kobolt --work enc-1x512,gen-1x512-b4 --precisions int8 --rounds 5
  benchmarks/compare kobart build/kobolt --dialogues kobart-dialogue dialogues.jsonl \\
      --dev-set examples/deb-bart dev.jsonl --json all.json --markdown table.md
  benchmarks/compare kobart build/kobolt --footprint
"""


@dataclasses.dataclass(frozen=True)
class Settings:
    checkpoint: pathlib.Path
    kobolt: pathlib.Path
    work: list[workloads.Workload]
    peers: list[str]
    precisions: list[str]
    rounds: int
    threads: int
    scratch: pathlib.Path
    json: pathlib.Path | None
    markdown: pathlib.Path | None
    roofline: pathlib.Path | None
    footprint: bool


def _names(allowed: Sequence[str]):
    def parse(text: str) -> list[str]:
        names = [name for name in text.split(",") if name]
        for name in names:
            if name not in allowed:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(allowed)}")
        return list(dict.fromkeys(names))

    return parse


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks/compare",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "checkpoint",
        metavar="CHECKPOINT",
        type=pathlib.Path,
        help="Hugging Face BART folder for enc-* and gen-*; speed does not depend on the weights' "
        "values, so random ones of the right shape will do",
    )
    add("kobolt", metavar="KOBOLT", type=pathlib.Path, help="the program, build/kobolt")
    add("--work", type=_names(workloads.NAMES), metavar="NAME,...", help="default: all there is")
    add(
        "--peers",
        type=_names(peers.NAMES),
        default=list(peers.NAMES),
        metavar="NAME,...",
        help="default: all",
    )
    add(
        "--precisions",
        type=_names(PRECISIONS),
        default=["fp32", "int8"],
        metavar="NAME,...",
        help=f"of {', '.join(PRECISIONS)}; default: fp32,int8",
    )
    add("--rounds", type=_positive, default=3, metavar="N", help="default: 3")
    add("--threads", type=_positive, default=2, metavar="N", help="of every engine; default: 2")
    add("--dialogues", nargs=2, type=pathlib.Path, metavar=("CHECKPOINT", "FILE.jsonl"))
    add("--dev-set", nargs=2, type=pathlib.Path, metavar=("CHECKPOINT", "FILE.jsonl"))
    add(
        "--document-field",
        default="document",
        metavar="NAME",
        help="of those files; they have references in `summary`, as kobolt eval needs them",
    )
    add("--limit", type=_positive, default=0, metavar="N", help="only the first N of those files")
    add(
        "--scratch",
        type=pathlib.Path,
        default=pathlib.Path("compare-scratch"),
        metavar="FOLDER",
        help="for converted models, which are kept, and logs; default: ./compare-scratch",
    )
    add("--json", type=pathlib.Path, metavar="FILE", help="write every raw time")
    add("--markdown", type=pathlib.Path, metavar="FILE", help="write the table, best peers in bold")
    add(
        "--roofline",
        type=pathlib.Path,
        metavar="PROGRAM",
        help="build/benchmarks/roofline: measure the machine first, show what it allows at most",
    )
    add(
        "--footprint",
        action="store_true",
        help="instead: Kobolt's engine file, memory and time to the first token",
    )
    return parser


def parse(arguments: Sequence[str]) -> Settings:
    """Ends the program with a message and status 2 for wrong use."""
    parser = _parser()
    given = parser.parse_args(arguments)
    sets = {"dialogues": given.dialogues, "dev-set": given.dev_set}
    for folder in (given.checkpoint, *(pair[0] for pair in sets.values() if pair)):
        if not (folder / "config.json").is_file():
            parser.error(f"{folder} is no checkpoint folder: it has no config.json")
    if not given.kobolt.is_file():
        parser.error(f"{given.kobolt} is no program")
    if given.roofline and not given.roofline.is_file():
        parser.error(f"{given.roofline} is no program")
    names = given.work or [n for n in workloads.NAMES if n in workloads.SYNTHETIC or sets[n]]
    work: list[workloads.Workload] = []
    for name in names:
        if name in workloads.SYNTHETIC:
            work.append(workloads.synthetic(name, given.checkpoint))
            continue
        if not sets[name]:
            parser.error(f"{name} needs --{name} CHECKPOINT FILE.jsonl")
        make = workloads.dialogues if name == "dialogues" else workloads.dev_set
        try:
            work.append(make(*sets[name], given.document_field, given.limit))
        except (OSError, ValueError) as error:
            parser.error(str(error))
    return Settings(
        checkpoint=given.checkpoint,
        kobolt=given.kobolt.absolute(),
        work=work,
        peers=given.peers,
        precisions=given.precisions,
        rounds=given.rounds,
        threads=given.threads,
        scratch=given.scratch,
        json=given.json,
        markdown=given.markdown,
        roofline=given.roofline and given.roofline.absolute(),
        footprint=given.footprint,
    )
