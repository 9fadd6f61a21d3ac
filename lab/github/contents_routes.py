"""Files, one at a time: read, written and deleted, each write a commit of its own.

Source: docs.github.com/rest/repos/contents.
"""

from base64 import b64decode
from binascii import Error as NotBase64Error
from typing import Final

from lab.azure.wire import Answer
from lab.github import shapes
from lab.github.bare_repository import FILE, Change, Entry
from lab.github.call import Body, Call, Route
from lab.github.github_error import GitHubError, not_found, unprocessable
from lab.github.tree_path import check_tree_path, is_malformed
from lab.github.world import HostedRepository


class _Write(Body):
    message: str
    branch: str | None = None
    sha: str | None = None


class _Put(_Write):
    content: str


class _Delete(_Write):
    sha: str


def _get(call: Call) -> Answer:
    it, path = call.repository, call.parts.get("path", "").strip("/")
    name = call.request.query.get("ref", it.default_branch)
    commit = it.git.resolve(name)
    if commit is None:
        raise not_found(
            f"No commit found for the ref {name}"
            if it.git.references("refs/")
            else "This repository is empty."
        )
    entry = it.git.entry(commit, path) if path and not is_malformed(path) else None
    if path and entry is None:
        raise not_found()
    if entry is None or entry.kind == "tree":
        listed = it.git.entries(f"{commit}:{path}" if path else commit)
        below = f"{path}/" if path else ""
        return Answer(
            200, [shapes.content(call.api, it, each, below + each.path, name, None) for each in listed]
        )
    data = it.git.read_blob(entry.sha) if entry.kind == "blob" else b""
    return Answer(200, shapes.content(call.api, it, entry, path, name, data))


def _put(call: Call) -> Answer:
    it, asked = call.repository, call.body(_Put)
    path = check_tree_path(call.parts["path"])
    data = decoded(asked.content)
    branch, old = _branch(it, asked.branch)
    there = it.git.entry(old, path) if old else None
    if there is not None and there.kind != "blob":
        raise unprocessable(f"{path} is a directory and can't be overwritten")
    _check_sha(path, there, asked.sha)
    blob = it.git.write_blob(data)
    commit = _commit(call, it, branch, old, Change(path, blob, there.mode if there else FILE), asked.message)
    shown = shapes.content(call.api, it, Entry(FILE, "blob", blob, path, len(data)), path, branch, None)
    body = {"content": shown, "commit": shapes.git_commit(call.api, it, it.git.read_commit(commit))}
    return Answer(200 if there else 201, body)


def _delete(call: Call) -> Answer:
    it, path = call.repository, call.parts["path"]
    asked = call.body(_Delete) if call.request.body else _Delete.model_validate(dict(call.request.query))
    branch, old = _branch(it, asked.branch)
    there = it.git.entry(old, path) if old and not is_malformed(path) else None
    if there is None:
        raise not_found()
    _check_sha(path, there, asked.sha)
    commit = _commit(call, it, branch, old, Change(path, None), asked.message)
    body = {"content": None, "commit": shapes.git_commit(call.api, it, it.git.read_commit(commit))}
    return Answer(200, body)


def decoded(text: str) -> bytes:
    """What base64 stands for.

    Raises:
        GitHubError: 422 when it is none.
    """
    try:
        return b64decode("".join(text.split()), validate=True)
    except (NotBase64Error, ValueError) as error:
        raise unprocessable("content is not valid Base64") from error


def _branch(it: HostedRepository, asked: str | None) -> tuple[str, str | None]:
    branch = asked or it.default_branch
    old = it.git.reference(f"refs/heads/{branch}")
    if old is None and it.git.references("refs/"):
        raise not_found(f"Branch {branch} not found")
    return branch, old


def _check_sha(path: str, there: Entry | None, given: str | None) -> None:
    if there is not None and given is None:
        raise unprocessable('Invalid request.\n\n"sha" wasn\'t supplied.')
    if given is not None and (there is None or there.sha != given):
        raise GitHubError(409, f"{path} does not match {given}")


def _commit(
    call: Call, it: HostedRepository, branch: str, old: str | None, change: Change, message: str
) -> str:
    check_protection(it, branch, 409)
    signed = call.signature()
    tree = it.git.write_tree(old, [change])
    new = it.git.write_commit(tree, [old] if old else [], message, signed, signed)
    if not it.git.move(f"refs/heads/{branch}", new, old):
        raise GitHubError(409, f"is at {it.git.reference(f'refs/heads/{branch}')} but expected {old}")
    it.moved(branch, call.world.now())
    return new


def check_protection(it: HostedRepository, branch: str, status: int) -> None:
    """Refuse to move a branch that only pull requests may move.

    Raises:
        GitHubError: it is one.
    """
    if branch in it.protected:
        message = "Repository rule violations found\n\nChanges must be made through a pull request.\n\n"
        raise GitHubError(status, message)


_PLACE: Final = "/repos/{owner}/{repo}/contents/{path}"

ROUTES: Final = (
    Route("GET", "/repos/{owner}/{repo}/contents", _get, ("contents", "read")),
    Route("GET", _PLACE, _get, ("contents", "read")),
    Route("PUT", _PLACE, _put, ("contents", "write")),
    Route("DELETE", _PLACE, _delete, ("contents", "write")),
)
