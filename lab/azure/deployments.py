"""Deployments: a template put to work, resource by resource, through Azure's own routes.

Whoever deploys needs the right to write a deployment and every right its resources ask for; the rules of each
resource provider hold as for any other request. A deployment is over when its answer comes, where Azure
works on after it has answered. Mode ``Complete``, what-if and template links are not here. Source:
learn.microsoft.com/azure/azure-resource-manager/templates/deployment-modes and
learn.microsoft.com/rest/api/resources/deployments.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from lab.azure.arm_error import ArmError
from lab.azure.template_expressions import Value, invalid
from lab.azure.templates import Place, Template, TemplateResource
from lab.azure.wire import Answer

Send: TypeAlias = Callable[[str, str, str, object], Answer]
"""Sends a request on behalf of whoever deploys: method, path, API version, body."""
LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment that is over."""

    id: str
    name: str
    at: datetime
    location: str | None
    parameters: Mapping[str, Value] = field(default_factory=dict)
    outputs: Mapping[str, Value] = field(default_factory=dict)
    written: tuple[str, ...] = ()
    """The ids of what it put."""
    error: Mapping[str, Value] | None = None

    @property
    def state(self) -> str:
        """The provisioning state."""
        return "Failed" if self.error else "Succeeded"


def deploy(
    template: Template, send: Send
) -> tuple[dict[str, Value], tuple[str, ...], dict[str, Value] | None]:
    """Put what a template asks for.

    Returns:
        Its outputs, the ids of what was put, and the error that ended it; what stands by then stays.

    Raises:
        ArmError: 400 for a template that can't be deployed; then nothing of it was put.
    """
    resources = template.resources()
    put: list[str] = []
    for resource in resources:
        try:
            _put(resource, send)
        except ArmError as error:
            return {}, tuple(put), _failure(resource, error)
        put.append(resource.id)
    try:
        return template.outputs(), tuple(put), None
    except ArmError as error:
        return {}, tuple(put), {"code": error.code, "message": error.message}


def _put(resource: TemplateResource, send: Send) -> None:
    answer = send("PUT", resource.id, resource.api_version, resource.body())
    body = answer.body if isinstance(answer.body, Mapping) else {}
    if answer.status >= 400:
        told = body.get("error", {})
        raise ArmError(answer.status, str(told.get("code")), str(told.get("message")))
    if resource.is_deployment and (inner := body["properties"].get("error")):
        raise ArmError(409, str(inner["code"]), str(inner["message"]))


def _failure(resource: TemplateResource, error: ArmError) -> dict[str, Value]:
    told = {"code": error.code, "message": error.message, "target": resource.id}
    return {
        "code": "DeploymentFailed",
        "message": f"At least one resource deployment operation failed: {resource.id}: {error}",
        "details": [told],
    }


def reader(send: Send) -> Callable[[str, str], Mapping[str, Value]]:
    """What ``reference`` fetches resources with."""

    def read(resource: str, version: str) -> Mapping[str, Value]:
        answer = send("GET", resource, version, None)
        if answer.status >= 400 or not isinstance(answer.body, Mapping):
            raise invalid(f"The resource '{resource}' that is referred to can't be read ({answer.status}).")
        return answer.body

    return read


__all__ = ["LONGEST_NAME", "Deployment", "Place", "Send", "deploy", "reader"]
