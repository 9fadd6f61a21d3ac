"""The bodies of a policy that delegates every subscription at its scope, as onboarding by policy has it."""

from typing import Any

from lab.azure.roles import MONITORING_CONTRIBUTOR, OWNER
from lab.azure.scenario import Scene

GROUP = "/providers/Microsoft.Management/managementGroups/everything"


def deployed() -> dict[str, Any]:
    """What the policy deploys, as a template with its parameters."""
    services = "Microsoft.ManagedServices"
    own_id = f"[subscriptionResourceId('{services}/registrationDefinitions', variables('name'))]"
    resources = [
        {
            "type": f"{services}/registrationDefinitions",
            "apiVersion": "2022-10-01",
            "name": "[variables('name')]",
            "properties": {
                "registrationDefinitionName": "[parameters('offer')]",
                "managedByTenantId": "[parameters('tenantId')]",
                "authorizations": "[parameters('authorizations')]",
            },
        },
        {
            "type": f"{services}/registrationAssignments",
            "apiVersion": "2022-10-01",
            "name": "[variables('name')]",
            "dependsOn": [own_id],
            "properties": {"registrationDefinitionId": own_id},
        },
    ]
    template = {
        "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {
            "tenantId": {"type": "string"},
            "offer": {"type": "string"},
            "authorizations": {"type": "array"},
        },
        "variables": {"name": "[guid(parameters('offer'))]"},
        "resources": resources,
    }
    values = {"tenantId": "TenantId", "offer": "Name", "authorizations": "Authorizations"}
    parameters = {name: {"value": f"[parameters('managedBy{given}')]"} for name, given in values.items()}
    return {"mode": "incremental", "template": template, "parameters": parameters}


def definition(effect: str = "deployIfNotExists") -> dict[str, Any]:
    details = {
        "type": "Microsoft.ManagedServices/registrationAssignments",
        "roleDefinitionIds": [f"/providers/Microsoft.Authorization/roleDefinitions/{OWNER.id}"],
        "existenceCondition": {
            "field": "type",
            "equals": "Microsoft.ManagedServices/registrationAssignments",
        },
        "deployment": {"location": "westeurope", "properties": deployed()},
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
