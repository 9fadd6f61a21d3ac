"""``python -m bench.condense``: what condensing costs, beside well-written alternatives.

Every row is a process of its own, start-up and all, measured by the operating system: CPU seconds of user
and system together, and the peak of memory. Rounds are interleaved, so that what else the machine does
meets all rows alike; told is the median. Each row must come to the same number of operations and records.
With ``--curves`` also what it costs against the size of a file, the operations open at once and the number
of files: a table, and a plot in ``docs/condensing-costs.svg``.
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
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import click

from bench.baselines import BASELINES
from bench.captures import write_captures, write_open_operations
from bench.plot import Curve, write_plot

REPOSITORY: Final = Path(__file__).parents[1]
REFERENCE: Final = REPOSITORY.parent / "shared" / "bench" / "gen.py"
"""The reference generator, which is not part of this repository; where it is not there, ours stands in."""
PLOT: Final = REPOSITORY / "docs" / "condensing-costs.svg"
_NEEDS: Final = {"orjson": "orjson", "polars": "polars", "duckdb": "duckdb", "pandas": "pandas"}
GOALS: Final[dict[tuple[str, str], dict[str, float]]] = {
    ("plain", "azmdr ndjson"): {"json": 4.5, "orjson": 2.8, "polars": 4, "duckdb": 4, "pandas": 30},
    ("plain", "azmdr parquet"): {"json": 3},
    ("deflate", "azmdr ndjson"): {"json": 3.6},
    ("strange", "azmdr ndjson"): {"json": 4.5 * 0.85},
}
"""By file and way: how many times less CPU than a baseline we want to need."""


ABOVE_IDLE_MB: Final = 96
SMALL_FILE_MS: Final = 0.9


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
    if REFERENCE.exists() and find_spec("orjson") and not shape.get("strange"):
        return _reference_captures(folder, **shape)
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(partial(write_captures, folder, **shape))


def _open_operations(folder: Path, records: int, operations: int) -> Path:
    with get_context("spawn").Pool(1) as pool:
        made = partial(write_open_operations, folder, records=records, operations=operations)
        return pool.apply(made)


def _reference_captures(
    folder: Path, *, megabytes: float, files: int = 1, codec: str = "null", strange: bool = False
) -> list[Path]:
    made = folder / f"reference-{megabytes:g}MB-{codec}-{files}{'-strange' * strange}"
    if len(list(made.glob("*.avro"))) < files:
        made.mkdir(parents=True, exist_ok=True)
        shape = ["--mb", str(megabytes), "--files", str(files), "--codec", codec]
        subprocess.run([sys.executable, str(REFERENCE), *shape, "--out", str(made)], check=True)
    return sorted(made.glob("*.avro"))


_PLACES: Final = count()


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
    """The ways to condense some files; the baselines take one. ``{}`` is a run's own place."""
    azmdr = [sys.executable, "-m", "azmdr", "condense", *map(str, files), "--json", "--out"]
    rows = {
        "azmdr ndjson": Row([*azmdr, str(out / "{}"), "--format", "ndjson"]),
        "azmdr parquet": Row([*azmdr, str(out / "{}")]),
    }
    for name in baselines:
        target = str(out / "{}.ndjson.zst")
        rows[name] = Row([sys.executable, "-m", "bench.baselines", name, str(files[0]), target])
    return rows


def interleave(rows: dict[str, Row], out: Path, rounds: int) -> None:
    """Run every row once a round, and hold each against the others."""
    # Nothing is removed in between: a file system looks long for places of files that are just gone.
    for number in range(rounds):
        for name, row in rows.items():
            out.mkdir(parents=True, exist_ok=True)
            place = f"{next(_PLACES)}"
            row.runs.append(measured([part.replace("{}", place) for part in row.command]))
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
        lines += curves_of(folder, out, min(rounds, 3))
        goals += _memory_and_small_files(folder, out)
    click.echo("\n".join([*lines, *goals]))
    shutil.rmtree(out, ignore_errors=True)


def _idle_mb() -> float:
    """The peak of an interpreter that does nothing, by its own word: the system's begins with our peak."""
    command = [sys.executable, "-c", "print(open('/proc/self/status').read())"]
    status = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (peak,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(peak) / 1024


def _memory_and_small_files(folder: Path, out: Path) -> list[str]:
    """The goals that are no comparison: memory of a large file in either codec, and a small file's share."""
    idle_mb = _idle_mb()
    lines = []
    for codec in ("null", "deflate"):
        row = rows_for(captures(folder, megabytes=500, codec=codec), out, ())["azmdr ndjson"]
        interleave({f"500 MB, {codec}": row}, out, 1)
        above = row.peak_mb - idle_mb
        said = "met" if above <= ABOVE_IDLE_MB else "missed"
        lines.append(
            f"| one file of 500 MB, {codec}: above idle | {ABOVE_IDLE_MB} MB | {above:.0f} MB | {said} |"
        )
    files = captures(folder, megabytes=0.066, files=1000)
    row = rows_for(files, out, ())["azmdr ndjson"]
    row.command.append("--each")
    interleave({"1000 files": row}, out, 3)
    each = row.cpu
    size = sum(file.stat().st_size for file in files) // len(files) // 1000
    said = "met" if each <= SMALL_FILE_MS else "missed"
    lines.append(f"| 1,000 files, {size} KB as made: each | {SMALL_FILE_MS} ms | {each:.2f} ms | {said} |")
    return lines


def curves_of(folder: Path, out: Path, rounds: int) -> list[str]:
    """CPU and memory against the size of a file, the operations open at once, the number of files."""
    lines = ["", "| input, to NDJSON | CPU s | CPU ms for each | peak MB |", "| --- | --- | --- | --- |"]
    lines.append(f"| idle interpreter | | | {_idle_mb():.0f} |")
    curves = []
    for title, unit, points in _curve_points(folder):
        rows = {name: rows_for(files, out, ())["azmdr ndjson"] for name, _, files in points}
        for name, _, files in points:
            rows[name].command += ["--each"] if len(files) > 1 else []
        # Rows of one curve differ on purpose, so they are not held against each other.
        for name, row in rows.items():
            interleave({name: row}, out, rounds)
        for name, amount, _ in points:
            each = 1000 * rows[name].cpu / amount
            lines.append(f"| {name} | {rows[name].cpu:.3f} | {each:.3g} {unit} | {rows[name].peak_mb:.0f} |")
        curves.append(Curve(title, [(amount, rows[name].cpu) for name, amount, _ in points]))
    write_plot(PLOT, curves, "CPU seconds")
    return lines


_Point = tuple[str, float, list[Path]]


def _curve_points(folder: Path) -> list[tuple[str, str, list[_Point]]]:
    """For each curve: what it is against, each unit of it, and its points: name, how many units, files."""
    sizes: list[_Point] = [
        (f"one file of {size} MB", size, captures(folder, megabytes=size)) for size in (1, 10, 100, 500)
    ]
    held: list[_Point] = [
        (
            f"20,000 records of {operations:,} operations",
            operations,
            [_open_operations(folder, 20_000, operations)],
        )
        for operations in (200, 2_000, 10_000, 20_000)
    ]
    many: list[_Point] = [
        (f"{files:,} files of 66 KB, an output each", files, captures(folder, megabytes=0.066, files=files))
        for files in (1, 10, 100, 1000)
    ]
    return [
        ("megabytes of one file", "a MB", sizes),
        ("operations open at once, 20,000 records", "an operation", held),
        ("files of 66 KB", "a file", many),
    ]


if __name__ == "__main__":
    main()
