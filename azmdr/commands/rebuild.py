"""``azmdr rebuild``: the records an output was made of, byte for byte, and proof of it."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from azmdr.commands.settings import max_body_bytes
from azmdr.condense.output import NotAnOutputError, Output
from azmdr.condense.rebuild import Comparison, Tally, compare
from azmdr.condense.rebuild import rebuild as rebuild_output


@click.command()
@click.argument("output", metavar="FILE", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out",
    metavar="PATH",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the records go, one a line; the terminal, unless --against is given.",
)
@click.option(
    "--against",
    "captures",
    metavar="CAPTURE_FILE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Compare with the capture files it was made of; may be given often.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object.")
def rebuild(output: Path, out: Path | None, captures: tuple[Path, ...], *, as_json: bool) -> None:
    """Give back every record FILE was made of, byte for byte, with their number and their digest.

    FILE is what `azmdr condense` or the condensing step wrote: a file of lines, a Parquet file of the lake,
    or a folder with these. The digest is the same for everything that holds the same records. With --against
    it ends with 1 where a record is missing or beyond those captured, and names the first.
    """
    try:
        held = Output(output)
        with _opened(out, printed=not captures) as into:
            rebuilt = rebuild_output(held, into)
        told = compare(held, rebuilt, captures, max_body_bytes=max_body_bytes()) if captures else None
    except BrokenPipeError:  # Whoever reads the records has enough of them; click ends quietly.
        raise
    except (NotAnOutputError, OSError) as error:
        raise click.ClickException(str(error)) from error
    # Beside records on the terminal, what is said of them must not be one of their lines.
    beside = out is None and told is None
    click.echo(json.dumps(_counts(rebuilt, told)) if as_json else _sentences(rebuilt, told), err=beside)
    if told is not None and told.difference is not None:
        raise SystemExit(1)


@contextmanager
def _opened(out: Path | None, *, printed: bool) -> Iterator[BinaryIO | None]:
    if out is not None:
        with out.open("wb") as file:
            yield file
    else:
        yield sys.stdout.buffer if printed else None
        sys.stdout.flush()


def _counts(rebuilt: Tally, told: Comparison | None) -> dict[str, object]:
    counts: dict[str, object] = {
        "records": rebuilt.records,
        "distinct": rebuilt.distinct,
        "digest": rebuilt.digest,
    }
    if told is None:
        return counts
    captured = told.captured
    return {
        **counts,
        "captured": {
            "records": captured.records,
            "distinct": captured.distinct,
            "digest": captured.digest,
        },
        "equal": told.difference is None,
        "difference": told.difference,
    }


def _sentences(rebuilt: Tally, told: Comparison | None) -> str:
    said = [f"rebuilt: {_sentence(rebuilt)}"]
    if told is None:
        return said[0]
    said.append(f"captured: {_sentence(told.captured)}")
    if told.difference is not None:
        said.append(f"different: {told.difference}")
    elif rebuilt.records == told.captured.records:
        said.append("equal: every record, as often as it came, byte for byte")
    else:
        said.append("equal: every record, byte for byte; a lake does not keep how often each came")
    return "\n".join(said)


def _sentence(tally: Tally) -> str:
    return f"{tally.records:,} records, {tally.distinct:,} of them distinct, digest {tally.digest}"
