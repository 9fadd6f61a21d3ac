"""``azmdr terraform``: what is shown, what was refused, what is approved."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from azmdr.cli import main
from azmdr.inventory.customers import CustomerState
from azmdr.store.database import Store
from terraform_gen.event_hub_mapping import MappingSettings, propose, update_placements
from terraform_gen.guard import Patience
from terraform_gen.mapping_file import read
from terraform_gen.placement import NewShards
from tests.terraform_gen.inventories import add, becomes
from tests.terraform_gen.mappings import INGEST

SETTINGS = MappingSettings(INGEST, NewShards(), Patience(timedelta(0), timedelta(0)), 0, timedelta(days=1))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    monkeypatch.setenv("AZMDR_STORE_URL", url)
    monkeypatch.chdir(tmp_path)
    opened = Store.open(url)
    yield opened
    opened.close()


def azmdr(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["terraform", *arguments])


def refused_digest(store: Store) -> str:
    now = datetime.now(UTC)
    add(store, "contoso")
    update_placements(store, SETTINGS, now)
    text = propose(store, SETTINGS, now, None).text
    becomes(store, "contoso", CustomerState.GONE)
    update_placements(store, SETTINGS, now, text)
    proposal = propose(store, SETTINGS, now, text)
    assert not proposal.verdict.allowed
    return proposal.verdict.digest


def test_the_file_is_printed_as_it_would_be_committed(store: Store) -> None:
    add(store, "contoso")
    update_placements(store, SETTINGS, datetime.now(UTC))
    done = azmdr("show")
    assert done.exit_code == 0
    assert [each.customer for each in read(done.output).mapping.placements] == ["contoso"]


def test_what_a_repository_begins_with_is_laid_out_once_and_what_people_changed_stays(tmp_path: Path) -> None:
    assert "files written" in azmdr("starter", str(tmp_path / "infra")).output
    (tmp_path / "infra" / "main.tf").write_text("# ours\n")
    (tmp_path / "infra" / "outputs.tf").unlink()
    assert azmdr("starter", str(tmp_path / "infra")).output == f"{tmp_path / 'infra'}: 1 files written\n"
    assert (tmp_path / "infra" / "main.tf").read_text() == "# ours\n"


def test_a_refused_removal_is_listed_and_can_be_approved_by_its_digest(store: Store) -> None:
    digest = refused_digest(store)
    assert digest in azmdr("refused").output
    approved = azmdr("approve", digest)
    assert approved.exit_code == 0
    assert "contoso in eastus, shard 01" in approved.output
    (told,) = json.loads(azmdr("refused", "--json").output)
    assert told["digest"] == digest
    assert told["approved_at"] is not None


@pytest.mark.usefixtures("store")
def test_a_digest_nobody_refused_is_told_in_a_line() -> None:
    done = azmdr("approve", "0123456789abcdef")
    assert done.exit_code == 1
    assert "no removal of this digest was refused" in done.output
    assert "Traceback" not in done.output


@pytest.mark.usefixtures("store")
def test_where_nothing_was_refused_it_says_so() -> None:
    assert azmdr("refused").output == "No removal of an event hub was refused.\n"
    assert json.loads(azmdr("refused", "--json").output) == []
