"""Commits that go to the branch at once, as git itself sees them afterwards."""

import threading
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.azure.faults import Fault, FaultKind, SeededFaults
from lab.azure.wire import Request
from lab.github.bare_repository import Change, Signature
from terraform_gen.github_calls import Patience
from terraform_gen.github_errors import GitHubError, MovingBranchError, PathTakenError, RefusedError
from terraform_gen.repository import CommitResult, Outcome, Proposal
from tests.terraform_gen.committing.workbench import PATH, PROPOSAL, TEXT, FaultAt, Workbench, proposal

IMPATIENT = Patience(attempts=1, stale=1)


def test_one_commit_has_all_files_and_says_why(bench: Workbench) -> None:
    both = Proposal({PATH: TEXT, "modules/hub/main.tf": "# a module\n"}, PROPOSAL.title, PROPOSAL.body)
    before = bench.git("rev-parse", "main").strip()
    result = bench.repository().commit(both)
    assert (result.outcome, result.changed) == (Outcome.COMMITTED, True)
    assert bench.git("rev-parse", "main").strip() == result.sha
    assert bench.git("rev-parse", "main^").strip() == before
    assert bench.git("show", "--name-status", "--format=%B", "main").splitlines() == [
        *PROPOSAL.message.splitlines(),
        "",
        "",
        f"A\t{PATH}",
        "A\tmodules/hub/main.tf",
    ]
    assert bench.text() == TEXT
    assert result.url == f"https://github.com/contoso-soc/event-hubs/commit/{result.sha}"
    assert "+    eastus = [" in result.diff
    bench.check_history()


def test_equal_content_makes_no_commit_and_no_write(bench: Workbench) -> None:
    first = bench.repository().commit(PROPOSAL)
    wrote = len(bench.door.writes())
    again = bench.repository().commit(PROPOSAL)
    assert (again.outcome, again.changed, again.sha, again.diff) == (Outcome.UNCHANGED, False, first.sha, "")
    assert len(bench.door.writes()) == wrote
    assert bench.subjects() == [PROPOSAL.title, "Begin"]


def test_the_diff_is_from_what_was_there_to_what_is(bench: Workbench) -> None:
    bench.push({PATH: "a\nb\nc\n"})
    assert bench.repository().read(PATH) == "a\nb\nc\n"
    result = bench.repository().commit(proposal("a\nB\nc\n"))
    assert result.diff.splitlines() == [
        f"--- a/{PATH}",
        f"+++ b/{PATH}",
        "@@ -1,3 +1,3 @@",
        " a",
        "-b",
        "+B",
        " c",
    ]


def test_a_file_that_may_run_still_may(bench: Workbench) -> None:
    git = bench.scene.repository.git
    blob, old = git.write_blob(b"old"), bench.git("rev-parse", "main").strip()
    git.git("update-ref", "refs/heads/main", _executable(bench, blob, old))
    bench.repository().commit(PROPOSAL)
    assert bench.git("ls-tree", "main", PATH).split()[0] == "100755"


def _executable(bench: Workbench, blob: str, parent: str) -> str:
    git = bench.scene.repository.git
    signed = Signature("mona", "mona@example.com", bench.time.now())
    tree = git.write_tree(parent, [Change(PATH, blob, "100755")])
    return git.write_commit(tree, [parent], "Run it", signed, signed)


def test_where_the_file_shall_be_there_is_none_yet_or_a_folder(bench: Workbench) -> None:
    assert bench.repository().read("no/such/file.tf") is None
    bench.push({f"{PATH}/x": "a folder of that name"})
    with pytest.raises(PathTakenError, match=f"event-hubs, branch main: read {PATH}: a tree"):
        bench.repository().commit(PROPOSAL)


def at_request(bench: Workbench, method: str, part: str, times: int, happen: Callable[[int], object]) -> None:
    """Let something happen before the first requests of a kind."""
    seen = iter(range(times))

    def before(request: Request) -> None:
        if request.method == method and part in request.path and (number := next(seen, None)) is not None:
            happen(number)

    bench.door.before = before


def test_a_commit_in_between_is_kept(bench: Workbench) -> None:
    at_request(bench, "PATCH", "/git/refs/", 1, lambda _: bench.push({"other.tf": "# theirs\n"}, "Theirs"))
    result = bench.repository().commit(PROPOSAL)
    assert result.outcome is Outcome.COMMITTED
    assert bench.subjects() == [PROPOSAL.title, "Theirs", "Begin"]
    assert bench.text(path="other.tf") == "# theirs\n"
    assert bench.text() == TEXT
    bench.check_history()


