"""Every route answers in GitHub's own shapes, well or not."""

from typing import TYPE_CHECKING

import jwt
import pytest

from lab.github.front_door import ROUTES, FrontDoor
from lab.github.scenario import READER_TOKEN, STRANGER_TOKEN, Scene
from tests.lab_github.caller import REPOSITORY, Caller

if TYPE_CHECKING:
    from tests.lab_github.contract import Contract

BEYOND = {
    "GET /repos/{owner}/{repo}/branches",
    "GET /repos/{owner}/{repo}/compare/{ref}",
    "GET /repos/{owner}/{repo}/contents",
    "GET /repos/{owner}/{repo}/git/matching-refs/{ref}",
    "GET /repos/{owner}/{repo}/git/refs/{ref}",
}
"""Routes PyGithub needs that the description at hand leaves out."""


@pytest.fixture
def specs(contract: "Contract | None") -> "Contract":
    if contract is None:
        pytest.skip("needs GitHub's description beside this repository, and jsonschema")
    return contract


def app_token(scene: Scene, **claims: object) -> str:
    now = int(scene.world.clock.now().timestamp())
    said = {"iat": now - 60, "exp": now + 300, "iss": str(scene.app.id), **claims}
    return jwt.encode(said, scene.app.private_key, "RS256")


def test_a_wrong_answer_is_a_breach(specs: "Contract") -> None:
    fine = {"sha": "a", "url": "https://x"}
    assert specs.breaches("POST", f"{REPOSITORY}/git/blobs", 201, fine) == []
    assert specs.breaches("POST", f"{REPOSITORY}/git/blobs", 201, {"sha": "a"})
    assert specs.breaches("POST", f"{REPOSITORY}/git/blobs", 200, fine)
    assert specs.breaches("GET", REPOSITORY, 404, {"message": "Not Found"})
    assert specs.breaches("GET", f"{REPOSITORY}/pulls", 200, [{"number": 1}])


