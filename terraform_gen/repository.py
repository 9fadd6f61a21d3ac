"""A repository that generated files are committed to: what is asked of it, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

_UNUSABLE: Final = frozenset({"", ".", "..", ".git"})


class Mode(StrEnum):
    """How a commit reaches the branch."""

    PUSH = "push"
    """At once."""
    PULL_REQUEST = "pull_request"
    """When a person merges it."""


class Outcome(StrEnum):
    """What became of it."""

    UNCHANGED = "unchanged"
    """The branch has the content already."""
    COMMITTED = "committed"
    """The branch has a new commit."""
    OPENED = "opened"
    """A new pull request has the content."""
    UPDATED = "updated"
    """The open pull request has a new commit."""
    WAITING = "waiting"
    """The open pull request has the content already; it waits for a person."""
    DECLINED = "declined"
    """A person closed the pull request with this content; it is not opened again."""
    WITHDRAWN = "withdrawn"
    """The branch has the content, so the open pull request with another one was closed."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Files as they shall be, and what to say of them.

    Args:
        files: texts by path, all in one commit; other files stay as they are.
        title: one line, at most 72 characters.
        body: Markdown; it becomes the rest of the message and the body of the pull request.
        based_on: what the branch had when this was thought out, texts by path; nothing is committed where it
            has something else by then. None commits whatever was there.
    """

    files: Mapping[str, str]
    title: str
    body: str
    based_on: Mapping[str, str | None] | None = None

    def __post_init__(self) -> None:
        for path in self.files:
            if _UNUSABLE & {part.lower() for part in path.split("/")} or "\\" in path:
                raise ValueError(f"{path!r} is no path of a file within a repository")

    @property
    def message(self) -> str:
        """The message of the commit."""
        return f"{self.title}\n\n{self.body}".strip() + "\n"


@dataclass(frozen=True, slots=True)
class PullRequestLink:
    """Where people talk about it."""

    number: int
    url: str


@dataclass(frozen=True, slots=True)
class CommitResult:
    """What became of a proposal."""

    outcome: Outcome
    sha: str
    """The commit that has the content: on the branch, or of the pull request."""
    url: str
    """Its page."""
    diff: str = ""
    """What differs between the branch as it was and the proposal, unified, bounded."""
    pull_request: PullRequestLink | None = None

    @property
    def changed(self) -> bool:
        """Whether this run changed anything at GitHub."""
        return self.outcome not in (Outcome.UNCHANGED, Outcome.WAITING, Outcome.DECLINED)


class StaleProposalError(Exception):
    """The branch has other files by now than those the proposal was made from: think again."""


class Repository(Protocol):
    """Keeps generated files, with their history."""

    def read(self, path: str) -> str | None:
        """A file as the branch has it; None where it has none."""

    def commit(self, proposal: Proposal) -> CommitResult:
        """Make the files so, unless they are.

        Raises:
            StaleProposalError: the branch has not what the proposal is based on.
        """
