"""The package a customer's administrator deploys: templates, parameters, a README, and the one command. Pure.

Nothing a person typed becomes part of a template: names are parameters, in JSON; on a command line they are
quoted.
"""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from azmdr.inventory.customers import Customer, CustomerError
from azmdr.onboarding import entra
from azmdr.onboarding.offer import Offer

DEPLOYMENT: Final = "azmdr-onboarding"
ENTRA_GROUP: Final = "azmdr-entra-logs"
ENTRA_WORKSPACE: Final = "azmdr-entra-logs"
_MANAGEMENT_GROUP: Final = re.compile(r"[\w().-]{1,90}", re.ASCII)
_RESOURCE_GROUP: Final = re.compile(r"[\w().-]{0,89}[\w()-]", re.ASCII)


@dataclass(frozen=True, slots=True)
class ManagementGroupScope:
    """Every subscription below a management group, kept true by policy."""

    name: str
    entra_subscription_id: str | None = None
    automation_resource_group: str | None = None
    """The second policy gives every subscription this resource group; None leaves the policy out."""


@dataclass(frozen=True, slots=True)
class SubscriptionScope:
    """One subscription, without policy."""

    subscription_id: str
    with_entra: bool = False


Scope = ManagementGroupScope | SubscriptionScope


@dataclass(frozen=True, slots=True)
class Package:
    """Files by their path, and the command that deploys them."""

    files: Mapping[str, str]
    command: str


def check_scope(scope: Scope) -> None:
    """Refuse names Azure would refuse.

    Raises:
        CustomerError: the message names what.
    """
    match scope:
        case ManagementGroupScope(name, subscription_id, group):
            _check("management group", name, _MANAGEMENT_GROUP)
            if subscription_id is not None:
                _check_guid("the subscription of the Entra ID workspace", subscription_id)
            if group is not None:
                _check("resource group", group, _RESOURCE_GROUP)
        case SubscriptionScope(subscription_id):
            _check_guid("subscription", subscription_id)


def _check(what: str, text: str, pattern: re.Pattern[str]) -> None:
    if not pattern.fullmatch(text) or text.endswith("."):
        raise CustomerError(f"{what}: {text!r} can't be the name of one")


def _check_guid(what: str, text: str) -> None:
    try:
        UUID(text)
    except ValueError as error:
        raise CustomerError(f"{what}: {text!r} is no id of a subscription") from error


def package_of(
    customer: Customer, offer: Offer, scope: Scope, templates: Mapping[str, str], readme: str
) -> Package:
    """The package of a customer.

    Args:
        customer: whose.
        offer: what it is asked to grant.
        scope: where.
        templates: the content of ``bicep/``, by path.
        readme: the text for the customer's administrator, with ``{placeholders}``.

    Raises:
        CustomerError: the scope can't be.
    """
    check_scope(scope)
    kind = "main" if isinstance(scope, ManagementGroupScope) else "subscription"
    command = _command(customer, scope, kind)
    workspace = workspace_id(scope)
    files = {path: text for path, text in templates.items() if _belongs(path, kind)}
    files[f"{kind}.parameters.json"] = _json(_parameters(customer, offer, scope))
    if workspace is not None:
        files["entra-setting.json"] = _json(entra.setting_body(workspace))
    files["README.md"] = _filled(readme, customer, offer, scope, command)
    return Package(files, command)


def workspace_id(scope: Scope) -> str | None:
    """The Entra ID workspace that a package sets up; None where it sets up none."""
    match scope:
        case ManagementGroupScope(entra_subscription_id=str() as subscription_id):
            pass
        case SubscriptionScope(subscription_id, with_entra=True):
            pass
        case _:
            return None
    place = f"/subscriptions/{UUID(subscription_id)}/resourceGroups/{ENTRA_GROUP}"
    return f"{place}/providers/Microsoft.OperationalInsights/workspaces/{ENTRA_WORKSPACE}"


def _belongs(path: str, kind: str) -> bool:
    return path.startswith("modules/") or path.partition(".")[0] == kind


def _parameters(customer: Customer, offer: Offer, scope: Scope) -> dict[str, Any]:
    values: dict[str, Any] = {
        "location": customer.home_region,
        "providerTenantId": offer.provider_tenant_id,
        "offerName": offer.name,
        "offerDescription": offer.description,
        "principals": [{"id": each.id, "name": each.name} for each in offer.delegates],
        "roles": str(offer.roles),
    }
    if isinstance(scope, ManagementGroupScope):
        values["entraSubscriptionId"] = scope.entra_subscription_id or ""
        values["automationResourceGroup"] = scope.automation_resource_group or ""
    else:
        values["withEntra"] = scope.with_entra
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {name: {"value": value} for name, value in values.items()},
    }


