"""A commit of the mapping is thought out from what the branch has, and from nothing older."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from azmdr.inventory.customers import CustomerState
from azmdr.store.database import Store
from terraform_gen.event_hub_commit import commit_mapping
from terraform_gen.event_hub_mapping import propose, update_placements
from terraform_gen.mapping_file import MappingFileError, read
from terraform_gen.repository import CommitResult, Mode, Outcome, Proposal, Repository, StaleProposalError
from tests.terraform_gen.committing.workbench import PATH, TEXT, Workbench
from tests.terraform_gen.inventories import DAY, NOW, SETTINGS, add, becomes


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    opened.close()


@dataclass
class At:
    """A clock that stands."""

    time: datetime

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


@dataclass
class Overtaken:
    """A repository to which others commit between a read and what comes of it."""

    inner: Repository
    meanwhile: Callable[[], object]
    times: int = 1

    def read(self, path: str) -> str | None:
        text = self.inner.read(path)
        if self.times:
            self.times -= 1
            self.meanwhile()
        return text

    def commit(self, proposal: Proposal) -> CommitResult:
        return self.inner.commit(proposal)


def customers(bench: Workbench) -> set[str]:
    return {each.customer for each in read(bench.text()).mapping.placements}


def test_a_proposal_is_not_committed_onto_what_it_was_not_made_from(bench: Workbench) -> None:
    bench.push({PATH: "theirs\n"})
    stale = Proposal({PATH: TEXT}, "Add", "", based_on={PATH: None})
    with pytest.raises(StaleProposalError, match=PATH):
        bench.repository().commit(stale)
    assert bench.text() == "theirs\n"
    fresh = Proposal({PATH: TEXT}, "Add", "", based_on={PATH: "theirs\n"})
    assert bench.repository().commit(fresh).outcome is Outcome.COMMITTED
    assert bench.repository().commit(stale).outcome is Outcome.UNCHANGED, "it has what is wanted"


def test_a_hub_another_run_committed_meanwhile_is_not_taken_away(bench: Workbench, store: Store) -> None:
    add(store, "contoso")
    update_placements(store, SETTINGS, NOW)

    def another_run() -> None:
        add(store, "fabrikam")
        update_placements(store, SETTINGS, NOW)
        commit_mapping(store, SETTINGS, bench.repository(), PATH, At(NOW))

    done = commit_mapping(store, SETTINGS, Overtaken(bench.repository(), another_run), PATH, At(NOW))
    assert done.result.outcome is Outcome.UNCHANGED
    assert customers(bench) == {"contoso", "fabrikam"}


def test_what_somebody_changes_by_hand_meanwhile_is_left_as_it_is(bench: Workbench, store: Store) -> None:
    add(store, "contoso")
    update_placements(store, SETTINGS, NOW)
    overtaken = Overtaken(bench.repository(), lambda: bench.push({PATH: "mine\n"}))
    with pytest.raises(MappingFileError):
        commit_mapping(store, SETTINGS, overtaken, PATH, At(NOW))
    assert bench.text() == "mine\n"


def test_who_is_overtaken_each_time_gives_up_and_says_so(bench: Workbench, store: Store) -> None:
    add(store, "contoso")
    update_placements(store, SETTINGS, NOW)
    first = propose(store, SETTINGS, NOW, None).text
    second = first.replace("contoso", "fabrikam")
    versions = itertools.cycle([first, second])
    add(store, "tailwind")
    update_placements(store, SETTINGS, NOW)
    overtaken = Overtaken(bench.repository(), lambda: bench.push({PATH: next(versions)}), times=9)
    with pytest.raises(StaleProposalError, match="was changed meanwhile"):
        commit_mapping(store, SETTINGS, overtaken, PATH, At(NOW))


def test_a_removal_is_forgotten_when_its_pull_request_is_merged_and_not_before(
    bench: Workbench, store: Store
) -> None:
    for name in ("contoso", "fabrikam"):
        add(store, name)
    update_placements(store, SETTINGS, NOW)
    commit_mapping(store, SETTINGS, bench.repository(), PATH, At(NOW))
    becomes(store, "fabrikam", CustomerState.GONE)
    update_placements(store, SETTINGS, NOW)
    later = At(NOW + 2 * DAY)
    opened = commit_mapping(store, SETTINGS, bench.repository(Mode.PULL_REQUEST), PATH, later)
    assert opened.result.outcome is Outcome.OPENED
    placed = update_placements(store, SETTINGS, later.now(), bench.text()).mapping
    assert {each.customer for each in placed.placements} == {"contoso", "fabrikam"}
    bench.push({PATH: opened.proposal.text}, "As somebody merges it")
    commit_mapping(store, SETTINGS, bench.repository(Mode.PULL_REQUEST), PATH, later)
    placed = update_placements(store, SETTINGS, later.now(), bench.text()).mapping
    assert {each.customer for each in placed.placements} == {"contoso"}
