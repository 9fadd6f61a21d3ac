"""``python -m bench.condense``: what condensing costs, beside well-written alternatives.

Every row is a process of its own, start-up and all, measured by the operating system: CPU seconds of user
and system together, and the peak of memory. Rounds are interleaved, so that what else the machine does
meets all rows alike; told is the median. Each row must come to the same number of operations and records.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import click

from bench.baselines import BASELINES
from bench.captures import write_captures

_NEEDS: Final = {"orjson": "orjson", "polars": "polars", "duckdb": "duckdb", "pandas": "pandas"}
GOALS: Final[dict[tuple[str, str], dict[str, float]]] = {
    ("plain", "azmdr ndjson"): {"json": 4.5, "orjson": 2.8, "polars": 4, "duckdb": 4, "pandas": 30},
    ("plain", "azmdr parquet"): {"json": 3},
    ("deflate", "azmdr ndjson"): {"json": 3.6},
    ("strange", "azmdr ndjson"): {"json": 4.5 * 0.85},
}
"""By file and way: how many times less CPU than a baseline we want to need."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process, measured."""

    cpu: float
    peak_mb: float
    groups: int
    records: int


@dataclass(slots=True)
class Row:
    """A way of doing it, and its runs."""

    command: list[str]
    runs: list[Run] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        """The median of its CPU seconds."""
        return statistics.median(run.cpu for run in self.runs)

    @property
    def peak_mb(self) -> float:
        """The median of its peaks of memory."""
        return statistics.median(run.peak_mb for run in self.runs)


