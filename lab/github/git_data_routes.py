"""Git's own objects: blobs, trees, commits and references.

Source: docs.github.com/rest/git.
"""

import re
from datetime import datetime
from typing import Final, Literal

from pydantic import Field

from lab.azure.wire import Answer
from lab.github import shapes
from lab.github.bare_repository import FILE, TREE, Change, GitError, Signature
from lab.github.call import Body, Call, Route
from lab.github.contents_routes import check_protection, decoded
from lab.github.github_error import not_found, unprocessable
from lab.github.repository_routes import empty
from lab.github.tree_path import check_tree_path
from lab.github.world import HostedRepository

_MODES: Final = {FILE: "blob", "100755": "blob", "120000": "blob", TREE: "tree", "160000": "commit"}
_SHA: Final = re.compile(r"[0-9a-f]{40}")
_LARGEST_BLOB: Final = 100 * 2**20


class _Blob(Body):
    content: str
    encoding: str = "utf-8"


class _TreeEntry(Body):
    path: str
    mode: Literal["100644", "100755", "040000", "160000", "120000"] | None = None
    type: Literal["blob", "tree", "commit"] | None = None
    sha: str | None = None
    content: str | None = None


class _Tree(Body):
    tree: list[_TreeEntry]
    base_tree: str | None = None


class _Author(Body):
    name: str
    email: str
    date: str | None = None


class _Commit(Body):
    message: str
    tree: str
    parents: list[str] = Field(default_factory=list)
    author: _Author | None = None
    committer: _Author | None = None


class _NewReference(Body):
    ref: str
    sha: str


class _Move(Body):
    sha: str
    force: bool = False


def _create_blob(call: Call) -> Answer:
    it, asked = call.repository, call.body(_Blob)
    _check_not_empty(it)
    if asked.encoding not in ("utf-8", "base64"):
        raise unprocessable("encoding must be utf-8 or base64")
    data = decoded(asked.content) if asked.encoding == "base64" else asked.content.encode()
    if len(data) > _LARGEST_BLOB:
        raise unprocessable("Sorry, your input was too large to process.")
    sha = it.git.write_blob(data)
    url = f"{call.api}/repos/{it.full_name}/git/blobs/{sha}"
    return Answer(201, {"sha": sha, "url": url}, {"Location": url})


def _get_blob(call: Call) -> Answer:
    it, sha = call.repository, call.parts["sha"]
    _check_object(it, sha, "blob")
    return Answer(200, shapes.blob(call.api, it, sha, it.git.read_blob(sha)))


def _create_tree(call: Call) -> Answer:
    it, asked = call.repository, call.body(_Tree)
    _check_not_empty(it)
    if not asked.tree:
        raise unprocessable("Invalid tree info")
    base = asked.base_tree
    if base is not None and (not _is_sha(base) or it.git.kind(base) not in ("tree", "commit")):
        raise not_found()
    try:
        sha = it.git.write_tree(base, [_change(it, entry) for entry in asked.tree])
    except GitError as error:
        raise unprocessable("GitRPC::BadObjectState") from error
    shown = shapes.tree(call.api, it, sha, it.git.entries(sha))
    return Answer(201, shown, {"Location": str(shown["url"])})


def _change(it: HostedRepository, entry: _TreeEntry) -> Change:
    path = check_tree_path(entry.path)
    if entry.sha is not None and entry.content is not None:
        raise unprocessable("Must supply either tree.sha or tree.content, not both")
    if entry.content is not None:
        return Change(path, it.git.write_blob(entry.content.encode()), entry.mode or FILE)
    if entry.sha is None:
        return Change(path, None)
    if entry.mode is None:
        raise unprocessable("Must supply a valid tree.mode")
    kind = _MODES[entry.mode]
    if not _is_sha(entry.sha) or (kind != "commit" and it.git.kind(entry.sha) != kind):
        raise unprocessable(f"tree.sha {entry.sha} is not a valid {kind}")
    return Change(path, entry.sha, entry.mode)


def _get_tree(call: Call) -> Answer:
    it, name = call.repository, call.parts["ref"]
    found = name if _is_sha(name) else it.git.resolve(name)
    if found is None or it.git.kind(found) not in ("tree", "commit"):
        raise not_found()
    tree = it.git.read_commit(found).tree if it.git.kind(found) == "commit" else found
    recursive = "recursive" in call.request.query
    return Answer(200, shapes.tree(call.api, it, tree, it.git.entries(tree, recursive=recursive)))


def _create_commit(call: Call) -> Answer:
    it, asked = call.repository, call.body(_Commit)
    _check_not_empty(it)
    if not asked.message:
        raise unprocessable("Commit message can't be empty")
    if not _is_sha(asked.tree) or it.git.kind(asked.tree) != "tree":
        raise unprocessable("Tree SHA does not exist")
    if not all(_is_sha(sha) and it.git.kind(sha) == "commit" for sha in asked.parents):
        raise unprocessable("Parent SHA does not exist or is not a commit object")
    author = _signature(call, asked.author)
    committer = _signature(call, asked.committer) if asked.committer else author
    sha = it.git.write_commit(asked.tree, asked.parents, asked.message, author, committer)
    shown = shapes.git_commit(call.api, it, it.git.read_commit(sha))
    return Answer(201, shown, {"Location": str(shown["url"])})


