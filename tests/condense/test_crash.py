"""What a crash costs: nothing. Killed at any boundary, the next run brings the same tables about."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from azmdr.store.state_size import StateSize, state_sizes
from tests.condense.capture_files import CUSTOMER
from tests.condense.crashing_step import LATER, run, scenario
from tests.condense.workbench import Workbench
from tests.postgres_server import PostgresServer
from tests.shared_samples import REPOSITORY

SURVIVED = 0
AT_ONCE = 2


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("undisturbed")
    bench = Workbench(f"sqlite:///{folder}/store.db", folder / "lake")
    run(bench)
    with bench.store.read() as connection:
        assert state_sizes(connection)[CUSTOMER] == StateSize(closed_operations=2)
    return bench.tables()


def killed_at(boundary: int, url: str, folder: Path) -> int:
    """Runs the step in a process that kills itself there; returns how the process ended."""
    command = [sys.executable, "-m", "tests.condense.crashing_step", url, str(folder), str(boundary)]
    return subprocess.run(command, cwd=REPOSITORY, check=False, capture_output=True).returncode


def assert_made_good(url: str, folder: Path, undisturbed: tuple[str, str]) -> None:
    bench = Workbench(url, folder)
    bench.now += LATER
    bench.arrive(*scenario())
    bench.finish()
    assert bench.tables() == undisturbed
    bench.compact()
    assert bench.tables() == undisturbed
    assert [row.completions for row in bench.ledger_rows()] == [1, 1, 1]
    assert bench.states() == {"done": 3}
    bench.assert_conserved()
    bench.store.close()


def die_everywhere(folder: Path, every: int = 1) -> Iterator[tuple[int, str, Path, int]]:
    """Processes killed at the first boundary, the next but so many, and so on until one survives."""

    def one(boundary: int) -> tuple[int, str, Path, int]:
        own = folder / str(boundary)
        own.mkdir()
        url = f"sqlite:///{own}/store.db"
        return boundary, url, own / "lake", killed_at(boundary, url, own / "lake")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for first in count(1, AT_ONCE * every):
            ended = list(pool.map(one, range(first, first + AT_ONCE * every, every)))
            yield from ended
            if ended[-1][3] == SURVIVED:
                return


def check_deaths(folder: Path, undisturbed: tuple[str, str], every: int) -> int:
    deaths = 0
    for boundary, url, lake, ended in die_everywhere(folder, every):
        assert ended in (-signal.SIGKILL, SURVIVED), boundary
        deaths += ended == -signal.SIGKILL
        assert_made_good(url, lake, undisturbed)
    return deaths


def test_a_run_killed_here_and_there_is_made_good_by_the_next(
    tmp_path: Path, undisturbed: tuple[str, str]
) -> None:
    assert check_deaths(tmp_path, undisturbed, every=11) > 9


@pytest.mark.soak
def test_a_run_killed_at_any_moment_is_made_good_by_the_next(
    tmp_path: Path, undisturbed: tuple[str, str]
) -> None:
    assert check_deaths(tmp_path, undisturbed, every=1) > 110


@pytest.mark.parametrize("boundary", [2, 20, 61, 79])
def test_a_run_killed_on_postgresql_is_made_good_by_the_next(
    postgres: PostgresServer, tmp_path: Path, undisturbed: tuple[str, str], boundary: int
) -> None:
    with postgres.fresh_database() as url:
        assert killed_at(boundary, url, tmp_path / "lake") == -signal.SIGKILL
        assert_made_good(url, tmp_path / "lake", undisturbed)
