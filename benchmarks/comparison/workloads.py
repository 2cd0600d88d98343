"""The work that engines are timed on."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import random

SEQUENCE = 512
NEW_TOKENS = 64
DIALOGUES = 64
DIALOGUE_BEAMS = 4
DIALOGUE_NEW_TOKENS = 40


@dataclasses.dataclass(frozen=True)
class Synthetic:
    """Documents of random tokens: `batch` of SEQUENCE tokens each. beams == 0: the encoder only."""

    name: str
    checkpoint: pathlib.Path
    batch: int
    beams: int

    @property
    def encoder_only(self) -> bool:
        return self.beams == 0

    @property
    def documents(self) -> int:
        return self.batch

    @property
    def new_tokens(self) -> int | None:
        """Tokens that each document must get, exactly."""
        return None if self.encoder_only else NEW_TOKENS


@dataclasses.dataclass(frozen=True)
class DocumentSet:
    """Real documents of a JSON-lines file: tokenise, generate, detokenise.

    With `new_tokens` every document gets exactly so many, from `beams` beams; without, the
    checkpoint's own settings decide.
    """

    name: str
    checkpoint: pathlib.Path
    data: pathlib.Path
    field: str
    documents: int
    beams: int | None = None
    new_tokens: int | None = None

    def texts(self) -> list[str]:
        return read_documents(self.data, self.field)[: self.documents]


Workload = Synthetic | DocumentSet

SYNTHETIC = {  # name: documents, beams
    "enc-8x512": (8, 0),
    "enc-1x512": (1, 0),
    "gen-1x512-b1": (1, 1),
    "gen-1x512-b4": (1, 4),
    "gen-8x512-b4": (8, 4),
}
DOCUMENT_SETS = ("dialogues", "dev-set")
NAMES = (*SYNTHETIC, *DOCUMENT_SETS)


def read_documents(data: pathlib.Path, field: str) -> list[str]:
    """Field `field` of each line. Raises ValueError naming the line that lacks it."""
    documents = []
    for number, line in enumerate(data.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            documents.append(str(json.loads(line)[field]))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{data}:{number}: no JSON object with a field {field!r}") from error
    return documents


def synthetic(name: str, checkpoint: pathlib.Path) -> Synthetic:
    batch, beams = SYNTHETIC[name]
    return Synthetic(name, checkpoint, batch, beams)


def dialogues(checkpoint: pathlib.Path, data: pathlib.Path, field: str, limit: int) -> DocumentSet:
    count = min(limit or DIALOGUES, DIALOGUES, len(read_documents(data, field)))
    return DocumentSet(
        "dialogues", checkpoint, data, field, count, DIALOGUE_BEAMS, DIALOGUE_NEW_TOKENS
    )


def dev_set(checkpoint: pathlib.Path, data: pathlib.Path, field: str, limit: int) -> DocumentSet:
    count = len(read_documents(data, field))
    return DocumentSet("dev-set", checkpoint, data, field, min(limit or count, count))


def read_config(checkpoint: pathlib.Path) -> dict[str, object]:
    return json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))


def special_ids(checkpoint: pathlib.Path) -> set[int]:
    """Ids that begin, end or pad a sequence."""
    found: set[int] = set()
    config = read_config(checkpoint)
    generation = checkpoint / "generation_config.json"
    more = json.loads(generation.read_text(encoding="utf-8")) if generation.exists() else {}
    for source in (config, more):
        for key in ("bos", "eos", "pad", "decoder_start", "forced_bos", "forced_eos"):
            value = source.get(f"{key}_token_id")
            if isinstance(value, list):
                found.update(value)
            elif value is not None:
                found.add(int(value))
    return found


def random_documents(work: Synthetic) -> list[list[int]]:
    """The same documents for every peer: ids below 5 and special ones would end or mark a sequence."""
    vocabulary = int(read_config(work.checkpoint)["vocab_size"])
    special = special_ids(work.checkpoint)
    ordinary = [i for i in range(5, vocabulary) if i not in special]
    draw = random.Random(0)
    return [[draw.choice(ordinary) for _ in range(SEQUENCE)] for _ in range(work.batch)]
