"""What GitHub refuses, in its words where clients branch on them."""

from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.github.front_door import FrontDoor
from lab.github.rate_limits import RateLimits
from lab.github.scenario import READER_TOKEN, STRANGER_TOKEN, Scene, build_scene
from lab.github.world import World
from tests.lab_github.caller import Caller
from tests.lab_github.test_contract import app_token

if TYPE_CHECKING:
    from tests.lab_github.contract import Contract

HOSTILE = [
    *("../x.tf", "a/../x.tf", "/etc/passwd", "./x", "a/.", "a//b", "", "a\\..\\b", "C:/x", "a\0b"),
    *(".git/config", "a/.git/config", ".GIT/config", ".git./config", ".git /config", "git~1/config"),
    *(".gi\u200ct/config", ".git::$INDEX/x"),
]
HELLO = b64encode(b"hello\n").decode()


def put(caller: Caller, path: str, **more: str) -> tuple[int, str]:
    reply = caller.ask("PUT", f"~/contents/{path}", {"message": "m", "content": HELLO, **more})
    return reply.status, reply.message if reply.status >= 400 else ""


def test_contents_want_the_sha_of_what_they_replace(mona: Caller) -> None:
    sha = mona.ask("GET", "~/contents/main.tf").body["sha"]
    assert put(mona, "main.tf") == (422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    assert put(mona, "main.tf", sha="0" * 40) == (409, f"main.tf does not match {'0' * 40}")
    assert put(mona, "new.tf", sha=sha) == (409, f"new.tf does not match {sha}")
    assert put(mona, "main.tf", sha=sha) == (200, "")
    assert put(mona, "main.tf", sha=sha) == (409, f"main.tf does not match {sha}")
    assert put(mona, "x.tf", branch="none") == (404, "Branch none not found")
    assert put(mona, "x.tf", content="%%%") == (422, "content is not valid Base64")


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_paths_are_refused_in_contents_and_in_trees(mona: Caller, scene: Scene, path: str) -> None:
    entry = {"path": path, "mode": "100644", "type": "blob", "content": "x"}
    tree = mona.ask("POST", "~/git/trees", {"tree": [entry]})
    assert tree.status == 422
    assert tree.message.startswith("tree.path c")
    if path:
        assert put(mona, path)[0] == 422
    assert len(scene.repository.git.log("main")) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(path=st.text(st.characters(codec="utf-8"), min_size=1, max_size=12))
def test_any_path_is_refused_or_read_back_by_git(mona: Caller, scene: Scene, path: str) -> None:
    entry = {"path": path, "mode": "100644", "type": "blob", "content": "x"}
    reply = mona.ask("POST", "~/git/trees", {"tree": [entry]})
    assert reply.status in (201, 422)
    if reply.status == 201:
        listed = scene.repository.git.git("ls-tree", "-r", "-z", "--name-only", reply.body["sha"])
        assert listed.decode() == f"{path}\0"


def test_names_of_other_scripts_are_fine(mona: Caller) -> None:
    assert put(mona, "kunden/Zürich 東京.tf") == (201, "")
    assert mona.ask("GET", "~/contents/kunden/Zürich 東京.tf").body["path"] == "kunden/Zürich 東京.tf"


def test_references_move_forward_only_unless_forced(mona: Caller, scene: Scene) -> None:
    first = scene.repository.git.log("main")[0]
    second = scene.world.push(scene.repository, {"a": "1"}, "Second", scene.person)
    back = mona.ask("PATCH", "~/git/refs/heads/main", {"sha": first})
    assert (back.status, back.message) == (422, "Update is not a fast forward")
    assert mona.ask("PATCH", "~/git/refs/heads/main", {"sha": second}).status == 200
    assert mona.ask("PATCH", "~/git/refs/heads/main", {"sha": first, "force": True}).status == 200
    assert scene.repository.git.log("main") == [first]
    assert mona.ask("PATCH", "~/git/refs/heads/no", {"sha": first}).message == "Reference does not exist"
    assert mona.ask("PATCH", "~/git/refs/heads/main", {"sha": "0" * 40}).message == "Object does not exist"


@pytest.mark.parametrize(
    ("ref", "told"),
    [
        ("refs/heads/main", "Reference already exists"),
        ("main", "Reference name must start with"),
        ("refs/heads/a..b", "not a valid ref name"),
        ("refs/heads/../../config", "not a valid ref name"),
        ("refs/pull/1/head", "not a valid ref name"),
        ("refs/heads/--upload-pack=x y", "not a valid ref name"),
    ],
)
def test_references_that_cannot_be_made(mona: Caller, scene: Scene, ref: str, told: str) -> None:
    reply = mona.ask("POST", "~/git/refs", {"ref": ref, "sha": scene.repository.git.log("main")[0]})
    assert reply.status == 422
    assert told in reply.message


def test_trees_and_commits_of_what_is_not_there(mona: Caller) -> None:
    entry = {"path": "x", "mode": "100644", "type": "blob", "sha": "0" * 40}
    assert mona.ask("POST", "~/git/trees", {"tree": [entry]}).status == 422
    assert mona.ask("POST", "~/git/trees", {"tree": []}).message == "Invalid tree info"
    assert mona.ask("POST", "~/git/trees", {"tree": [entry], "base_tree": "0" * 40}).status == 404
    commit = {"message": "m", "tree": "0" * 40, "parents": []}
    assert mona.ask("POST", "~/git/commits", commit).message == "Tree SHA does not exist"


def test_an_empty_repository_says_so(mona: Caller, scene: Scene) -> None:
    scene.world.add_repository(scene.organization, "bare").writers.add("mona")
    for method, path in (("GET", "git/ref/heads/main"), ("POST", "git/blobs"), ("GET", "commits")):
        reply = mona.ask(method, f"/repos/contoso-soc/bare/{path}", {"content": "x"})
        assert (reply.status, reply.message) == (409, "Git Repository is empty.")


def test_a_second_pull_request_and_one_without_commits_are_refused(mona: Caller, scene: Scene) -> None:
    scene.world.push(scene.repository, {}, "Begin", scene.person, "same")
    new = {"title": "t", "head": "new", "base": "main"}
    assert mona.ask("POST", "~/pulls", new).body["errors"][0]["field"] == "head"
    mona.ask("POST", "~/git/refs", {"ref": "refs/heads/new", "sha": scene.repository.git.log("main")[0]})
    assert mona.ask("POST", "~/pulls", new).body["errors"][0]["message"] == "No commits between main and new"
    scene.world.push(scene.repository, {"x": "1"}, "X", scene.person, "new")
    assert mona.ask("POST", "~/pulls", new).status == 201
    assert (
        "already exists for contoso-soc:new" in mona.ask("POST", "~/pulls", new).body["errors"][0]["message"]
    )


def test_pull_requests_follow_their_branch_conflict_and_end(mona: Caller, scene: Scene) -> None:
    world, it = scene.world, scene.repository
    mona.ask("POST", "~/git/refs", {"ref": "refs/heads/new", "sha": it.git.log("main")[0]})
    world.push(it, {"x": "1\n"}, "X", scene.person, "new")
    mona.ask("POST", "~/pulls", {"title": "t", "head": "new", "base": "main"})
    head = world.push(it, {"x": "2\n"}, "X2", scene.person, "new")
    shown = mona.ask("GET", "~/pulls/1").body
    assert (shown["head"]["sha"], shown["commits"], shown["mergeable"]) == (head, 2, True)
    world.push(it, {"x": "3\n"}, "Theirs", scene.person)
    assert mona.ask("GET", "~/pulls/1").body["mergeable"] is False
    assert mona.ask("PUT", "~/pulls/1/merge", {}).status == 405
    assert mona.ask("PUT", "~/pulls/1/merge", {"sha": "0" * 40}).status == 409
    assert mona.ask("DELETE", "~/git/refs/heads/new").status == 204
    assert mona.ask("GET", "~/pulls/1").body["state"] == "closed"
    assert mona.ask("PATCH", "~/pulls/1", {"state": "open"}).status == 422
    assert it.git.kind(head) == "commit"


def test_a_protected_branch_is_moved_by_pull_requests_only(mona: Caller, scene: Scene) -> None:
    scene.repository.protected.add("main")
    head = scene.repository.git.log("main")[0]
    assert mona.ask("PATCH", "~/git/refs/heads/main", {"sha": head}).status == 422
    assert put(mona, "x.tf")[0] == 409


def test_a_private_repository_is_not_there_for_strangers(
    door: FrontDoor, contract: "Contract | None"
) -> None:
    for token in (None, STRANGER_TOKEN):
        reply = Caller(door, token, contract).ask("GET", "~")
        assert (reply.status, reply.message) == (404, "Not Found")
    reader = Caller(door, READER_TOKEN, contract)
    assert reader.ask("GET", "~/contents/main.tf").status == 200
    assert put(reader, "x.tf") == (403, "Resource not accessible by personal access token")


def test_a_public_one_is_read_by_all_and_written_by_few(
    door: FrontDoor, scene: Scene, contract: "Contract | None"
) -> None:
    scene.repository.is_private = False
    assert Caller(door, None, contract).ask("GET", "~/contents/main.tf").status == 200
    assert put(Caller(door, None, contract), "x.tf") == (401, "Requires authentication")
    assert put(Caller(door, STRANGER_TOKEN, contract), "x.tf")[0] in (403, 404)


@pytest.mark.parametrize(
    ("claims", "status", "told"),
    [
        ({}, 200, ""),
        ({"iss": "7"}, 404, "Integration not found"),
        ({"exp": 1}, 401, "'Expiration time' claim ('exp') must be"),
        ({"exp": 99_999_999_999}, 401, "'Expiration time' claim ('exp') is too far in the future"),
        ({"iat": 99_999_999_999}, 401, "'Issued at' claim ('iat')"),
    ],
)
def test_an_app_must_say_who_it_is_and_until_when(
    door: FrontDoor,
    scene: Scene,
    contract: "Contract | None",
    claims: dict[str, object],
    status: int,
    told: str,
) -> None:
    reply = Caller(door, app_token(scene, **claims), contract).ask("GET", "/app")
    assert reply.status == status
    assert told in str(reply.body.get("message", ""))


def test_a_signature_by_another_key_is_none(door: FrontDoor, scene: Scene) -> None:
    signed = app_token(scene)
    forged = signed[:-8] + ("A" * 8 if signed[-8:] != "A" * 8 else "B" * 8)
    assert Caller(door, forged).ask("GET", "/app").status == 401


def test_an_installation_s_token_reaches_its_repositories_for_an_hour(door: FrontDoor, scene: Scene) -> None:
    app = Caller(door, app_token(scene))
    path = f"/app/installations/{scene.installation.id}/access_tokens"
    less = app.ask("POST", path, {"permissions": {"contents": "read"}}).body
    assert less["permissions"]["contents"] == "read"
    assert app.ask("POST", path, {"permissions": {"administration": "write"}}).status == 422
    token = app.ask("POST", path).body["token"]
    bot = Caller(door, token)
    scene.world.add_repository(scene.organization, "other", {"a": "b"})
    assert bot.ask("GET", "~").status == 200
    assert bot.ask("GET", "/repos/contoso-soc/other").status == 404
    assert put(Caller(door, less["token"]), "x.tf") == (403, "Resource not accessible by integration")
    scene.world.clock.advance(timedelta(hours=1, seconds=1).total_seconds())
    assert bot.ask("GET", "~").message == "Bad credentials"
    scene.installation.is_suspended = True
    assert app.ask("POST", path).status in (401, 403)


def test_the_hour_s_requests_are_counted_and_come_back(mona: Caller, door: FrontDoor) -> None:
    door.limits = RateLimits(per_hour=2)
    first = mona.ask("GET", "~")
    assert (first.headers["X-RateLimit-Limit"], first.headers["X-RateLimit-Remaining"]) == ("2", "1")
    unchanged = mona.ask("GET", "~", headers={"if-none-match": first.headers["ETag"]})
    assert (unchanged.status, unchanged.body, unchanged.headers["X-RateLimit-Remaining"]) == (304, None, "1")
    mona.ask("GET", "~")
    over = mona.ask("GET", "~")
    assert (over.status, over.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert over.message.startswith("API rate limit exceeded")
    assert mona.ask("GET", "/rate_limit").body["rate"]["remaining"] == 0
    door.world.clock.advance(3601)
    assert mona.ask("GET", "~").status == 200


def test_too_many_points_a_minute_are_a_secondary_limit(mona: Caller, door: FrontDoor) -> None:
    door.limits = RateLimits(points_per_minute=11)
    assert [put(mona, f"{number}.tf")[0] for number in range(3)] == [201, 201, 403]
    over = mona.ask("POST", "~/git/blobs", {"content": "x"})
    assert over.message.startswith("You have exceeded a secondary rate limit")
    door.world.clock.advance(int(over.headers["Retry-After"]))
    assert put(mona, "9.tf")[0] == 201


def test_long_lists_come_in_pages_with_links(mona: Caller, scene: Scene) -> None:
    for number in range(6):
        scene.world.push(scene.repository, {"n": str(number)}, f"{number}", scene.person)
    page = mona.ask("GET", "~/commits", per_page="3", page="2")
    assert [each["commit"]["message"] for each in page.body] == ["2", "1", "0"]
    address = "http://localhost/repos/contoso-soc/event-hubs/commits?per_page=3&page="
    assert page.headers["Link"].split(", ") == [
        f'<{address}3>; rel="next"',
        f'<{address}3>; rel="last"',
        f'<{address}1>; rel="prev"',
        f'<{address}1>; rel="first"',
    ]


CALLS = st.lists(
    st.one_of(
        st.tuples(
            st.just("PUT"),
            st.sampled_from(["a.tf", "b/c.tf", "../x", "main.tf"]),
            st.sampled_from(["", "stale", "right"]),
        ),
        st.tuples(
            st.just("DELETE"),
            st.sampled_from(["a.tf", "b/c.tf", "main.tf"]),
            st.sampled_from(["stale", "right"]),
        ),
        st.tuples(st.just("GET"), st.sampled_from(["", "a.tf", "b", "main.tf"]), st.just("")),
    ),
    max_size=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(calls=CALLS)
def test_no_calls_break_the_contract_or_the_repository(
    mona: Caller, app_key: object, calls: list[tuple[str, str, str]]
) -> None:
    scene = build_scene(World(), app_key)  # type: ignore[arg-type]  # the fixture's key
    caller = Caller(FrontDoor(scene.world), mona.token, mona.contract)
    commits = 1
    for method, path, sha in calls:
        held = caller.ask("GET", f"~/contents/{path}").body
        right = held.get("sha", "0" * 40) if isinstance(held, dict) else "0" * 40
        more = {"sha": {"stale": "1" * 40, "right": right}[sha]} if sha else {}
        body = None if method == "GET" else {"message": "m", "content": HELLO, **more}
        reply = caller.ask(method, f"~/contents/{path}", body)
        assert reply.status < 500
        commits += method != "GET" and reply.status < 300
    assert len(scene.repository.git.log("main")) == commits
    scene.repository.git.git("fsck", "--strict")
