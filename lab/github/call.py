"""A call: a request whose caller is known, and the routes that say what each path stands for."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, ValidationError

from lab.azure.wire import Answer, Request
from lab.github.bare_repository import Signature
from lab.github.github_error import GitHubError, not_found
from lab.github.rate_limits import RateLimits
from lab.github.sign_in import Caller
from lab.github.world import Account, HostedRepository, World


class Body(BaseModel):
    """A request's body; what GitHub does not know it ignores."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


AnyBody = TypeVar("AnyBody", bound=Body)
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Call:
    """A request with all that is known of it when its handler runs."""

    world: World
    limits: RateLimits
    caller: Caller
    request: Request
    parts: Mapping[str, str]
    prefix: str
    """What stands before the path: nothing, or ``/api/v3`` as on GitHub Enterprise Server."""

    @property
    def api(self) -> str:
        """The address of the API, to which paths are appended."""
        return f"{self.request.origin}{self.prefix}"

    @property
    def repository(self) -> HostedRepository:
        """The repository the path is about.

        Raises:
            GitHubError: 404 when there is none, or none the caller may see.
        """
        found = self.world.repositories.get(f"{self.parts['owner']}/{self.parts['repo']}".lower())
        if found is None or not self.caller.sees(found):
            raise not_found()
        return found

    @property
    def account(self) -> Account:
        """Who asks.

        Raises:
            GitHubError: 401 when nobody in particular does.
        """
        if self.caller.token is None:
            raise GitHubError(401, "Requires authentication")
        return self.caller.token.account

    def signature(self) -> Signature:
        """How a commit of the caller is signed."""
        return Signature(self.account.login, self.account.signature_email, self.world.now())

    def body(self, model: type[AnyBody]) -> AnyBody:
        """The request's body.

        Raises:
            GitHubError: 400 when it is no JSON, 422 when it has another shape.
        """
        try:
            return model.model_validate_json(self.request.body or b"{}")
        except ValidationError as error:
            first = error.errors()[0]
            if first["type"] == "json_invalid":
                raise GitHubError(400, "Problems parsing JSON") from error
            where = "/".join(str(step) for step in first["loc"])
            message = f"Invalid request.\n\nFor '{where}', {first['msg']}."
            raise GitHubError(422, message) from error

    def page(self, items: list[Item]) -> tuple[list[Item], dict[str, str]]:
        """One page of a list, and the header that leads to the others."""
        size = min(100, max(1, _number(self.request.query.get("per_page"), 30)))
        number = max(1, _number(self.request.query.get("page"), 1))
        last = max(1, -(-len(items) // size))
        leads = {"next": number + 1, "last": last} if number < last else {}
        leads |= {"prev": number - 1, "first": 1} if number > 1 else {}
        link = ", ".join(f'<{self._page_address(to)}>; rel="{name}"' for name, to in leads.items())
        return items[(number - 1) * size : number * size], {"Link": link} if link else {}

    def _page_address(self, number: int) -> str:
        query = urlencode({**self.request.query, "page": str(number)})
        return f"{self.request.origin}{self.request.path}?{query}"


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() else otherwise


@dataclass(frozen=True, slots=True)
class Route:
    """What a method on a path stands for.

    Args:
        method: the HTTP method.
        template: the path; ``{path}`` and ``{ref}`` may hold slashes, any other name is one segment.
        handle: answers a call.
        needs: the permission and the level it takes, such as ``("contents", "write")``; None when the handler
            sees to that.
        by_app: whether only an app itself may ask.
    """

    method: str
    template: str
    handle: Callable[[Call], Answer]
    needs: tuple[str, str] | None = None
    by_app: bool = False

    def pattern(self) -> re.Pattern[str]:
        """What matches its paths."""
        parts = re.split(r"\{(\w+)\}", self.template)
        spelled = (re.escape(part) if index % 2 == 0 else _group(part) for index, part in enumerate(parts))
        return re.compile("".join(spelled), re.DOTALL)


def _group(name: str) -> str:
    return f"(?P<{name}>{'.*' if name in ('path', 'ref') else '[^/]+'})"
