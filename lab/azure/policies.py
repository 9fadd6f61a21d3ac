"""Azure Policy: definitions and assignments, and why Azure refuses some.

Only one effect does something here: ``deployIfNotExists`` on subscriptions, with which a provider gets
delegations from every subscription of a management group. Sources:
learn.microsoft.com/azure/governance/policy/concepts/effect-deploy-if-not-exists,
learn.microsoft.com/azure/governance/policy/how-to/remediate-resources (the identity needs the roles),
learn.microsoft.com/azure/lighthouse/how-to/onboard-management-group (the parameters' names).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lab.azure.arm_error import bad_request

DEPLOYS: Final = "deployifnotexists"
_PARAMETER: Final = re.compile(r"\[parameters\('([^']+)'\)\]", re.IGNORECASE)
_LONGEST_NAME: Final = {"policyDefinitions": 128, "policyAssignments": 128}


def mapping(value: object) -> Mapping[str, object]:
    """A JSON object; an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}


@dataclass(frozen=True, slots=True)
class PolicyDefinition:
    """A definition, kept at a subscription or a management group."""

    id: str
    name: str
    properties: Mapping[str, object]

    @property
    def then(self) -> Mapping[str, object]:
        """What the rule does."""
        return mapping(mapping(self.properties.get("policyRule")).get("then"))

    @property
    def details(self) -> Mapping[str, object]:
        """What it deploys, and how it sees that this stands already."""
        return mapping(self.then.get("details"))

    @property
    def parameters(self) -> Mapping[str, object]:
        """The parameters it takes."""
        return mapping(self.properties.get("parameters"))

    @property
    def deployed_type(self) -> str:
        """The lower-cased type of what it deploys where there is none."""
        return str(self.details.get("type", "")).lower()


@dataclass(frozen=True, slots=True)
class PolicyAssignment:
    """A definition applied to a scope and all below."""

    id: str
    name: str
    scope: str
    definition_id: str
    properties: Mapping[str, object]
    location: str | None = None
    principal_id: str | None = None
    """Of the managed identity that deploys; None without one."""

    def value(self, definition: PolicyDefinition, name: str) -> object:
        """The value of a parameter: the assignment's, or the definition's default."""
        given = mapping(mapping(self.properties.get("parameters")).get(name))
        return given.get("value", mapping(definition.parameters.get(name)).get("defaultValue"))

    def effect(self, definition: PolicyDefinition) -> str:
        """The effect, looked up where it is a parameter; in lower case."""
        written = str(definition.then.get("effect", ""))
        named = _PARAMETER.fullmatch(written)
        return str(self.value(definition, named[1]) if named else written).lower()

    @property
    def not_scopes(self) -> tuple[str, ...]:
        """The keys of the scopes it leaves out."""
        listed = self.properties.get("notScopes")
        return tuple(str(each).lower() for each in listed) if isinstance(listed, list) else ()


def check_definition(definition: PolicyDefinition) -> None:
    """Refuse a definition that can't be.

    Raises:
        ArmError: 400.
    """
    _check_name(definition.name, "policyDefinitions")
    rule = mapping(definition.properties.get("policyRule"))
    if not mapping(rule.get("if")) or not definition.then.get("effect"):
        raise bad_request("A policy rule needs 'if' and 'then' with an effect.", "InvalidPolicyRule")
    if str(definition.then["effect"]).lower() != DEPLOYS:
        return
    details = definition.details
    if not (details.get("type") and details.get("roleDefinitionIds") and mapping(details.get("deployment"))):
        raise bad_request(
            "The effect 'deployIfNotExists' needs 'type', 'roleDefinitionIds' and 'deployment'.",
            "InvalidPolicyRule",
        )


def check_assignment(assignment: PolicyAssignment, definition: PolicyDefinition) -> None:
    """Refuse an assignment that can't be.

    Raises:
        ArmError: 400 for wrong parameters, or where a deploying policy has no identity.
    """
    _check_name(assignment.name, "policyAssignments")
    given = mapping(assignment.properties.get("parameters"))
    if unknown := sorted(given.keys() - definition.parameters.keys()):
        raise bad_request(f"The policy has no parameter '{unknown[0]}'.", "UndefinedPolicyParameter")
    for name in definition.parameters:
        if assignment.value(definition, name) is None:
            raise bad_request(f"The policy parameter '{name}' has no value.", "MissingPolicyParameter")
    if assignment.effect(definition) == DEPLOYS and not (assignment.principal_id and assignment.location):
        raise bad_request(
            "A policy with the effect 'deployIfNotExists' needs an identity and a location.",
            "ResourceIdentityRequired",
        )


def _check_name(name: str, kind: str) -> None:
    if len(name) > _LONGEST_NAME[kind] or re.search(r"[<>%&\\?/#]", name) or name.endswith((".", " ")):
        raise bad_request(f"The name '{name}' is invalid.", "InvalidResourceName")
