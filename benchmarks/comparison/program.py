"""Puts the parts together: arguments in, tables out."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import platform
import subprocess
import sys
from collections.abc import Sequence

from comparison import arguments, footprint, peers, table, workloads
from comparison.arguments import Settings
from comparison.kobolt import Engines, Kobolt, ProgramError
from comparison.machine import Machine
from comparison.results import KOBOLT, Result, Series, to_json
from comparison.rounds import Engine, measure
from comparison.worker import Assignment, Worker


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _write(file: pathlib.Path | None, text: str) -> None:
    """Replaces `file` at once: a comparison that is stopped leaves the last whole one."""
    if file is None:
        return
    unfinished = file.with_name(file.name + ".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, file)


def _processor() -> str:
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _described(settings: Settings) -> dict[str, object]:
    return {
        "processor": _processor(),
        "threads": settings.threads,
        "rounds": settings.rounds,
        "precisions": settings.precisions,
        "versions": peers.versions(settings.peers),
    }


def _contenders(
    settings: Settings, engines: Engines, work: workloads.Workload
) -> tuple[list[Engine], list[Series]]:
    """Engines in the order of a round, and the peers that decline."""
    able: list[Engine] = []
    declined: list[Series] = []
    for precision in settings.precisions:
        able.append(Kobolt(engines, work, precision, settings.threads))
        for peer in settings.peers:
            reason = peers.declines(peer, work, precision)
            if reason is not None:
                declined.append(Series(peers.title(peer), precision, reason=reason))
                continue
            able.append(
                Worker(Assignment(peer, work, precision, settings.threads, settings.scratch))
            )
    return able, declined


def _compare(settings: Settings, engines: Engines) -> int:
    titles = [peers.title(peer) for peer in settings.peers]
    described = _described(settings)
    machine = None
    if settings.roofline:
        _say("measuring the machine")
        machine = Machine(settings.roofline, settings.threads)
    results: list[Result] = []
    for work in settings.work:
        able, declined = _contenders(settings, engines, work)
        watch = machine.watch if machine else lambda: None
        results.append(measure(work, able, declined, settings.rounds, _say, watch=watch))
        if machine:
            programs = [Kobolt(engines, work, p, settings.threads) for p in settings.precisions]
            machine.end_of(work.name, {p.precision: p.phases() for p in programs})
            described["ceilings"] = dataclasses.asdict(machine.most)
            described["typical"] = {
                name: dataclasses.asdict(rates) for name, rates in machine.typical.items()
            }
        # What is there so far: a comparison may be stopped at any time.
        made = table.build(results, titles, peers.BASELINE, machine)
        _write(settings.json, json.dumps(to_json(results, described), indent=1) + "\n")
        _write(settings.markdown, table.as_markdown(made))
        if len(results) < len(settings.work):
            _say("\n" + table.as_text(made))
        else:
            print(table.as_text(made), end="", flush=True)
    failed = [s for r in results for s in r.series if s.engine == KOBOLT and not s.stands]
    return 1 if failed else 0


def _footprint(settings: Settings, engines: Engines) -> int:
    found: dict[str, footprint.Footprint] = {}
    for precision in settings.precisions:
        found[precision] = footprint.measure(
            engines, settings.checkpoint, precision, settings.threads
        )
        print(footprint.as_text({precision: found[precision]}), end="", flush=True)
    raw = {precision: dataclasses.asdict(one) for precision, one in found.items()}
    _write(settings.json, json.dumps(raw, indent=1) + "\n")
    return 0


def main(argv: Sequence[str]) -> int:
    """Exit status: 0 done, 1 Kobolt failed or did less than the work, 2 wrong use."""
    settings = arguments.parse(argv)
    settings.scratch.mkdir(parents=True, exist_ok=True)
    engines = Engines(settings.kobolt, settings.scratch)
    try:
        return (_footprint if settings.footprint else _compare)(settings, engines)
    except (ProgramError, ValueError, OSError, subprocess.CalledProcessError) as error:
        _say(f"compare: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