def test_the_same_content_by_somebody_else_in_between_is_enough(bench: Workbench) -> None:
    at_request(bench, "PATCH", "/git/refs/", 1, lambda _: bench.push({PATH: TEXT}, "Same"))
    result = bench.repository().commit(PROPOSAL)
    assert result.outcome is Outcome.UNCHANGED
    assert bench.subjects() == ["Same", "Begin"]


def test_a_branch_that_never_stands_still_is_given_up(bench: Workbench) -> None:
    at_request(bench, "PATCH", "/git/refs/", 99, lambda number: bench.push({"n": str(number)}))
    with pytest.raises(MovingBranchError, match="moved 3 times") as stuck:
        bench.repository(patience=Patience(stale=3)).commit(PROPOSAL)
    assert stuck.value.request_id
    assert "not a fast forward" in str(stuck.value)
    assert PATH not in bench.git("ls-tree", "--name-only", "main")


def test_two_runs_at_once_make_one_commit(bench: Workbench) -> None:
    results: list[CommitResult] = []
    ready = threading.Barrier(3)

    def run() -> None:
        repository = bench.repository()
        ready.wait()
        results.append(repository.commit(PROPOSAL))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Within one second the same commit has the same name, whoever makes it; then two may call it theirs.
    assert {result.sha for result in results} == {bench.git("rev-parse", "main").strip()}
    assert Outcome.COMMITTED in {result.outcome for result in results}
    assert bench.subjects() == [PROPOSAL.title, "Begin"]
    bench.check_history()


@pytest.mark.parametrize("kind", [FaultKind.RESET_BEFORE, FaultKind.RESET_AFTER])
def test_a_run_that_ends_anywhere_leaves_the_next_to_make_one_commit(
    bench: Workbench, kind: FaultKind
) -> None:
    number, ended = 0, 0
    while True:
        bench = Workbench.fresh(bench.door, bench.url, bench.scene.app.private_key)
        bench.door.faults = faults = FaultAt(number, Fault(kind))
        try:
            bench.repository(patience=IMPATIENT).commit(PROPOSAL)
        except GitHubError:
            ended += 1
        if len(faults.seen) <= number:
            break
        bench.push({"other.tf": "# in between\n"}, "Theirs")
        result = bench.repository().commit(PROPOSAL)
        assert bench.subjects().count(PROPOSAL.title) == 1, faults.seen
        assert (bench.text(), bench.text(path="other.tf")) == (TEXT, "# in between\n")
        assert bench.git("rev-parse", f"{result.sha}:{PATH}") == bench.git("rev-parse", f"main:{PATH}")
        bench.check_history()
        number += 1
    assert ended == number == 8


@pytest.mark.parametrize("kind", [FaultKind.RESET_AFTER, FaultKind.TRUNCATE, FaultKind.FAIL_AFTER])
def test_a_move_nobody_confirmed_is_recognized_as_our_own(bench: Workbench, kind: FaultKind) -> None:
    bench.fail("PATCH", "/git/refs/", kind)
    at_request(bench, "GET", "/git/ref/", 2, lambda number: number and bench.push({"x": "1"}, "On top"))
    result = bench.repository().commit(PROPOSAL)
    assert (result.outcome, result.changed) == (Outcome.COMMITTED, True)
    assert bench.subjects() == ["On top", PROPOSAL.title, "Begin"]
    assert result.sha == bench.git("rev-parse", "main^").strip()
    assert "+    eastus" in result.diff


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(seed=st.integers(0, 10_000))
def test_whatever_goes_wrong_some_run_makes_the_one_commit(bench: Workbench, seed: int) -> None:
    bench = Workbench.fresh(bench.door, bench.url, bench.scene.app.private_key)
    kinds = (FaultKind.FAIL_BEFORE, FaultKind.FAIL_AFTER, FaultKind.RESET_AFTER, FaultKind.TRUNCATE)
    bench.door.faults = SeededFaults(seed, dict.fromkeys((*kinds, FaultKind.THROTTLE), 0.05), slowest=2)
    for _ in range(5):
        try:
            bench.repository().commit(PROPOSAL)
        except GitHubError:
            continue
        break
    assert bench.subjects() == [PROPOSAL.title, "Begin"]
    assert bench.text() == TEXT
    bench.check_history()


def test_a_protected_branch_says_what_to_do(bench: Workbench) -> None:
    bench.scene.repository.protected.add("main")
    with pytest.raises(RefusedError, match="set github_mode to pull_request") as refused:
        bench.repository().commit(PROPOSAL)
    assert refused.value.status == 422
    assert bench.subjects() == ["Begin"]


@pytest.mark.parametrize("path", ["../x.tf", "/x.tf", "a//b", ".git/config", "a/.GIT/x", "", "a\\b", "."])
def test_a_path_out_of_the_repository_is_refused_before_anything_is_asked(path: str) -> None:
    with pytest.raises(ValueError, match="no path of a file"):
        Proposal({path: ""}, "t", "b")
