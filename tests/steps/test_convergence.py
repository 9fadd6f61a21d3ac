"""Convergence: from any mess, through any faults, the steps bring Azure to what it should be, and stay there.

A case is a world full of things gone wrong and a schedule of runs, faults, deaths, overlaps and changes, all
of it from one seed. What must hold is in :mod:`tests.steps.campaign`; how a case comes about in
:mod:`tests.steps.schedule` and :mod:`tests.steps.world`. A case that fails is told by its seed and in the
least form that fails as well.
"""

import gc
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from azmdr.store.database import Store
from tests.soak_bounds import SoakBounds
from tests.steps.campaign import problem_of, told_of
from tests.steps.schedule import seeded_case

QUICK = 100
ON_POSTGRES = 8


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One database for all cases, emptied in between; in memory where the machine has a folder for that."""
    shared = Path("/dev/shm")  # noqa: S108 - not to share anything: a database there never waits for a disk
    folder = tmp_path_factory.mktemp("convergence")
    place = shared / f"convergence-{os.getpid()}.db" if shared.is_dir() else folder / "store.db"
    store = Store.open(f"sqlite:///{place}")
    yield store
    store.close()
    for left in place.parent.glob(f"{place.name}*"):
        left.unlink()


def assert_converges(seed: int, store: Store) -> None:
    case = seeded_case(seed)
    if problem_of(case, store) is not None:
        pytest.fail(told_of(case, store), pytrace=False)


def test_any_mess_converges_and_nothing_foreign_is_touched(sqlite: Store) -> None:
    for seed in range(QUICK):
        assert_converges(seed, sqlite)


def test_on_postgresql_too(postgres_url: str) -> None:
    store = Store.open(postgres_url)
    for seed in range(ON_POSTGRES):
        assert_converges(seed, store)
    store.close()


@pytest.mark.soak
def test_any_mess_converges_for_as_long_as_you_like(sqlite: Store, soak: SoakBounds) -> None:
    began, seeds = time.monotonic(), 0
    while time.monotonic() - began < 60 * soak.minutes:
        assert_converges(soak.seed * 1_000_000 + seeds, sqlite)
        seeds += 1
        if seeds % 100 == 0:
            gc.collect()
    print(f"{seeds} cases from seed {soak.seed * 1_000_000} in {time.monotonic() - began:.0f} s")  # noqa: T201 - asked for
