"""What any test may ask for: Azurite, PostgreSQL, a state store's URL, the shared samples, the soak bounds.

Servers are real, started once a session and only when a test asks. A server that can't be had skips the
tests that need it, with the reason; one that is here but broken fails them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from lab.azurite import AzuriteServer
from tests.postgres_server import PostgresServer, PostgresUnavailableError, running_postgres
from tests.shared_samples import ABSENT, shared_folder
from tests.soak_bounds import SoakBounds, soak_bounds

# The same examples every time: what somebody else broke is for a soak to find.
settings.register_profile("default", deadline=None, max_examples=50, derandomize=True)
settings.register_profile("soak", deadline=None, max_examples=soak_bounds().examples)


SHARING: Final = {
    "tests/code_location/test_ui.py": "a running Dagster",
    "tests/code_location/test_daemon.py": "a running Dagster",
}
"""Files whose tests look at one server that takes a minute to have something to show."""


class _FilesTogether(LoadFileScheduling):  # type: ignore[misc]
    """Gives each file to one worker, and files that share a server to the same."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return SHARING.get(file, file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """How tests are spread over workers, when they are."""
    return _FilesTogether(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("soak" if config.getoption("markexpr") == "soak" else "default")


@pytest.fixture(scope="session")
def azurite() -> Iterator[AzuriteServer]:
    """A running Azurite that keeps everything in memory."""
    with AzuriteServer(folder=None) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL server."""
    try:
        with running_postgres() as server:
            yield server
    except PostgresUnavailableError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of this test's own."""
    with postgres.fresh_database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty state store: the test runs once on each database the product supports."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared sample records."""
    folder = shared_folder()
    if folder is None:
        pytest.skip(ABSENT)
    return folder


@pytest.fixture(scope="session")
def soak() -> SoakBounds:
    """The seed and the length of this soak."""
    return soak_bounds()
