#!/usr/bin/env python3
"""Write small torch files, honest and hostile, for the tests of the pickle and zip readers.

    python3 tests/golden/make_torch_files.py          # rewrites tests/data/checkpoint/torch

Needs torch. Honest files hold float tensors whose element i, in row-major order, is i (or what the
test says). Hostile ones would run a program, or exhaust memory, if they were unpickled. Deterministic, but for
views-legacy.bin: the form before zip takes memory addresses as keys of storages.
"""
import collections
import io
import os
import pathlib
import pickle
import shutil
import zipfile

import torch

OUT = pathlib.Path(__file__).resolve().parent.parent / "data" / "checkpoint" / "torch"


class Attack:
    """Pickles as a call of any function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def count(*shape, dtype=torch.float32):
    return torch.arange(torch.Size(shape).numel(), dtype=torch.float32).reshape(shape).to(dtype)


def repacked(file, change, **options):
    """The file's zip archive written again by Python, entries changed by change(name, data)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(buffer, "w", **options) as target:
        for entry in source.infolist():
            name = zipfile.ZipInfo(entry.filename)
            name.compress_type = target.compression
            target.writestr(name, change(entry.filename, source.read(entry)))
    return buffer.getvalue()


def honest():
    state = collections.OrderedDict()
    for dtype in (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64):
        state[str(dtype).split(".")[1]] = count(2, 3, dtype=dtype)
    state["scalar"] = torch.tensor(5.0)
    state["empty"] = torch.zeros(0, 4)
    torch.save(state, OUT / "dtypes.bin")

    base = count(4, 6)
    views = {
        "base": base,
        "row": base[2],
        "transposed": base.t(),
        "corner": base[1:3, 2:5],
        "every_other": base[:, ::2],
        "permuted": count(2, 3, 4).permute(2, 0, 1),
        "parameter": torch.nn.Parameter(count(3)),
    }
    torch.save(views, OUT / "views.bin")
    torch.save(views, OUT / "views-legacy.bin", _use_new_zipfile_serialization=False)

    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.LayerNorm(2))
    torch.save(module.state_dict(), OUT / "module.bin")  # carries _metadata
    torch.save({"expanded": count(1).expand(1000)}, OUT / "expanded.bin")
    torch.save({"state_dict": views, "epoch": 3}, OUT / "training.bin")
    torch.save([count(2)], OUT / "list.bin")
    torch.save({"device": torch.float32}, OUT / "dtype-value.bin")
    torch.save({"module": torch.nn.Linear(1, 1)}, OUT / "whole-module.bin")


def rewritten():
    views = OUT / "views.bin"
    same = lambda name, data: data
    (OUT / "compressed.bin").write_bytes(repacked(views, same, compression=zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(OUT / "views.bin") as archive:
        folder = archive.namelist()[0].split("/")[0]
    shutil.copy(views, OUT / "torchscript.bin")  # such programs have their constants beside
    with zipfile.ZipFile(OUT / "torchscript.bin", "a") as archive:
        archive.writestr(zipfile.ZipInfo(folder + "/constants.pkl"), pickle.dumps((), protocol=2))
    big = lambda name, data: b"big" if name.endswith("byteorder") else data
    (OUT / "big-endian.bin").write_bytes(repacked(views, big))
    short = lambda name, data: data[:-4] if name.endswith("data/0") else data
    (OUT / "short-record.bin").write_bytes(repacked(views, short))
    # Everything that can be is moved into zip64 fields.
    limits = zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT
    zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = 1, 1
    (OUT / "zip64.bin").write_bytes(repacked(views, same))
    zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = limits


def hostile():
    def pickled(name, value, protocol=2):
        payload = pickle.dumps(value, protocol=protocol)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(zipfile.ZipInfo("archive/data.pkl"), payload)
        (OUT / f"attack-{name}.bin").write_bytes(buffer.getvalue())

    pickled("system", {"weight": Attack(os.system, "touch /tmp/kobolt-was-here")})
    pickled("eval", {"weight": Attack(eval, "1 + 1")})
    pickled("import", {"weight": Attack(__import__, "os")})
    pickled("getattr", {"weight": Attack(getattr, {}, "keys")})
    pickled("protocol-4", {"weight": 1}, protocol=4)
    pickled("bytes", {"weight": b"bytes"})
    pickled("set", {"weight": {1, 2}})
    cyclic = {}
    cyclic["itself"] = cyclic
    pickled("cycle", cyclic)
    bomb = []
    for _ in range(100):
        bomb = [bomb, bomb]
    pickled("shared-lists", bomb)


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    honest()
    rewritten()
    hostile()
    for file in sorted(OUT.iterdir()):
        print(f"{file.stat().st_size:8d}  {file.name}")


if __name__ == "__main__":
    main()
