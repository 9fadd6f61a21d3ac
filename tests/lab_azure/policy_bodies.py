"""The bodies of a policy that delegates every subscription at its scope, as onboarding by policy has it."""

from typing import Any

from lab.azure.roles import MONITORING_CONTRIBUTOR, OWNER
from lab.azure.scenario import Scene

GROUP = "/providers/Microsoft.Management/managementGroups/everything"


def definition(effect: str = "deployIfNotExists") -> dict[str, Any]:
    details = {
        "type": "Microsoft.ManagedServices/registrationDefinitions",
        "roleDefinitionIds": [f"/providers/Microsoft.Authorization/roleDefinitions/{OWNER.id}"],
        "existenceCondition": {
            "field": "type",
            "equals": "Microsoft.ManagedServices/registrationDefinitions",
        },
        "deployment": {"location": "westeurope", "properties": {"mode": "incremental", "template": {}}},
    }
    rule = {
        "if": {"field": "type", "equals": "Microsoft.Resources/subscriptions"},
        "then": {"effect": effect, "details": details},
    }
    parameters = {
        "managedByTenantId": {"type": "String"},
        "managedByName": {"type": "String", "defaultValue": "Monitoring by policy"},
        "managedByAuthorizations": {"type": "Array"},
        "effect": {"type": "String", "defaultValue": "deployIfNotExists"},
    }
    return {"properties": {"mode": "All", "policyRule": rule, "parameters": parameters}}


def assignment(scene: Scene, definition_id: str, **changed: object) -> dict[str, Any]:
    role = f"/providers/Microsoft.Authorization/roleDefinitions/{MONITORING_CONTRIBUTOR.id}"
    authorizations = [{"principalId": scene.principal.object_id, "roleDefinitionId": role}]
    parameters = {
        "managedByTenantId": {"value": scene.provider.id},
        "managedByAuthorizations": {"value": authorizations},
    }
    properties = {"policyDefinitionId": definition_id, "parameters": parameters, **changed}
    return {
        "location": "westeurope",
        "identity": {"type": "SystemAssigned"},
        "properties": properties,
    }
