"""Hashes of what Hugging Face `tokenizers` makes of all of ../shared/data.

Writes tests/data/tokenizer/shared_data.json: for each tokenizer and each data file, a hash of the
ids and of the decoded text of every chunk of 500 lines (document and summary of each line), so that
the C++ test needs neither Python nor the texts in this repository.

The tokenizers: the checkpoints of ../shared/models and those in tests/data/tokenizer that
tokenizer_train.py made.

    python3 tests/golden/tokenizer_data.py

Needs: tokenizers 0.23.3, numpy. Deterministic.
"""

import json
import pathlib

import numpy as np
from tokenizers import Tokenizer

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parent / "data" / "tokenizer"
SHARED = HERE.parent.parent.parent / "shared"
CHUNK = 500
FACTOR = 0x100000001B3  # odd, so that no value is lost modulo 2^64
SEPARATOR = 1 << 32  # follows each text; no id or byte
FILES = ("dev", "dialogue-dev", "dialogue-train", "train")


def polynomial_hash(values: np.ndarray) -> str:
    """h = h * FACTOR + value + 1 over all values, modulo 2^64."""
    with np.errstate(over="ignore"):
        powers = np.full(len(values), FACTOR, np.uint64)
        powers[:1] = 1
        powers = np.cumprod(powers, dtype=np.uint64)[::-1]
        return f"{int(np.sum((values + np.uint64(1)) * powers, dtype=np.uint64)):016x}"


def joined(parts: list[np.ndarray]) -> np.ndarray:
    separator = np.array([SEPARATOR], np.uint64)
    return np.concatenate([piece for part in parts for piece in (part, separator)])


def hash_chunk(tokenizer: Tokenizer, texts: list[str]) -> tuple[str, str]:
    ids = [encoding.ids for encoding in tokenizer.encode_batch_fast(texts)]
    decoded = tokenizer.decode_batch(ids)
    return (
        polynomial_hash(joined([np.array(i, np.uint64) for i in ids])),
        polynomial_hash(joined([np.frombuffer(t.encode(), np.uint8).astype(np.uint64) for t in decoded])),
    )


def main() -> None:
    tokenizers = {
        f"shared/models/{name}": SHARED / "models" / name / "tokenizer.json"
        for name in ("deb-bart", "kobart-dialogue")
    }
    tokenizers |= {path.stem: path for path in sorted((OUT / "trained").glob("*.json"))}
    entries = []
    for name, path in tokenizers.items():
        tokenizer = Tokenizer.from_file(str(path))
        for file in FILES:
            lines = [json.loads(line) for line in (SHARED / "data" / f"{file}.jsonl").open(encoding="utf-8")]
            hashes = []
            for start in range(0, len(lines), CHUNK):
                texts = [line[key] for line in lines[start : start + CHUNK] for key in ("document", "summary")]
                hashes.append(hash_chunk(tokenizer, texts))
            entries.append({
                "tokenizer": name, "file": file,
                "ids": [i for i, _ in hashes], "text": [t for _, t in hashes],
            })
            print(name, file, len(lines))
    # One entry a line: a change of one tokenizer is a change of its lines.
    body = ",\n".join(json.dumps(entry) for entry in entries)
    (OUT / "shared_data.json").write_text(f'{{"chunk": {CHUNK}, "entries": [\n{body}\n]}}\n')


if __name__ == "__main__":
    main()
