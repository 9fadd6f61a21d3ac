"""A call: a request whose caller is known, and the routes that say what each path stands for."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from lab.azure.access import linked_forbidden, may
from lab.azure.arm_error import ArmError, bad_request
from lab.azure.cloud import Cloud
from lab.azure.directory import Principal
from lab.azure.resource_id import ResourceId
from lab.azure.wire import Answer, Request

_SUBSCRIPTION: Final = r"/subscriptions/[^/]+"
_GROUP: Final = rf"{_SUBSCRIPTION}/resourcegroups/[^/]+"
_PLACES: Final = {
    "subscription": _SUBSCRIPTION,
    "group": _GROUP,
    "scope": rf"{_SUBSCRIPTION}(?:/.+)?",
    "namespace": rf"{_GROUP}/providers/microsoft\.eventhub/namespaces/[^/]+",
    "workspace": rf"{_GROUP}/providers/microsoft\.operationalinsights/workspaces/[^/]+",
}


class Body(BaseModel):
    """A request's body, or a part of one; what Azure does not know it ignores."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


AnyBody = TypeVar("AnyBody", bound=Body)


@dataclass(frozen=True, slots=True)
class Call:
    """A request with all that is known of it when its handler runs."""

    cloud: Cloud
    principal: Principal
    request: Request
    api_version: str
    parts: Mapping[str, str]
    """What the placeholders of the route's path stand for."""
    turn: int
    """Which spelling ids get in this answer."""
    act: Callable[[Principal, Request], Answer]
    """Answers a request that this one entails, without a token and a throttle, but with every other rule."""

    def send(self, method: str, path: str, api_version: str, body: object = None) -> Answer:
        """Ask on behalf of the caller."""
        return self.act(self.principal, self.request.entailed(method, path, api_version, body))

    @property
    def scope(self) -> ResourceId:
        """What the path is about.

        Raises:
            ArmError: 400 when it is no id.
        """
        try:
            return ResourceId.parse(self.parts["scope"])
        except ValueError as error:
            raise bad_request(str(error), "InvalidResourceId") from error

    def body(self, model: type[AnyBody]) -> AnyBody:
        """The request's body.

        Raises:
            ArmError: 400 when it has another shape.
        """
        try:
            return model.model_validate_json(self.request.body)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(step) for step in first["loc"])
            message = f"The request content was invalid: {first['msg']} at '{where}'."
            raise bad_request(message, "InvalidRequestContent") from error

    def may(self, action: str, scope: ResourceId) -> bool:
        """Whether the caller may do something elsewhere."""
        subscription = self.cloud.subscriptions.get(scope.subscription_id)
        return subscription is not None and may(
            self.cloud.held(self.principal, subscription), action, scope.key
        )

    def check_linked(self, action: str, linked: ResourceId) -> None:
        """Refuse a call that entails what the caller may not do.

        Raises:
            ArmError: 403.
        """
        if not self.may(action, linked):
            raise linked_forbidden(self.principal, action, self.parts.get("scope", "/"), linked.text)


@dataclass(frozen=True, slots=True)
class Route:
    """What a method on a path stands for.

    Args:
        method: the HTTP method.
        template: the path. ``{subscription}``, ``{group}``, ``{scope}``, ``{namespace}`` and ``{workspace}``
            stand for ids of that kind, any other name for one segment.
        versions: the API versions that know it.
        handle: answers a call.
        action: what the caller needs to be allowed; None when the handler sees to that.
        below: whether the action is enough at anything below the scope, as for listings.
    """

    method: str
    template: str
    versions: frozenset[str]
    handle: Callable[[Call], Answer]
    action: str | None = None
    below: bool = False

    @property
    def provider(self) -> str:
        """The lower-cased namespace of the resource provider."""
        found = re.findall(r"/providers/([A-Za-z.]+)", self.template)
        if found:
            return str(found[-1]).lower()
        place = next((name for name in ("namespace", "workspace") if f"{{{name}}}" in self.template), "")
        own = {"namespace": "microsoft.eventhub", "workspace": "microsoft.operationalinsights"}
        return own.get(place, "microsoft.resources")

    @property
    def kind(self) -> str:
        """The last of its path that is spelled out, such as ``diagnosticSettings`` or ``listKeys``."""
        spelled = [each for each in self.template.split("/") if each and not each.startswith("{")]
        return spelled[-1] if spelled else self.template.strip("{}") + "s"

    @property
    def is_logged(self) -> bool:
        """Whether the activity log tells of it: all but reads, below a subscription."""
        return self.action is not None and not self.action.lower().endswith("/read")

    def pattern(self) -> re.Pattern[str]:
        """What matches its paths."""
        parts = re.split(r"\{(\w+)\}", self.template)
        spelled = (re.escape(part) if index % 2 == 0 else _group(part) for index, part in enumerate(parts))
        return re.compile("".join(spelled), re.IGNORECASE)


def _group(name: str) -> str:
    return f"(?P<scope>{_PLACES[name]})" if name in _PLACES else f"(?P<{name}>[^/]+)"


def check_api_version(version: str | None, route: Route) -> str:
    """The API version of a request.

    Raises:
        ArmError: 400 without one, or for one the route does not know.
    """
    if not version:
        raise ArmError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if version not in route.versions:
        code = (
            "InvalidApiVersionParameter"
            if route.provider == "microsoft.resources"
            else "NoRegisteredProviderFound"
        )
        supported = ", ".join(sorted(route.versions))
        raise bad_request(
            f"The api-version '{version}' is invalid. The supported versions are '{supported}'.", code
        )
    return version
