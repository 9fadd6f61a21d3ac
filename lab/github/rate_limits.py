"""Rate limits: so many requests an hour, and so many points a minute.

Source: docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api. Of the secondary limits only the
points are enforced: a read is one, a write five, and 900 a minute are too many.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from lab.github.github_error import GitHubError

HOUR: Final = 3600
SECONDARY: Final = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


@dataclass(slots=True)
class _Used:
    since: float
    count: int = 0
    points: deque[tuple[float, int]] = field(default_factory=deque)


@dataclass(slots=True)
class RateLimits:
    """Counts by caller."""

    per_hour: int = 5000
    points_per_minute: int = 900
    status: int = 403
    """403 or 429: GitHub's page allows itself both."""
    _used: dict[str, _Used] = field(default_factory=dict)

    def admit(self, caller: str, method: str, now: float) -> None:
        """Count a request.

        Raises:
            GitHubError: one too many.
        """
        used = self._of(caller, now)
        if used.count >= self.per_hour:
            raise GitHubError(
                self.status, f"API rate limit exceeded for {caller}.", headers=self.headers(caller, now)
            )
        while used.points and used.points[0][0] <= now - 60:
            used.points.popleft()
        cost = 1 if method in ("GET", "HEAD", "OPTIONS") else 5
        if sum(points for _, points in used.points) + cost > self.points_per_minute:
            wait = str(int(used.points[0][0] + 60 - now) + 1) if used.points else "60"
            raise secondary(self.status, int(wait))
        used.points.append((now, cost))
        used.count += 1

    def give_back(self, caller: str, now: float) -> None:
        """A request that does not count after all: an answer of 304."""
        used = self._of(caller, now)
        used.count = max(0, used.count - 1)

    def headers(self, caller: str, now: float) -> dict[str, str]:
        """What an answer says of it."""
        return {
            f"X-RateLimit-{name.title()}": str(value) for name, value in self.state(caller, now).items()
        } | {"X-RateLimit-Resource": "core"}

    def state(self, caller: str, now: float) -> dict[str, int]:
        """How much is left."""
        used = self._of(caller, now)
        return {
            "limit": self.per_hour,
            "remaining": max(0, self.per_hour - used.count),
            "reset": int(used.since + HOUR),
            "used": used.count,
        }

    def _of(self, caller: str, now: float) -> _Used:
        used = self._used.get(caller)
        if used is None or now >= used.since + HOUR:
            used = self._used[caller] = _Used(now)
        return used


def secondary(status: int, retry_after: int | None) -> GitHubError:
    """Too much at once."""
    wait = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return GitHubError(status, SECONDARY, headers=wait)