def _command(customer: Customer, scope: Scope, kind: str) -> str:
    where = (
        ("mg", "create", "--management-group-id", scope.name)
        if isinstance(scope, ManagementGroupScope)
        else ("sub", "create", "--subscription", scope.subscription_id)
    )
    return shlex.join(
        (
            *("az", "deployment", *where, "--name", DEPLOYMENT, "--location", customer.home_region),
            *("--template-file", f"{kind}.json", "--parameters", f"@{kind}.parameters.json"),
        )
    )


def _filled(readme: str, customer: Customer, offer: Offer, scope: Scope, command: str) -> str:
    workspace = workspace_id(scope)
    told = {
        "customer": customer.name,
        "offer": _plain(offer.name),
        "tenant": offer.provider_tenant_id,
        "roles": "\n".join(f"| {each.name} | `{each.id}` | {each.use} |" for each in offer.roles.roles),
        "delegates": "\n".join(f"- {_plain(each.name)} (`{each.id}`)" for each in offer.delegates),
        "command": command,
        "scope": _told(scope),
        "entra": _ENTRA.format(workspace=workspace, url=entra.URL) if workspace else _NO_ENTRA,
        "take_back": _take_back(scope),
    }
    # Not str.format, which would look into the names people chose.
    return re.sub(r"\{(\w+)\}", lambda found: told[found[1]], readme)


def _plain(text: str) -> str:
    """A name without what Markdown or HTML would read as more than a name."""
    return re.sub(r"[`*_<>|\[\]\\&#~!]", lambda found: f"\\{found[0]}", text)


def _told(scope: Scope) -> str:
    if isinstance(scope, SubscriptionScope):
        return _ONE_SUBSCRIPTION.format(subscription=scope.subscription_id)
    second = scope.automation_resource_group
    text = _BY_POLICY.format(group=scope.name)
    return text if second is None else f"{text}\n\n{_SECOND_POLICY.format(group=second)}"


def _take_back(scope: Scope) -> str:
    if isinstance(scope, SubscriptionScope):
        return _END_DELEGATION.format(where=f"`{scope.subscription_id}`")
    policies = [("azmdr-delegate", "azmdr-delegate-subscriptions")]
    if scope.automation_resource_group is not None:
        policies.append(("azmdr-groups", "azmdr-resource-groups"))
    group = shlex.quote(scope.name)
    place = shlex.quote(f"/providers/Microsoft.Management/managementGroups/{scope.name}")
    lines = [
        line
        for assignment, definition in policies
        for line in (
            f"    az policy assignment delete --name {assignment} --scope {place}",
            f"    az policy definition delete --name {definition} --management-group {group}",
        )
    ]
    return "\n\n".join((_END_POLICY, "\n".join(lines), _END_DELEGATION.format(where="each subscription")))


_ONE_SUBSCRIPTION: Final = """\
This package delegates the subscription `{subscription}`, and nothing else: no policy,
no other subscription, now or later."""
_BY_POLICY: Final = """\
This package puts a policy on the management group `{group}`. The policy delegates every
subscription below it, those that come later too, and corrects a delegation whose list of roles is not the one
below. To do that, the policy's own identity gets the role Owner on the management group: only who may assign
roles may delegate. It is used by Azure Policy alone; nobody can sign in as it."""
_SECOND_POLICY: Final = """\
A second policy makes the resource group `{group}` in every subscription; its identity
gets the role Contributor on the management group."""
_END_POLICY: Final = """\
First the policy, or it delegates again; then remove the role assignments of its identity,
which the portal shows as *Identity not found*:"""
_END_DELEGATION: Final = """\
Then, in {where}, the delegation, in the portal under *Service providers > Service
provider offers*, or:

    az managedservices assignment list --include-definition true
    az managedservices assignment delete --assignment <name>
    az managedservices definition delete --definition <name>"""
_ENTRA: Final = """\
A workspace for Entra ID's sign-in and audit logs stands in a resource group of its own:
`{workspace}`.
Only that resource group also grants the role Log Analytics Contributor, with which the provider makes the
rule that exports from it. What Entra ID sends there, only you can say. A person with the role
**Security Administrator** runs, in the same folder (sign-in logs need Entra ID P1 or P2; the first rows may
take up to three days):

    az rest --method put --url '{url}' --body @entra-setting.json

and shows the provider what came of it:

    az rest --method get --url '{url}' > entra-setting-shown.json"""
_NO_ENTRA: Final = "This package sets up no workspace for Entra ID's logs."


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
