from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, inspect, make_url, text

from tests import postgres_server
from tests.postgres_server import PostgresServer, PostgresUnavailableError, running_postgres
from tests.shared_samples import shared_folder


def test_two_databases_of_one_server_know_nothing_of_each_other(postgres: PostgresServer) -> None:
    with postgres.fresh_database() as first, postgres.fresh_database() as second:
        with create_engine(first).begin() as connection:
            connection.execute(text("CREATE TABLE seen (id int)"))
        assert inspect(create_engine(first)).get_table_names() == ["seen"]
        assert inspect(create_engine(second)).get_table_names() == []


def test_a_database_is_gone_afterwards_even_with_a_client_still_connected(postgres: PostgresServer) -> None:
    with postgres.fresh_database() as url:
        client = create_engine(url).connect()
    client.invalidate()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))


def test_a_given_server_is_used_and_not_stopped(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(postgres_server.URL_VARIABLE, postgres.url.render_as_string(hide_password=False))
    with running_postgres() as given:
        assert given == postgres
    with postgres.fresh_database():
        pass


def test_without_a_server_the_reason_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(postgres_server.URL_VARIABLE, raising=False)
    monkeypatch.setattr(postgres_server, "_program_folders", lambda: iter(()))
    with pytest.raises(PostgresUnavailableError, match="install the package postgresql"), running_postgres():
        pass


def test_the_samples_are_found_beside_the_repository_and_only_there(tmp_path: Path) -> None:
    repository = tmp_path / "azmdr"
    assert shared_folder(repository) is None
    (tmp_path / "shared" / "samples").mkdir(parents=True)
    assert shared_folder(repository) == tmp_path / "shared"
