"""How pull requests end, and begin again."""

from dataclasses import dataclass
from datetime import datetime

from lab.github.bare_repository import Signature
from lab.github.github_error import GitHubError
from lab.github.world import Account, HostedRepository, PullRequest


def reopen(it: HostedRepository, pull: PullRequest, now: datetime) -> None:
    """Open again.

    Raises:
        GitHubError: it was merged, or its branch is gone.
    """
    head = it.git.reference(f"refs/heads/{pull.head}")
    if pull.merged_at is not None or head is None:
        about: dict[str, object] = {
            "resource": "PullRequest",
            "code": "invalid",
            "field": "state",
            "message": "state cannot be changed. The pull request was merged or its branch is gone.",
        }
        raise GitHubError(422, "Validation Failed", [about])
    pull.state, pull.closed_at, pull.updated_at, pull.head_sha = "open", None, now, head


@dataclass(frozen=True, slots=True)
class Merge:
    """How a person wants it merged."""

    by: Account
    signed: Signature
    method: str
    title: str
    message: str


def merge(it: HostedRepository, pull: PullRequest, how: Merge) -> str:
    """Merge a pull request.

    Raises:
        GitHubError: 405 when it can't be merged, 409 when its base moved meanwhile.
    """
    if pull.state == "closed" or pull.is_draft:
        raise GitHubError(405, "Pull Request is not mergeable")
    tree = it.git.merged_tree(pull.base_sha, pull.head_sha)
    if tree is None:
        raise GitHubError(405, "Pull Request is not mergeable")
    if it.needs_linear_history and how.method == "merge":
        raise GitHubError(405, "Merge commits are not allowed on this repository.")
    old = pull.base_sha
    parents = [old] if how.method == "squash" else [old, pull.head_sha]
    new = it.git.write_commit(tree, parents, f"{how.title}\n\n{how.message}".strip(), how.signed, how.signed)
    if not it.git.move(f"refs/heads/{pull.base}", new, old):
        raise GitHubError(409, "Base branch was modified. Review and try the merge again.")
    now = how.signed.at
    pull.state, pull.closed_at, pull.merged_at, pull.updated_at = "closed", now, now, now
    pull.merge_commit, pull.merged_by = new, how.by
    it.moved(pull.base, now)
    return new
