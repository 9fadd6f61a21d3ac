"""Repositories, branches, commits and comparisons.

Source: docs.github.com/rest/repos, /rest/branches/branches, /rest/commits/commits.
"""

from typing import Final

from lab.azure.wire import Answer
from lab.github import shapes
from lab.github.bare_repository import ChangedFile
from lab.github.call import Call, Route
from lab.github.github_error import GitHubError, not_found, unprocessable
from lab.github.world import HostedRepository


def _get_repository(call: Call) -> Answer:
    return Answer(200, shapes.repository(call.api, call.repository))


def _get_branch(call: Call) -> Answer:
    it, name = call.repository, call.parts["ref"]
    sha = it.git.reference(f"refs/heads/{name}")
    if sha is None:
        raise not_found("Branch not found")
    return Answer(200, shapes.branch(call.api, it, name, it.git.read_commit(sha)))


def _list_branches(call: Call) -> Answer:
    it = call.repository
    named, headers = call.page(sorted(it.git.references("refs/heads/").items()))
    shown = [
        {
            "name": name.removeprefix("refs/heads/"),
            "commit": {"sha": sha, "url": f"{call.api}/repos/{it.full_name}/commits/{sha}"},
            "protected": name.removeprefix("refs/heads/") in it.protected,
        }
        for name, sha in named
    ]
    return Answer(200, shown, headers)


def _list_commits(call: Call) -> Answer:
    it = call.repository
    start = it.git.resolve(call.request.query.get("sha", it.default_branch))
    if start is None:
        raise empty() if not it.git.references("refs/") else not_found()
    shas, headers = call.page(it.git.log(start, call.request.query.get("path")))
    return Answer(200, [shapes.commit(call.api, it, it.git.read_commit(sha)) for sha in shas], headers)


def _get_commit(call: Call) -> Answer:
    it, name = call.repository, call.parts["ref"]
    sha = it.git.resolve(name)
    if sha is None:
        raise unprocessable(f"No commit found for SHA: {name}")
    made = it.git.read_commit(sha)
    shown = shapes.commit(call.api, it, made)
    if made.parents:
        shown["files"] = [_file(call.api, it, each) for each in it.git.changed_files(made.parents[0], sha)]
    return Answer(200, shown)


def _compare(call: Call) -> Answer:
    it = call.repository
    names = call.parts["ref"].partition("...")[::2]
    base, head = (it.git.resolve(name) for name in names)
    if base is None or head is None:
        raise not_found()
    parted = it.git.merge_base(base, head)
    if parted is None:
        raise not_found(f"No common ancestor between {names[0]} and {names[1]}.")
    ahead, behind = it.git.between(base, head), it.git.between(head, base)
    status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}
    shown, headers = call.page(ahead)
    url = f"{call.api}/repos/{it.full_name}/compare/{call.parts['ref']}"
    html = f"{shapes.HTML}/{it.full_name}/compare/{call.parts['ref']}"
    body = {
        "url": url,
        "html_url": html,
        "permalink_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "base_commit": shapes.commit(call.api, it, it.git.read_commit(base)),
        "merge_base_commit": shapes.commit(call.api, it, it.git.read_commit(parted)),
        "status": status.get((bool(ahead), bool(behind)), "diverged"),
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [shapes.commit(call.api, it, it.git.read_commit(sha)) for sha in shown],
        "files": [_file(call.api, it, each) for each in it.git.changed_files(parted, head)],
    }
    return Answer(200, body, headers)


def _file(api: str, it: HostedRepository, changed: ChangedFile) -> dict[str, object]:
    return {
        "sha": changed.sha,
        "filename": changed.path,
        "status": changed.status,
        "additions": changed.additions,
        "deletions": changed.deletions,
        "changes": changed.additions + changed.deletions,
        "blob_url": f"{shapes.HTML}/{it.full_name}/blob/{changed.path}",
        "raw_url": f"{shapes.HTML}/{it.full_name}/raw/{changed.path}",
        "contents_url": f"{api}/repos/{it.full_name}/contents/{changed.path}",
    }


def empty() -> GitHubError:
    """409: a repository without a single commit."""
    return GitHubError(409, "Git Repository is empty.")


_REPOSITORY: Final = "/repos/{owner}/{repo}"
_READ: Final = ("contents", "read")

ROUTES: Final = (
    Route("GET", _REPOSITORY, _get_repository, ("metadata", "read")),
    Route("GET", f"{_REPOSITORY}/branches", _list_branches, _READ),
    Route("GET", f"{_REPOSITORY}/branches/{{ref}}", _get_branch, _READ),
    Route("GET", f"{_REPOSITORY}/commits", _list_commits, _READ),
    Route("GET", f"{_REPOSITORY}/commits/{{ref}}", _get_commit, _READ),
    Route("GET", f"{_REPOSITORY}/compare/{{ref}}", _compare, _READ),
)