def ask_everything(mona: Caller, app: Caller, installation: int) -> set[str]:
    """Each route once, well; the routes that answered."""
    asked = set()

    def ask(method: str, template: str, status: int, body: object = None, **parts: str) -> dict:  # type: ignore[type-arg]  # JSON
        path = template.format(owner="contoso-soc", repo="event-hubs", installation=installation, **parts)
        caller = app if template.startswith("/app") or template.endswith("/installation") else mona
        reply = caller.ask(method, path, body)
        assert reply.status == status, (method, path, reply)
        asked.add(f"{method} {template}")
        return reply.body  # type: ignore[no-any-return]  # JSON

    repo = "/repos/{owner}/{repo}"
    ask("GET", repo, 200)
    ask("GET", "/user", 200)
    ask("GET", "/rate_limit", 200)
    ask("GET", "/app", 200)
    ask("GET", "/app/installations", 200)
    ask("GET", "/app/installations/{installation}", 200)
    ask("GET", f"{repo}/installation", 200)
    token = ask("POST", "/app/installations/{installation}/access_tokens", 201)["token"]
    assert Caller(mona.door, token, mona.contract).ask("GET", "/installation/repositories").status == 200
    asked.add("GET /installation/repositories")
    head = ask("GET", f"{repo}/git/ref/{{ref}}", 200, ref="heads/main")["object"]["sha"]
    ask("GET", f"{repo}/git/refs/{{ref}}", 200, ref="heads/main")
    ask("GET", f"{repo}/git/matching-refs/{{ref}}", 200, ref="heads/m")
    blob = ask("POST", f"{repo}/git/blobs", 201, {"content": "aGk=", "encoding": "base64"})["sha"]
    ask("GET", f"{repo}/git/blobs/{{sha}}", 200, sha=blob)
    entry = {"path": "a/b.tf", "mode": "100644", "type": "blob", "sha": blob}
    base = ask("GET", f"{repo}/git/commits/{{sha}}", 200, sha=head)["tree"]["sha"]
    tree = ask("POST", f"{repo}/git/trees", 201, {"tree": [entry], "base_tree": base})["sha"]
    ask("GET", f"{repo}/git/trees/{{ref}}", 200, ref=tree)
    made = ask("POST", f"{repo}/git/commits", 201, {"message": "m", "tree": tree, "parents": [head]})["sha"]
    ask("POST", f"{repo}/git/refs", 201, {"ref": "refs/heads/new", "sha": head})
    ask("PATCH", f"{repo}/git/refs/{{ref}}", 200, {"sha": made}, ref="heads/new")
    ask("GET", f"{repo}/branches", 200)
    ask("GET", f"{repo}/branches/{{ref}}", 200, ref="new")
    ask("GET", f"{repo}/commits", 200)
    ask("GET", f"{repo}/commits/{{ref}}", 200, ref="new")
    ask("GET", f"{repo}/compare/{{ref}}", 200, ref="main...new")
    pull = {"title": "t", "head": "new", "base": "main", "body": None}
    number = str(ask("POST", f"{repo}/pulls", 201, pull)["number"])
    ask("GET", f"{repo}/pulls", 200)
    ask("GET", f"{repo}/pulls/{{number}}", 200, number=number)
    ask("PATCH", f"{repo}/pulls/{{number}}", 200, {"title": "u"}, number=number)
    ask("PUT", f"{repo}/pulls/{{number}}/merge", 200, {}, number=number)
    ask("GET", f"{repo}/pulls/{{number}}/merge", 204, number=number)
    ask("DELETE", f"{repo}/git/refs/{{ref}}", 204, ref="heads/new")
    ask("GET", f"{repo}/contents", 200)
    sha = ask("GET", f"{repo}/contents/{{path}}", 200, path="main.tf")["sha"]
    text = {"message": "m", "content": "aGkK"}
    ask("PUT", f"{repo}/contents/{{path}}", 201, text, path="new.tf")
    ask("PUT", f"{repo}/contents/{{path}}", 200, {**text, "sha": sha}, path="main.tf")
    sha = ask("GET", f"{repo}/contents/{{path}}", 200, path="main.tf")["sha"]
    ask("DELETE", f"{repo}/contents/{{path}}", 200, {"message": "m", "sha": sha}, path="main.tf")
    ask("DELETE", "/app/installations/{installation}", 204)
    return asked


def test_every_route_keeps_the_contract(mona: Caller, scene: Scene, door: FrontDoor) -> None:
    app = Caller(door, app_token(scene), mona.contract)
    asked = ask_everything(mona, app, scene.installation.id)
    assert asked == {f"{route.method} {route.template}" for route in ROUTES}
    scene.repository.git.git("fsck", "--strict")


def test_the_description_knows_every_route_but_those_named(specs: "Contract") -> None:
    def described(method: str, template: str) -> bool:
        path = (
            template.replace("trees/{ref}", "trees/x")
            .replace("{ref}", "heads/x")
            .replace("{path}", "x")
            .replace("{installation}", "1")
        )
        return specs.operation(method, path.replace("{", "").replace("}", "")) is not None

    lacking = {
        f"{each.method} {each.template}" for each in ROUTES if not described(each.method, each.template)
    }
    assert lacking == BEYOND


@pytest.mark.parametrize("token", [None, "nobody", READER_TOKEN, STRANGER_TOKEN])
def test_every_route_refuses_in_the_same_shapes(
    door: FrontDoor, contract: "Contract | None", token: str | None
) -> None:
    caller = Caller(door, token, contract)
    before = door.world.repositories["contoso-soc/event-hubs"].git.references("refs/")
    for route in ROUTES:
        parts = {"owner": "contoso-soc", "repo": "event-hubs", "ref": "heads/main", "path": "main.tf"}
        path = route.template.format(**parts, sha="0" * 40, number="7", installation="5")
        status = caller.ask(route.method, path, {} if route.method != "GET" else None).status
        if token == "nobody":
            assert status == 401
        elif token in (None, STRANGER_TOKEN) and path.startswith(REPOSITORY) and not route.by_app:
            assert status == 404, path
        elif route.method != "GET":
            assert status in (401, 403, 404), path
    assert door.world.repositories["contoso-soc/event-hubs"].git.references("refs/") == before
