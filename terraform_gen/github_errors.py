"""What GitHub may answer instead of what was asked, told apart by what to do about it.

Source: docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api and
.../using-the-rest-api/rate-limits-for-the-rest-api.
"""

import re
from dataclasses import dataclass
from typing import Final

_SHOWN_CHARACTERS: Final = 500
_TOKENS: Final = re.compile(
    r"gh[a-z]_[A-Za-z0-9_]+|github_pat_\w+|v1\.[0-9a-f]{30,}|eyJ[\w-]+\.[\w-]+\.[\w-]+|(?<![0-9a-f-])[0-9a-f]{41,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)


def without_secrets(text: str) -> str:
    """A text in which nothing is left that looks like a token or a key."""
    return _TOKENS.sub("***", text)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was asked."""

    repository: str
    branch: str


class GitHubError(Exception):
    """A call that did not bring what was asked for.

    Args:
        place: the repository and the branch.
        what: the call, as a person would name it.
        told: what GitHub said.
        request_id: under which GitHub's support finds it.
    """

    def __init__(self, place: Place, what: str, told: str, request_id: str | None = None) -> None:
        said = without_secrets(told)[:_SHOWN_CHARACTERS]
        asked = f" (request {request_id})" if request_id else ""
        super().__init__(f"{place.repository}, branch {place.branch}: {what}: {said}{asked}")
        self.place = place
        self.what = what
        self.told = said
        self.request_id = request_id


class TransientError(GitHubError):
    """It may go well the next time: a server's error, a broken connection; what was done is not known."""


class RateLimitedError(GitHubError):
    """GitHub takes no more calls for longer than we wait; ``retry_after`` in seconds."""

    def __init__(
        self, place: Place, what: str, told: str, retry_after: float, request_id: str | None = None
    ) -> None:
        super().__init__(place, what, f"{told} (again in {retry_after:.0f} s)", request_id)
        self.retry_after = retry_after


class SignInError(GitHubError):
    """GitHub does not know us: a wrong or expired token, a wrong key, an app that is not installed there."""


class NotAllowedError(GitHubError):
    """We may not do that; the app or the token lacks a permission."""


class NotFoundError(GitHubError):
    """There is no such repository or branch, or none that we may see."""


class RefusedError(GitHubError):
    """GitHub refuses, and would again."""

    def __init__(
        self, place: Place, what: str, told: str, status: int, request_id: str | None = None
    ) -> None:
        super().__init__(place, what, f"{status} {told}", request_id)
        self.status = status


class PublicRepositoryError(GitHubError):
    """Everybody can read the repository, and the files name customers."""


class PathTakenError(GitHubError):
    """Where a file shall be there is something that is none."""


class MovingBranchError(GitHubError):
    """Others moved the branch each time we were about to."""


class UnreadableError(GitHubError):
    """An answer in a shape nobody has seen; asking again would bring the same."""
