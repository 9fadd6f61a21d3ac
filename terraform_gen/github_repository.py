"""A repository at GitHub: commits through PyGithub, all files in one, only when the content differs.

A run may end between any two calls. Blobs, trees and commits no branch leads to do no harm; the branch is
moved last, by one call that GitHub refuses when others were faster. So the next run finds the content there,
or finds nothing and does it all again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

import github
from github.Repository import Repository

from azmdr.clock import Clock, SystemClock
from terraform_gen.file_diff import blob_sha, unified_diff
from terraform_gen.git_objects import BranchMovedError, GitObjects, Tip
from terraform_gen.github_calls import Calls, Patience, back_off
from terraform_gen.github_credentials import Connection, Credentials, TokenCredentials, client
from terraform_gen.github_errors import (
    MovingBranchError,
    NotFoundError,
    Place,
    PublicRepositoryError,
    RefusedError,
    SignInError,
)
from terraform_gen.pull_request_branch import PullRequestBranch
from terraform_gen.repository import CommitResult, Mode, Outcome, Proposal, StaleProposalError

Result = TypeVar("Result")

_EMPTY: Final = 409


@dataclass(frozen=True, slots=True)
class Target:
    """Which branch of which repository, and how to reach it.

    Args:
        name: owner and name.
        branch: the one Terraform applies.
        mode: whether commits go there at once or through a pull request.
        proposing: the branch of the pull request; it is ours alone.
    """

    name: str
    branch: str = "main"
    mode: Mode = Mode.PUSH
    proposing: str = "azmdr/event-hubs"


class GitHubRepository:
    """A repository at GitHub.

    Args:
        target: which.
        credentials: who we are.
        connection: where GitHub is.
        clock: waits.
        patience: how far we go.
    """

    def __init__(
        self,
        target: Target,
        credentials: Credentials,
        connection: Connection,
        clock: Clock | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._target = target
        self._credentials = credentials
        self._connection = connection
        self._calls = Calls(Place(target.name, target.branch), clock or SystemClock(), patience or Patience())

    def read(self, path: str) -> str | None:
        """A file as the branch has it; None where it has none.

        Raises:
            GitHubError: it can't be read.
        """
        return self._signed_in(lambda repository: self._read(repository, path))

    def commit(self, proposal: Proposal) -> CommitResult:
        """Make the files so, unless they are.

        Raises:
            GitHubError: they are not so, as far as anybody knows; the next run does it all again.
            StaleProposalError: the branch has not what the proposal is based on.
        """
        return self._signed_in(lambda repository: self._commit(repository, proposal))

    def _signed_in(self, work: Callable[[Repository], Result]) -> Result:
        """Work with a client, and once more with another token when an app's is not taken any longer."""
        try:
            return self._with_client(work)
        except SignInError:
            if isinstance(self._credentials, TokenCredentials):
                raise
        return self._with_client(work)

    def _with_client(self, work: Callable[[Repository], Result]) -> Result:
        hub = self._calls.ask(
            "sign in", lambda: client(self._credentials, self._connection, self._target.name)
        )
        with hub:
            return work(self._repository(hub))

    def _repository(self, hub: github.Github) -> Repository:
        found = self._calls.ask("read the repository", lambda: hub.get_repo(self._target.name))
        if not found.private:
            raise PublicRepositoryError(
                self._calls.place, "read the repository", "it is public, and the files name customers"
            )
        return found

    def _read(self, repository: Repository, path: str) -> str | None:
        objects = GitObjects(repository, self._calls)
        held = objects.files(self._base(objects), [path])[path]
        return None if held is None else objects.text(held)

    def _base(self, objects: GitObjects) -> Tip:
        try:
            base = objects.tip(self._target.branch)
        except RefusedError as error:
            if error.status == _EMPTY:
                told = f"{error.told} Make its first commit, with the Terraform that uses the mapping"
                raise RefusedError(error.place, error.what, told, error.status, error.request_id) from None
            raise
        if base is None:
            raise NotFoundError(self._calls.place, "read the branch", "the repository has no such branch")
        return base

    def _commit(self, repository: Repository, proposal: Proposal) -> CommitResult:
        objects = GitObjects(repository, self._calls)
        proposing = PullRequestBranch(
            repository, objects, self._calls, self._target.branch, self._target.proposing
        )
        ours: list[Tip] = []
        attempt = 0
        while True:
            attempt += 1
            base = self._base(objects)
            self._check_base(objects, base, proposal)
            try:
                if self._target.mode is Mode.PUSH:
                    return self._push(objects, base, proposal, ours)
                if objects.has(base, proposal.files):
                    return proposing.withdraw(base)
                return proposing.propose(base, proposal, self._diff(objects, base, proposal))
            except BranchMovedError as error:
                if attempt >= self._calls.patience.stale:
                    told = f"moved {attempt} times meanwhile, or out of reach; at last: {error.cause.told}"
                    raise MovingBranchError(
                        self._calls.place, error.cause.what, told, error.cause.request_id
                    ) from None
                self._calls.clock.sleep(back_off(attempt))

    def _check_base(self, objects: GitObjects, base: Tip, proposal: Proposal) -> None:
        if proposal.based_on is None or objects.has(base, proposal.files):
            return
        for path, held in objects.files(base, proposal.based_on).items():
            expected = proposal.based_on[path]
            if (held and held.sha) != (None if expected is None else blob_sha(expected)):
                raise StaleProposalError(
                    f"{self._target.name}, branch {self._target.branch}: {path} was changed meanwhile"
                )

    def _push(self, objects: GitObjects, base: Tip, proposal: Proposal, ours: list[Tip]) -> CommitResult:
        """Put a commit on the branch. ``ours`` are those whose way there nobody knows."""
        if objects.has(base, proposal.files):
            arrived = next((tip for tip in ours if objects.is_in(tip.sha, base)), None)
            outcome = Outcome.UNCHANGED if arrived is None else Outcome.COMMITTED
            held = arrived or base
            return CommitResult(outcome, held.sha, held.url, self._diff_of(objects, arrived, proposal))
        diff = self._diff(objects, base, proposal)
        made = objects.commit(base, proposal.files, proposal.message)
        ours.append(made)
        objects.move(self._target.branch, made)
        return CommitResult(Outcome.COMMITTED, made.sha, made.url, diff)

    def _diff_of(self, objects: GitObjects, made: Tip | None, proposal: Proposal) -> str:
        if made is None:
            return ""
        return self._diff(objects, objects.at(made.commit.parents[0].sha), proposal)

    def _diff(self, objects: GitObjects, base: Tip, proposal: Proposal) -> str:
        return "\n".join(self._diffs(objects, base, proposal))

    def _diffs(self, objects: GitObjects, base: Tip, proposal: Proposal) -> Iterator[str]:
        for path, held in objects.files(base, proposal.files).items():
            before = None if held is None else objects.text(held)
            if before != proposal.files[path]:
                yield unified_diff(path, before, proposal.files[path])
