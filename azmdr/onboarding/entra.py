"""Entra ID's diagnostic setting: what it has to send to the workspace, and whether it does.

No provider reaches it: Lighthouse delegates subscriptions, and Entra ID takes settings from people only, who
hold Security Administrator (github.com/Azure/azure-rest-api-specs issue 11085). So a person there makes it,
with a command we give them, and shows us what came of it. Categories and tables:
learn.microsoft.com/entra/identity/monitoring-health/concept-diagnostic-settings-logs-options.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

SETTING: Final = "azmdr"
URL: Final = (
    "https://management.azure.com/providers/microsoft.aadiam/diagnosticSettings"
    f"/{SETTING}?api-version=2017-04-01"
)
CATEGORIES: Final[Mapping[str, str]] = {
    "SigninLogs": "SignInLogs",
    "AuditLogs": "AuditLogs",
    "AADNonInteractiveUserSignInLogs": "NonInteractiveUserSignInLogs",
    "AADServicePrincipalSignInLogs": "ServicePrincipalSignInLogs",
    "AADManagedIdentitySignInLogs": "ManagedIdentitySignInLogs",
    "AADProvisioningLogs": "ProvisioningLogs",
    "ADFSSignInLogs": "ADFSSignInLogs",
    "AADRiskyUsers": "RiskyUsers",
    "AADUserRiskEvents": "UserRiskEvents",
    "AADRiskyServicePrincipals": "RiskyServicePrincipals",
    "AADServicePrincipalRiskEvents": "ServicePrincipalRiskEvents",
}
"""The category that fills each table."""


def setting_body(workspace_id: str) -> dict[str, Any]:
    """The body of the setting that fills a workspace."""
    logs = [{"category": each, "enabled": True} for each in CATEGORIES.values()]
    return {"properties": {"workspaceId": workspace_id, "logs": logs}}


def shortcomings(shown: str, workspace_id: str) -> tuple[str, ...]:
    """What is wrong with a setting that the customer's administrator has shown us; empty when nothing is.

    Args:
        shown: what the command of the package's README printed: a setting, or a list of them.
        workspace_id: where it has to send.
    """
    try:
        read = json.loads(shown)
    except ValueError:
        return ("what was shown is no JSON",)
    listed = read.get("value", [read]) if isinstance(read, dict) else read
    if not isinstance(listed, list):
        return ("what was shown is no diagnostic setting",)
    sending: set[str] = set()
    is_ours = False
    for each in listed:
        properties = each.get("properties") if isinstance(each, dict) else None
        if not isinstance(properties, dict) or not _is_same(properties.get("workspaceId"), workspace_id):
            continue
        is_ours = True
        for log in properties.get("logs") or ():
            if isinstance(log, dict) and log.get("enabled") is True:
                sending.add(str(log.get("category")).lower())
    if not is_ours:
        return (f"no setting sends to {workspace_id}",)
    return tuple(f"{each} is not sent" for each in CATEGORIES.values() if each.lower() not in sending)


def _is_same(found: object, wanted: str) -> bool:
    return isinstance(found, str) and found.strip("/").lower() == wanted.strip("/").lower()