def captures(folder: Path, **shape: Any) -> list[Path]:
    """Capture files, made by a process of their own: a child's peak of memory begins with its parent's."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(partial(write_captures, folder, **shape))


class DisagreementError(RuntimeError):
    """Two ways did not come to the same, so nothing can be said of their speed."""


def measured(command: Sequence[str]) -> Run:
    """Run a command whose last line is a JSON object with what it counted."""
    # An installed program is compiled once, so no run pays for it, and none for more threads than cores here.
    environment = {**os.environ, "POLARS_MAX_THREADS": "2"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        told = process.stdout.read() if process.stdout else b""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    counts = json.loads(told)
    return Run(
        used.ru_utime + used.ru_stime,
        used.ru_maxrss / 1024,
        counts.get("groups", counts.get("operations", 0)),
        counts.get("records", 0),
    )


def rows_for(files: Sequence[Path], out: Path, baselines: Sequence[str]) -> dict[str, Row]:
    """The ways to condense some files; the baselines take one only."""
    azmdr = [sys.executable, "-m", "azmdr", "condense", *map(str, files), "--json", "--out"]
    rows = {
        "azmdr ndjson": Row([*azmdr, str(out / "ndjson"), "--format", "ndjson"]),
        "azmdr parquet": Row([*azmdr, str(out / "lake")]),
    }
    for name in baselines:
        target = str(out / f"{name}.ndjson.zst")
        rows[name] = Row([sys.executable, "-m", "bench.baselines", name, str(files[0]), target])
    return rows


def interleave(rows: dict[str, Row], out: Path, rounds: int) -> None:
    """Run every row once a round, and hold each against the others."""
    for number in range(rounds):
        for name, row in rows.items():
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir(parents=True)
            row.runs.append(measured(row.command))
            click.echo(f"round {number + 1} of {rounds}: {name} {row.runs[-1].cpu:.3f} s", err=True)
    counted = {
        name: (row.runs[0].groups, row.runs[0].records) for name, row in rows.items() if row.runs[0].records
    }
    if len(set(counted.values())) > 1:
        raise DisagreementError(f"operations and records differ: {counted}")


def table(kind: str, rows: dict[str, Row]) -> list[str]:
    """What was measured, in lines of Markdown."""
    first = next(iter(rows.values())).runs[0]
    lines = [
        "",
        f"**{kind}**: {first.records:,} records, {first.groups:,} operations",
        "",
        "| way | CPU s | spread | peak MB | azmdr ndjson needs | azmdr parquet needs |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    ours = [rows[name].cpu for name in ("azmdr ndjson", "azmdr parquet")]
    for name, row in rows.items():
        costs = sorted(run.cpu for run in row.runs)
        times = " | ".join(f"{row.cpu / cost:.2f}x less" for cost in ours)
        lines.append(
            f"| {name} | {row.cpu:.3f} | {costs[0]:.2f} to {costs[-1]:.2f} | {row.peak_mb:.0f} | {times} |"
        )
    return lines


def judged(kind: str, rows: dict[str, Row]) -> list[str]:
    """How far the goals are met."""
    lines = []
    for (of, way), goals in GOALS.items():
        for name, goal in goals.items():
            if of == kind and name in rows:
                ratio = rows[name].cpu / rows[way].cpu
                said = "met" if ratio >= goal else "missed"
                lines.append(f"| {kind}: {way} against {name} | {goal:g}x | {ratio:.2f}x | {said} |")
    return lines


@click.command()
@click.option("--folder", default=".bench", type=click.Path(path_type=Path), help="Where files are kept.")
@click.option("--megabytes", default=100.0, show_default=True, help="Of bodies in the one file.")
@click.option("--rounds", default=5, show_default=True)
@click.option(
    "--file", "given", type=click.Path(exists=True, path_type=Path), help="Measure this file instead."
)
@click.option("--kind", "wanted", multiple=True, type=click.Choice(["plain", "deflate", "strange"]))
@click.option("--curves", is_flag=True, help="Also CPU and memory against size, and many small files.")
def main(
    folder: Path, megabytes: float, rounds: int, given: Path | None, wanted: tuple[str, ...], *, curves: bool
) -> None:
    """Measure, and print tables in Markdown."""
    folder = folder.absolute()
    out = folder / "out"
    all_of_them = [name for name in BASELINES if name not in _NEEDS or find_spec(_NEEDS[name])]
    lines: list[str] = []
    goals = ["", "| goal | wanted | measured | |", "| --- | --- | --- | --- |"]
    kinds = (
        {"plain": all_of_them, "deflate": ["json"], "strange": ["json"]}
        if given is None
        else {"plain": all_of_them}
    )
    for kind, baselines in kinds.items():
        if wanted and kind not in wanted:
            continue
        codec = "deflate" if kind == "deflate" else "null"
        made = (
            [given]
            if given
            else captures(folder, megabytes=megabytes, codec=codec, strange=kind == "strange")
        )
        rows = rows_for(made, out, baselines)
        interleave(rows, out, rounds)
        lines += table(kind, rows)
        goals += judged(kind, rows)
    if curves:
        lines += curve(folder, out, rounds)
    click.echo("\n".join([*lines, *goals]))


def curve(folder: Path, out: Path, rounds: int) -> list[str]:
    """CPU and memory against the size of one file, and against the number of small ones."""
    lines = ["", "| input | CPU s | CPU ms a MB or a file | peak MB |", "| --- | --- | --- | --- |"]
    idle = Row([sys.executable, "-c", "print('{}')"])
    interleave({"idle interpreter": idle}, out, 1)
    lines.append(f"| idle interpreter | {idle.cpu:.3f} | | {idle.peak_mb:.0f} |")
    for size in (1, 10, 100, 500):
        row = rows_for(captures(folder, megabytes=size), out, ())["azmdr ndjson"]
        interleave({f"{size} MB": row}, out, min(rounds, 3))
        lines.append(
            f"| one file of {size} MB | {row.cpu:.3f} | {1000 * row.cpu / size:.1f} | {row.peak_mb:.0f} |"
        )
    for count in (1, 100, 1000):
        files = captures(folder / "small", megabytes=0.066, files=count)
        row = rows_for(files, out, ())["azmdr ndjson"]
        row.command.append("--each")
        interleave({f"{count} files": row}, out, min(rounds, 3))
        each = 1000 * row.cpu / count
        lines.append(
            f"| {count} files of 66 KB, an output each | {row.cpu:.3f} | {each:.2f} | {row.peak_mb:.0f} |"
        )
    return lines


if __name__ == "__main__":
    main()
