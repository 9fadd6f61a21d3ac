"""A throw-away PostgreSQL server for tests, or the one ``TEST_POSTGRES_URL`` names.

The cluster lives in a temporary folder, listens on a unix socket only and trusts whoever may enter there. It
gives up durability for speed, so nothing about crash safety of the disk can be learnt from it. PostgreSQL
refuses to run as root; there it runs as an unprivileged user.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import psycopg
from sqlalchemy import URL, make_url

URL_VARIABLE: Final = "TEST_POSTGRES_URL"
"""Names a server to use instead; its user must be allowed to create databases."""

_UNPRIVILEGED: Final = ("postgres", "nobody")
_READY_WITHIN: Final = 30.0
_FAST_NOT_SAFE: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresUnavailableError(Exception):
    """This machine has no PostgreSQL server to test with; the message says what is missing."""


class PostgresStartError(Exception):
    """The PostgreSQL programs are here but the server doesn't come up; the message ends with its log."""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server. ``url`` is that of its maintenance database, scheme ``postgresql+psycopg``."""

    url: URL

    @contextmanager
    def fresh_database(self) -> Iterator[str]:
        """The URL of a new, empty database; dropped at the end, whoever is still connected."""
        name = f"azmdr_{uuid.uuid4().hex}"
        self._administer(f'CREATE DATABASE "{name}"')
        try:
            yield self.url.set(database=name).render_as_string(hide_password=False)
        finally:
            self._administer(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _administer(self, statement: str) -> None:
        with psycopg.connect(_libpq(self.url), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A server for as long as the block lasts.

    Raises:
        PostgresUnavailableError: neither a URL nor the server's programs are here.
        PostgresStartError: the programs are here, but the server doesn't come up.
    """
    if given := os.environ.get(URL_VARIABLE):
        yield PostgresServer(make_url(given).set(drivername="postgresql+psycopg"))
        return
    programs, account = _server_programs(), _server_account()
    folder = Path(tempfile.mkdtemp(prefix="azmdr-pg-"))
    try:
        if account.uid is not None:
            os.chown(folder, account.uid, -1)
        _create_cluster(programs, folder, account)
        with _server_of(programs, folder, account) as server:
            yield server
    finally:
        shutil.rmtree(folder)


class _Account(NamedTuple):
    """Whom to run the server as; all None means as whoever runs the tests."""

    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] | None = None


def _create_cluster(programs: Path, folder: Path, account: _Account) -> None:
    how = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"]
    done = subprocess.run(
        [programs / "initdb", "--pgdata", folder / "data", *how],
        cwd=folder,
        user=account.uid,
        group=account.gid,
        extra_groups=account.groups,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise PostgresStartError(f"initdb in {folder} failed:\n{done.stdout}{done.stderr}")


@contextmanager
def _server_of(programs: Path, folder: Path, account: _Account) -> Iterator[PostgresServer]:
    options = [word for setting in ("listen_addresses=", *_FAST_NOT_SAFE) for word in ("-c", setting)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", "-k", folder, *options],
            cwd=folder,
            user=account.uid,
            group=account.gid,
            extra_groups=account.groups,
            stdout=log,
            stderr=log,
        )
    try:
        url = URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(folder)})
        _wait_until_ready(process, url, folder / "server.log")
        yield PostgresServer(url)
    finally:
        _stop(process)


def _wait_until_ready(process: subprocess.Popen[bytes], url: URL, log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(psycopg.OperationalError):
            psycopg.connect(_libpq(url)).close()
            return
        time.sleep(0.05)
    raise PostgresStartError(f"PostgreSQL was not ready within {_READY_WITHIN:.0f} s:\n{log.read_text()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown: it doesn't wait for clients
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _server_programs() -> Path:
    """The folder that holds both initdb and postgres, the newest where a machine has several."""
    for folder in _program_folders():
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    raise PostgresUnavailableError(
        f"no PostgreSQL server on this machine: install the package postgresql or set {URL_VARIABLE}"
    )


def _program_folders() -> Iterator[Path]:
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(versions, key=lambda folder: float(folder.parent.name), reverse=True)
    if shutil.which("pg_config"):
        answer = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True)
        yield Path(answer.stdout.strip())
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent


def _server_account() -> _Account:
    if os.geteuid() != 0:
        return _Account()
    for entry in pwd.getpwall():
        if entry.pw_name in _UNPRIVILEGED:
            return _Account(entry.pw_uid, entry.pw_gid, groups=())
    raise PostgresUnavailableError(f"PostgreSQL can't run as root and none of {_UNPRIVILEGED} is a user here")


def _libpq(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
