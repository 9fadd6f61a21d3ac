"""Real PyGithub against the lab, over HTTP and over TLS; git says what became of it."""

from collections.abc import Iterator
from typing import Any

import github
import pytest

from lab.azure.faults import Fault, FaultKind, PlannedFaults
from lab.github.front_door import FrontDoor
from lab.github.scenario import PERSON_TOKEN, Scene
from lab.github.server import GitHubServer

QUICK: dict[str, Any] = {"seconds_between_requests": 0, "seconds_between_writes": 0}


@pytest.fixture(params=["http", "https", "enterprise"])
def hub(request: pytest.FixtureRequest, door: FrontDoor) -> Iterator[github.Github]:
    with GitHubServer(door, tls=request.param == "https") as server:
        verify = str(server.authority_file) if request.param == "https" else True
        url = server.url + ("/api/v3" if request.param == "enterprise" else "")
        auth = github.Auth.Token(PERSON_TOKEN)
        yield github.Github(auth=auth, base_url=url, verify=verify, retry=None, **QUICK)


def test_contents_are_written_and_git_has_them(hub: github.Github, scene: Scene) -> None:
    it = hub.get_repo("contoso-soc/event-hubs")
    made = it.create_file("a/ü.tf", "Add ü", "one\n")
    changed = it.update_file("a/ü.tf", "Change ü", "two\n", made["content"].sha)
    git = scene.repository.git
    assert git.log("main")[0] == changed["commit"].sha
    assert git.git("show", "main:a/ü.tf") == b"two\n"
    assert it.get_contents("a/ü.tf").decoded_content == b"two\n"  # type: ignore[union-attr]  # one file
    it.delete_file("a/ü.tf", "Remove ü", changed["content"].sha)
    assert git.git("log", "--format=%s").decode().split("\n")[:3] == ["Remove ü", "Change ü", "Add ü"]
    with pytest.raises(github.GithubException, match="wasn't supplied"):
        it.create_file("main.tf", "m", "x")
    git.git("fsck", "--strict")


def test_git_s_own_objects_a_branch_and_a_pull_request(hub: github.Github, scene: Scene) -> None:
    it = hub.get_repo("contoso-soc/event-hubs")
    base = it.get_branch("main").commit
    element = github.InputGitTreeElement("new.tf", "100644", "blob", content="# new\n")
    tree = it.create_git_tree([element], it.get_git_tree(base.commit.tree.sha))
    commit = it.create_git_commit("New", tree, [it.get_git_commit(base.sha)])
    it.create_git_ref("refs/heads/topic/new", commit.sha)
    assert it.compare("main", "topic/new").ahead_by == 1
    pull = it.create_pull("main", "topic/new", title="New", body="b")
    assert [each.number for each in it.get_pulls(head="contoso-soc:topic/new")] == [pull.number]
    assert pull.merge().merged
    assert scene.repository.git.git("show", "main:new.tf") == b"# new\n"
    assert len(scene.repository.git.read_commit("main").parents) == 2
    with pytest.raises(github.GithubException, match="not a fast forward"):
        it.get_git_ref("heads/main").edit(base.sha)
    it.get_git_ref("heads/topic/new").delete()
    assert {each.name for each in it.get_branches()} == {"main"}


def test_pages_are_followed(hub: github.Github, scene: Scene) -> None:
    for number in range(7):
        scene.world.push(scene.repository, {"n": str(number)}, f"{number}", scene.person)
    hub.per_page = 3
    listed = hub.get_repo("contoso-soc/event-hubs").get_commits()
    assert [each.commit.message for each in listed] == [*"6543210", "Begin"]


def test_faults_reach_the_client_before_and_after_the_effect(
    hub: github.Github, door: FrontDoor, scene: Scene
) -> None:
    it = hub.get_repo("contoso-soc/event-hubs")
    wanted = [
        (FaultKind.RESET_BEFORE, 1),
        (FaultKind.FAIL_BEFORE, 1),
        (FaultKind.RESET_AFTER, 2),
        (FaultKind.TRUNCATE, 3),
    ]
    for number, (kind, commits) in enumerate(wanted):
        door.faults = PlannedFaults({("PUT", "/contents/", 0): Fault(kind, 502)})
        with pytest.raises(Exception, match=r"aborted|reset|502|broken|IncompleteRead"):
            it.create_file(f"{number}.tf", "m", "x")
        door.faults = PlannedFaults()
        assert len(scene.repository.git.log("main")) == commits
    door.faults = PlannedFaults({("PUT", "/contents/", 0): Fault(FaultKind.THROTTLE, 403, 9)})
    with pytest.raises(github.RateLimitExceededException) as limited:
        it.create_file("x.tf", "m", "x")
    assert (limited.value.headers or {})["retry-after"] == "9"
