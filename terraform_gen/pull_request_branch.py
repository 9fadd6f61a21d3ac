"""Pull-request mode: one branch of our own, and at most one open pull request from it.

The branch only ever goes forward, so that nothing a person put there is lost. A pull request that a person
closed stays closed as long as the same content is wanted; another content is another question and gets asked.
"""

from collections.abc import Mapping
from typing import Final

from github import InputGitTreeElement
from github.File import File
from github.PullRequest import PullRequest
from github.Repository import Repository

from terraform_gen.git_objects import BranchMovedError, GitObjects, Tip
from terraform_gen.github_calls import Calls
from terraform_gen.github_errors import RefusedError, TransientError
from terraform_gen.repository import CommitResult, Outcome, Proposal, PullRequestLink

WITHDRAWN: Final = "<!-- azmdr: withdrawn -->"
"""In the body of a pull request that we closed ourselves."""
_LONGEST_BODY: Final = 60_000


class PullRequestBranch:
    """The branch and its pull request.

    Args:
        repository: where.
        objects: reads and writes git's objects there.
        calls: makes the other calls.
        base: the branch that is to be merged into.
        name: the branch of ours.
    """

    def __init__(
        self, repository: Repository, objects: GitObjects, calls: Calls, base: str, name: str
    ) -> None:
        self._repository = repository
        self._objects = objects
        self._calls = calls
        self._base = base
        self._name = name
        self._unsure: dict[str, Outcome] = {}
        """By commit: what we did, as far as anybody knows."""

    def withdraw(self, base: Tip) -> CommitResult:
        """The base has the content: close what asks for another one."""
        pull = self._latest("open")
        if pull is None:
            return CommitResult(Outcome.UNCHANGED, base.sha, base.url)
        body = f"{pull.body or ''}\n\nWithdrawn: `{self._base}` has what is wanted.\n{WITHDRAWN}"
        self._calls.ask(f"close pull request {pull.number}", lambda: pull.edit(state="closed", body=body))
        return CommitResult(Outcome.WITHDRAWN, base.sha, base.url, "", _link(pull))

    def propose(self, base: Tip, proposal: Proposal, diff: str) -> CommitResult:
        """The base has another content: have a pull request ask for ours.

        Raises:
            BranchMovedError: something moved meanwhile; look again.
        """
        if (pull := self._latest("open")) is not None:
            return self._update(pull, base, proposal, diff)
        if (declined := self._declined(proposal.files)) is not None:
            head = self._objects.at(declined.head.sha)
            return CommitResult(Outcome.DECLINED, head.sha, head.url, diff, _link(declined))
        tip = self._objects.tip(self._name)
        if tip is None:
            head = self._objects.commit(base, proposal.files, proposal.message)
            self._objects.create(self._name, head)
        elif self._objects.has(tip, proposal.files) and self._objects.is_in(base.sha, tip):
            # A run ended between the branch and its pull request.
            head = tip
        else:
            # What an earlier pull request left behind: only the history is kept, not the content.
            parents = (base,) if self._objects.is_in(tip.sha, base) else (tip, base)
            head = self._objects.commit(base, proposal.files, proposal.message, *parents)
            self._objects.move(self._name, head)
        opened = self._open(proposal, head)
        return CommitResult(Outcome.OPENED, head.sha, head.url, diff, _link(opened))

    def _update(self, pull: PullRequest, base: Tip, proposal: Proposal, diff: str) -> CommitResult:
        head = self._objects.tip(self._name)
        if head is None:
            gone = TransientError(self._calls.place, f"read branch {self._name}", "its branch is gone")
            raise BranchMovedError(gone)
        conflicts = self._conflicts(base, head, proposal.files)
        if self._objects.has(head, proposal.files) and not conflicts:
            outcome = self._unsure.get(head.sha, Outcome.WAITING)
            return CommitResult(outcome, head.sha, head.url, diff, _link(pull))
        if conflicts:
            made = self._resolved(base, head, proposal)
        else:
            made = self._objects.commit(head, proposal.files, proposal.message)
        # What it says first: a run that ends here is done again, one that ends after the move is not.
        body = _body(proposal)
        self._calls.ask(
            f"update pull request {pull.number}", lambda: pull.edit(title=proposal.title, body=body)
        )
        self._unsure[made.sha] = Outcome.UPDATED
        self._objects.move(self._name, made)
        return CommitResult(Outcome.UPDATED, made.sha, made.url, diff, _link(pull))

    def _conflicts(self, base: Tip, head: Tip, files: Mapping[str, str]) -> bool:
        """Whether the base changed our files since the branch left it."""
        compared = self._calls.ask("compare commits", lambda: self._repository.compare(head.sha, base.sha))
        return any(each.filename in files for each in compared.files)

    def _resolved(self, base: Tip, head: Tip, proposal: Proposal) -> Tip:
        """A merge of the base: our files as they shall be, others as people left them on the branch."""
        compared = self._calls.ask("compare commits", lambda: self._repository.compare(base.sha, head.sha))
        others = [
            InputGitTreeElement(path, "100644", "blob", sha=sha)
            for each in compared.files
            for path, sha in _changes(each)
            if path not in proposal.files
        ]
        return self._objects.commit(base, proposal.files, proposal.message, head, base, others=others)

    def _latest(self, state: str) -> PullRequest | None:
        owner = self._repository.owner.login
        listed = self._repository.get_pulls(
            state=state, sort="updated", direction="desc", head=f"{owner}:{self._name}", base=self._base
        )
        return self._calls.ask("list pull requests", lambda: next(iter(listed), None))

    def _declined(self, files: Mapping[str, str]) -> PullRequest | None:
        pull = self._latest("closed")
        if pull is None or pull.merged_at is not None or WITHDRAWN in (pull.body or ""):
            return None
        return pull if self._objects.has(self._objects.at(pull.head.sha), files) else None

    def _open(self, proposal: Proposal, head: Tip) -> PullRequest:
        try:
            return self._calls.ask(
                "open a pull request",
                lambda: self._repository.create_pull(
                    self._base, self._name, title=proposal.title, body=_body(proposal)
                ),
                repeat=False,
            )
        except TransientError as error:
            self._unsure[head.sha] = Outcome.OPENED
            raise BranchMovedError(error) from None
        except RefusedError as error:
            # There is one meanwhile, or the base has our commit.
            raise BranchMovedError(error) from None


def _changes(file: File) -> list[tuple[str, str | None]]:
    """Which paths a changed file is about, and the blob each has now."""
    if file.status == "removed":
        return [(file.filename, None)]
    gone: list[tuple[str, str | None]] = [(file.previous_filename, None)] if file.status == "renamed" else []
    return [*gone, (file.filename, file.sha)]


def _body(proposal: Proposal) -> str:
    return proposal.body[:_LONGEST_BODY]


def _link(pull: PullRequest) -> PullRequestLink:
    return PullRequestLink(pull.number, pull.html_url)
