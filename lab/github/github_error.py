"""What GitHub answers instead of what was asked: a status, a message, sometimes a list of what was wrong.

Source: docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api.
"""

from collections.abc import Mapping
from typing import Final

DOCUMENTATION: Final = "https://docs.github.com/rest"


class GitHubError(Exception):
    """A request GitHub refuses."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: list[dict[str, object]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers or {}

    def body(self) -> dict[str, object]:
        """The body as GitHub shapes it."""
        errors = {} if self.errors is None else {"errors": self.errors}
        return {
            "message": self.message,
            **errors,
            "documentation_url": DOCUMENTATION,
            "status": str(self.status),
        }


def not_found(message: str = "Not Found") -> GitHubError:
    """404: not there, or none of the caller's business."""
    return GitHubError(404, message)


def unprocessable(message: str) -> GitHubError:
    """422 in one sentence."""
    return GitHubError(422, message)


def invalid(resource: str, *, field: str = "", code: str = "custom", message: str = "") -> GitHubError:
    """422 that names the resource and the field."""
    about = {"resource": resource, "field": field, "code": code, "message": message}
    return GitHubError(422, "Validation Failed", [{name: value for name, value in about.items() if value}])


def bad_credentials() -> GitHubError:
    """401: a token nobody gave, or gave and took back."""
    return GitHubError(401, "Bad credentials")