def _signature(call: Call, given: _Author | None) -> Signature:
    if given is None:
        return call.signature()
    try:
        at = datetime.fromisoformat(given.date) if given.date else call.world.now()
    except ValueError as error:
        raise unprocessable(f"{given.date} is not a valid timestamp") from error
    return Signature(given.name, given.email, at)


def _get_commit(call: Call) -> Answer:
    it, sha = call.repository, call.parts["sha"]
    _check_object(it, sha, "commit")
    return Answer(200, shapes.git_commit(call.api, it, it.git.read_commit(sha)))


def _get_reference(call: Call) -> Answer:
    it, name = call.repository, f"refs/{call.parts['ref']}"
    _check_not_empty(it)
    sha = it.git.reference(name)
    if sha is None:
        raise not_found()
    return Answer(200, shapes.reference(call.api, it, name, sha))


def _matching_references(call: Call) -> Answer:
    it, start = call.repository, f"refs/{call.parts['ref']}"
    found = [each for each in sorted(it.git.references("refs/").items()) if each[0].startswith(start)]
    shown, headers = call.page(found)
    return Answer(200, [shapes.reference(call.api, it, *each) for each in shown], headers)


def _create_reference(call: Call) -> Answer:
    it, asked = call.repository, call.body(_NewReference)
    _check_not_empty(it)
    if not asked.ref.startswith("refs/") or asked.ref.count("/") < 2:
        raise unprocessable("Reference name must start with 'refs/' and contain at least two slashes.")
    if not it.git.is_reference_name(asked.ref) or not asked.ref.startswith(("refs/heads/", "refs/tags/")):
        raise unprocessable(f"{asked.ref} is not a valid ref name.")
    _check_commit(it, asked.sha)
    if it.git.reference(asked.ref) is not None or not it.git.move(asked.ref, asked.sha, None):
        raise unprocessable("Reference already exists")
    it.moved(asked.ref.removeprefix("refs/heads/"), call.world.now())
    shown = shapes.reference(call.api, it, asked.ref, asked.sha)
    return Answer(201, shown, {"Location": str(shown["url"])})


def _move_reference(call: Call) -> Answer:
    it, asked, name = call.repository, call.body(_Move), f"refs/{call.parts['ref']}"
    old = it.git.reference(name)
    if old is None:
        raise unprocessable("Reference does not exist")
    _check_commit(it, asked.sha)
    check_protection(it, name.removeprefix("refs/heads/"), 422)
    if not asked.force and not it.git.is_ancestor(old, asked.sha):
        raise unprocessable("Update is not a fast forward")
    if not it.git.move(name, asked.sha, old):
        raise unprocessable("Reference cannot be updated")
    it.moved(name.removeprefix("refs/heads/"), call.world.now())
    return Answer(200, shapes.reference(call.api, it, name, asked.sha))


def _delete_reference(call: Call) -> Answer:
    it, name = call.repository, f"refs/{call.parts['ref']}"
    old = it.git.reference(name)
    if old is None:
        raise unprocessable("Reference does not exist")
    if name == f"refs/heads/{it.default_branch}":
        raise unprocessable("Cannot delete the default branch")
    it.git.remove(name, old)
    it.moved(name.removeprefix("refs/heads/"), call.world.now())
    return Answer(204)


def _check_not_empty(it: HostedRepository) -> None:
    if not it.git.references("refs/"):
        raise empty()


def _check_object(it: HostedRepository, sha: str, kind: str) -> None:
    if not _is_sha(sha):
        raise unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
    if it.git.kind(sha) != kind:
        raise not_found()


def _check_commit(it: HostedRepository, sha: str) -> None:
    if not _is_sha(sha):
        raise unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
    if it.git.kind(sha) != "commit":
        raise unprocessable("Object does not exist")


def _is_sha(text: str) -> bool:
    return _SHA.fullmatch(text) is not None


_GIT: Final = "/repos/{owner}/{repo}/git"
_READ, _WRITE = ("contents", "read"), ("contents", "write")

ROUTES: Final = (
    Route("POST", f"{_GIT}/blobs", _create_blob, _WRITE),
    Route("GET", f"{_GIT}/blobs/{{sha}}", _get_blob, _READ),
    Route("POST", f"{_GIT}/trees", _create_tree, _WRITE),
    Route("GET", f"{_GIT}/trees/{{ref}}", _get_tree, _READ),
    Route("POST", f"{_GIT}/commits", _create_commit, _WRITE),
    Route("GET", f"{_GIT}/commits/{{sha}}", _get_commit, _READ),
    Route("GET", f"{_GIT}/ref/{{ref}}", _get_reference, _READ),
    Route("GET", f"{_GIT}/matching-refs/{{ref}}", _matching_references, _READ),
    Route("POST", f"{_GIT}/refs", _create_reference, _WRITE),
    # The address a reference gives as its own; reading it is not in the description and works all the same.
    Route("GET", f"{_GIT}/refs/{{ref}}", _get_reference, _READ),
    Route("PATCH", f"{_GIT}/refs/{{ref}}", _move_reference, _WRITE),
    Route("DELETE", f"{_GIT}/refs/{{ref}}", _delete_reference, _WRITE),
)
