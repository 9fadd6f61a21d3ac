"""Calls to GitHub: repeated where that may help, and their errors told apart."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import github
import requests

from azmdr.clock import Clock
from terraform_gen.github_credentials import KeyFormatError
from terraform_gen.github_errors import (
    GitHubError,
    NotAllowedError,
    NotFoundError,
    Place,
    RateLimitedError,
    RefusedError,
    SignInError,
    TransientError,
    UnreadableError,
)

Answer = TypeVar("Answer")

_UNSAID: Final = 60.0
"""What GitHub asks to wait at least where it gives no time."""
_BACK_OFF: Final = (1.0, 3.0, 9.0, 27.0)


@dataclass(frozen=True, slots=True)
class Patience:
    """How far we go. Times in seconds."""

    attempts: int = 4
    """How often a call is made that fails for a reason that may pass."""
    longest_wait: float = 180.0
    """The longest that a rate limit is waited for; above it the call is given up."""
    stale: int = 6
    """How often a branch that others move is read again."""


class Calls:
    """Makes calls, one after the other."""

    def __init__(self, place: Place, clock: Clock, patience: Patience) -> None:
        self.place = place
        self.clock = clock
        self.patience = patience

    def ask(self, what: str, call: Callable[[], Answer], *, repeat: bool = True) -> Answer:
        """Make a call.

        Args:
            what: the call, as a person would name it.
            call: makes it, once.
            repeat: whether it may be made again when nobody knows what became of it.

        Raises:
            GitHubError: of the kind that fits.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                return self.once(what, call)
            except RateLimitedError as error:
                # Nothing was done, whatever it was.
                wait = error.retry_after
                if attempt >= self.patience.attempts or wait > self.patience.longest_wait:
                    raise
            except TransientError:
                if not repeat or attempt >= self.patience.attempts:
                    raise
                wait = back_off(attempt)
            self.clock.sleep(wait)

    def once(self, what: str, call: Callable[[], Answer]) -> Answer:
        """Make a call, and have its error told apart.

        Raises:
            GitHubError: of the kind that fits.
        """
        try:
            return call()
        except github.GithubException as error:
            found = self._of_answer(what, error)
        except requests.RequestException as error:
            found = TransientError(self.place, what, type(error).__name__)
        except KeyFormatError as error:
            found = SignInError(self.place, what, f"github_app_private_key: {error}")
        except ValueError:
            found = TransientError(self.place, what, "the answer can't be read")
        except (
            github.BadAttributeException,
            AssertionError,
            LookupError,
            TypeError,
            AttributeError,
        ) as error:
            found = UnreadableError(
                self.place, what, f"the answer has an unknown shape: {type(error).__name__}"
            )
        # Raised out here, nothing drags the library's error along: that holds the request, and it the token.
        raise found

    def _of_answer(self, what: str, error: github.GithubException) -> GitHubError:
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        request_id = headers.get("x-github-request-id")
        told = _told(error)
        if self._is_rate_limit(error, headers):
            return RateLimitedError(self.place, what, told, self._wait(headers), request_id)
        match error.status:
            case 401:
                return SignInError(self.place, what, f"401 {told}", request_id)
            case 403:
                return NotAllowedError(self.place, what, f"403 {told}", request_id)
            case 404:
                return NotFoundError(self.place, what, f"404 {told}", request_id)
            case 408 | 500 | 502 | 503 | 504:
                return TransientError(self.place, what, f"{error.status} {told}", request_id)
        return RefusedError(self.place, what, told, error.status, request_id)

    def _is_rate_limit(self, error: github.GithubException, headers: dict[str, str]) -> bool:
        if isinstance(error, github.RateLimitExceededException) or error.status == 429:
            return True
        return error.status == 403 and (
            "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
        )

    def _wait(self, headers: dict[str, str]) -> float:
        given = _seconds(headers.get("retry-after"))
        if given is not None:
            return given
        reset = _seconds(headers.get("x-ratelimit-reset"))
        if headers.get("x-ratelimit-remaining") == "0" and reset is not None:
            # The second in which it is reset is not over when it begins.
            return max(0.0, reset - self.clock.now().timestamp()) + 1
        return _UNSAID


def back_off(attempt: int) -> float:
    """How long to wait after so many attempts."""
    return _BACK_OFF[min(attempt, len(_BACK_OFF)) - 1]


def _seconds(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text is not None else None
    except ValueError:
        return None


def _told(error: github.GithubException) -> str:
    data = error.data if isinstance(error.data, dict) else {}
    errors = data.get("errors")
    found = errors if isinstance(errors, list) else []
    # What was wrong stands in the list, where there is one.
    more = [str(each.get("message") or each) for each in found if isinstance(each, dict)]
    return ": ".join([str(data.get("message") or error.message or "no reason given"), *more])
