"""Pull-request mode, as git and people see it."""

import threading

import pytest

from lab.azure.faults import Fault, FaultKind
from lab.azure.wire import Request
from lab.github.bare_repository import Signature
from lab.github.pull_requests import Merge, merge
from lab.github.world import PullRequest
from terraform_gen.github_calls import Patience
from terraform_gen.github_errors import GitHubError
from terraform_gen.repository import CommitResult, Mode, Outcome
from tests.terraform_gen.committing.workbench import (
    PATH,
    PROPOSAL,
    PROPOSING,
    TEXT,
    FaultAt,
    Workbench,
    proposal,
)

OTHER = proposal("# another\n", "Add 2 event hubs in 1 region")


def propose(bench: Workbench, what: object = PROPOSAL, patience: Patience | None = None) -> CommitResult:
    return bench.repository(Mode.PULL_REQUEST, patience=patience).commit(what)  # type: ignore[arg-type]  # a proposal


def pulls(bench: Workbench) -> list[PullRequest]:
    return list(bench.scene.repository.pulls.values())


def merge_it(bench: Workbench, method: str = "merge") -> None:
    person = bench.scene.person
    signed = Signature(person.login, person.signature_email, bench.scene.world.now())
    merge(bench.scene.repository, pulls(bench)[-1], Merge(person, signed, method, "Merge", ""))


def test_a_branch_and_a_pull_request_ask_for_the_content(bench: Workbench) -> None:
    result = propose(bench)
    (pull,) = pulls(bench)
    assert (result.outcome, result.changed) == (Outcome.OPENED, True)
    assert result.pull_request is not None
    assert (result.pull_request.number, result.pull_request.url) == (
        1,
        "https://github.com/contoso-soc/event-hubs/pull/1",
    )
    assert (pull.title, pull.body, pull.base, pull.head) == (PROPOSAL.title, PROPOSAL.body, "main", PROPOSING)
    assert bench.subjects() == ["Begin"]
    assert bench.subjects(PROPOSING) == [PROPOSAL.title, "Begin"]
    assert bench.text(PROPOSING) == TEXT
    assert "+    eastus" in result.diff
    bench.check_history(PROPOSING)


def test_the_same_again_waits_and_writes_nothing(bench: Workbench) -> None:
    opened = propose(bench)
    wrote = len(bench.door.writes())
    again = propose(bench)
    assert (again.outcome, again.changed, again.sha) == (Outcome.WAITING, False, opened.sha)
    assert again.pull_request == opened.pull_request
    assert len(bench.door.writes()) == wrote


def test_another_content_updates_the_open_one(bench: Workbench) -> None:
    propose(bench)
    bench.push({"review.md": "please\n"}, "A reviewer's", PROPOSING)
    result = propose(bench, OTHER)
    (pull,) = pulls(bench)
    assert result.outcome is Outcome.UPDATED
    assert (pull.title, pull.body, pull.head_sha) == (OTHER.title, OTHER.body, result.sha)
    assert bench.subjects(PROPOSING) == [OTHER.title, "A reviewer's", PROPOSAL.title, "Begin"]
    assert bench.text(PROPOSING, "review.md") == "please\n"
    bench.check_history(PROPOSING)


def test_after_the_merge_there_is_nothing_to_do(bench: Workbench) -> None:
    propose(bench)
    merge_it(bench)
    result = propose(bench)
    assert (result.outcome, result.pull_request) == (Outcome.UNCHANGED, None)
    assert bench.text() == TEXT


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_after_a_merge_the_next_content_is_a_pull_request_of_its_own(bench: Workbench, method: str) -> None:
    propose(bench)
    merge_it(bench, method)
    bench.push({"theirs.tf": "# later\n"}, "Later")
    result = propose(bench, OTHER)
    first, second = pulls(bench)
    assert (result.outcome, first.state, second.state) == (Outcome.OPENED, "closed", "open")
    assert bench.git("diff", "--name-only", f"main...{PROPOSING}").split() == [PATH]
    assert bench.git("merge-tree", "--write-tree", "main", PROPOSING)
    assert bench.text(PROPOSING, "theirs.tf") == "# later\n"


def test_one_that_a_person_closed_stays_closed(bench: Workbench) -> None:
    opened = propose(bench)
    pulls(bench)[0].close(bench.scene.world.now())
    wrote = len(bench.door.writes())
    result = propose(bench)
    assert (result.outcome, result.changed, result.sha) == (Outcome.DECLINED, False, opened.sha)
    assert result.pull_request == opened.pull_request
    assert len(bench.door.writes()) == wrote


def test_another_content_than_the_declined_one_is_asked_for(bench: Workbench) -> None:
    propose(bench)
    pulls(bench)[0].close(bench.scene.world.now())
    bench.push({"review.md": "no\n"}, "A reviewer's", PROPOSING)
    result = propose(bench, OTHER)
    assert result.outcome is Outcome.OPENED
    assert [pull.state for pull in pulls(bench)] == ["closed", "open"]
    assert bench.git("diff", "--name-only", f"main...{PROPOSING}").split() == [PATH]
    assert "A reviewer's" in bench.subjects(PROPOSING)


def test_one_that_is_no_longer_wanted_is_withdrawn_and_may_come_back(bench: Workbench) -> None:
    propose(bench)
    bench.push({PATH: OTHER.files[PATH]}, "By hand")
    result = propose(bench, OTHER)
    assert result.outcome is Outcome.WITHDRAWN
    assert pulls(bench)[0].state == "closed"
    assert "Withdrawn: `main` has what is wanted." in (pulls(bench)[0].body or "")
    assert propose(bench).outcome is Outcome.OPENED
    assert [pull.state for pull in pulls(bench)] == ["closed", "open"]


def test_a_conflict_with_the_branch_is_resolved_and_nothing_of_others_lost(bench: Workbench) -> None:
    bench.push({PATH: "a\nb\nc\n"}, "Before")
    propose(bench)
    bench.push({"review.md": "please\n", "README.md": None}, "A reviewer's", PROPOSING)
    bench.push({PATH: "x\ny\n", "theirs.tf": "# theirs\n"}, "Meanwhile")
    result = propose(bench)
    assert result.outcome is Outcome.UPDATED
    assert bench.text(PROPOSING) == TEXT
    assert bench.git("merge-tree", "--write-tree", "main", PROPOSING)
    changed = bench.git("diff", "--name-status", f"main...{PROPOSING}").split()
    assert changed == ["D", "README.md", "M", PATH, "A", "review.md"]
    assert propose(bench).outcome is Outcome.WAITING
    merge_it(bench)
    assert (bench.text(), bench.text(path="theirs.tf")) == (TEXT, "# theirs\n")
    bench.git("fsck", "--strict", "--no-dangling")


def test_a_branch_others_moved_needs_no_update_while_it_can_be_merged(bench: Workbench) -> None:
    propose(bench)
    bench.push({"theirs.tf": "# theirs\n"}, "Meanwhile")
    assert propose(bench).outcome is Outcome.WAITING


def test_two_runs_at_once_open_one(bench: Workbench) -> None:
    results: list[CommitResult] = []
    ready = threading.Barrier(3)

    def run() -> None:
        ready.wait()
        results.append(propose(bench))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pulls(bench)) == 1
    assert len(results) == 3
    assert bench.text(PROPOSING) == TEXT
    bench.git("fsck", "--strict", "--no-dangling")


def test_a_run_that_ends_anywhere_leaves_the_next_to_open_the_one(bench: Workbench) -> None:
    number = 0
    while True:
        bench = Workbench.fresh(bench.door, bench.url, bench.scene.app.private_key)
        bench.door.faults = faults = FaultAt(number, Fault(FaultKind.RESET_AFTER))
        try:
            propose(bench, patience=Patience(attempts=1, stale=1))
        except GitHubError:
            pass
        else:
            break
        propose(bench)
        assert [pull.state for pull in pulls(bench)] == ["open"], faults.seen
        assert bench.subjects(PROPOSING) == [PROPOSAL.title, "Begin"]
        assert bench.text(PROPOSING) == TEXT
        bench.check_history(PROPOSING)
        number += 1
    assert number == len(faults.seen) >= 12


def test_an_update_that_ends_anywhere_is_made_whole_by_the_next(bench: Workbench) -> None:
    number = 0
    while True:
        bench = Workbench.fresh(bench.door, bench.url, bench.scene.app.private_key)
        propose(bench)
        bench.door.faults = faults = FaultAt(number, Fault(FaultKind.RESET_AFTER))
        try:
            propose(bench, OTHER, patience=Patience(attempts=1, stale=1))
        except GitHubError:
            pass
        else:
            break
        propose(bench, OTHER)
        (pull,) = pulls(bench)
        assert (pull.state, pull.title, pull.body) == ("open", OTHER.title, OTHER.body), faults.seen
        assert bench.subjects(PROPOSING) == [OTHER.title, PROPOSAL.title, "Begin"]
        number += 1
    assert number == len(faults.seen) >= 12


@pytest.mark.parametrize(
    ("method", "part", "outcome"),
    [("POST", "/pulls", Outcome.OPENED), ("POST", "/git/refs", Outcome.OPENED)],
)
def test_what_nobody_confirmed_is_found_again_in_the_same_run(
    bench: Workbench, method: str, part: str, outcome: Outcome
) -> None:
    bench.fail(method, part, FaultKind.RESET_AFTER)
    assert propose(bench).outcome is outcome
    assert len(pulls(bench)) == 1


def test_an_update_nobody_confirmed_is_recognized(bench: Workbench) -> None:
    propose(bench)
    bench.fail("PATCH", "/git/refs/", FaultKind.RESET_AFTER)
    assert propose(bench, OTHER).outcome is Outcome.UPDATED
    assert bench.subjects(PROPOSING) == [OTHER.title, PROPOSAL.title, "Begin"]


def test_a_commit_to_our_branch_in_between_is_kept(bench: Workbench) -> None:
    propose(bench)
    waiting = [True]

    def before(request: Request) -> None:
        if request.method == "PATCH" and "/git/refs/" in request.path and waiting:
            waiting.pop()
            bench.push({"review.md": "please\n"}, "A reviewer's", PROPOSING)

    bench.door.before = before
    assert propose(bench, OTHER).outcome is Outcome.UPDATED
    assert bench.subjects(PROPOSING) == [OTHER.title, "A reviewer's", PROPOSAL.title, "Begin"]
