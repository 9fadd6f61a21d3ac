"""Log categories: what each resource type can send, and which category group a category belongs to.

Source: learn.microsoft.com/azure/azure-monitor/reference/logs-index (a selection: types with both groups,
with one, with none, with metrics only), .../azure/azure-monitor/platform/activity-log-schema and
learn.microsoft.com/entra/identity/monitoring-health. Types that are not here take no diagnostic settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ALL_LOGS: Final = "allLogs"
AUDIT: Final = "audit"


@dataclass(frozen=True, slots=True)
class Category:
    """A log category and the category groups that contain it."""

    name: str
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What one kind of target can send."""

    logs: tuple[Category, ...]
    metrics: tuple[str, ...] = ()

    @property
    def groups(self) -> frozenset[str]:
        """The category groups the target knows."""
        return frozenset(group for category in self.logs for group in category.groups)

    def in_group(self, group: str) -> frozenset[str]:
        """The names of a group's categories."""
        return frozenset(each.name for each in self.logs if group.lower() in {g.lower() for g in each.groups})


def _logs(*names: str, audit: tuple[str, ...] = (), all_logs: bool = True) -> tuple[Category, ...]:
    everywhere = frozenset({ALL_LOGS}) if all_logs else frozenset[str]()
    return tuple(
        Category(name, everywhere | {AUDIT} if name in audit else everywhere) for name in (*names, *audit)
    )


_STORAGE_SERVICE: Final = Catalogue(
    _logs(audit=("StorageRead", "StorageWrite", "StorageDelete")), ("Transaction",)
)

RESOURCE_CATEGORIES: Final[Mapping[str, Catalogue]] = {
    "microsoft.keyvault/vaults": Catalogue(
        _logs("AzurePolicyEvaluationDetails", audit=("AuditEvent",)), ("AllMetrics",)
    ),
    "microsoft.storage/storageaccounts": Catalogue((), ("Transaction", "Capacity")),
    "microsoft.storage/storageaccounts/blobservices": _STORAGE_SERVICE,
    "microsoft.storage/storageaccounts/fileservices": _STORAGE_SERVICE,
    "microsoft.storage/storageaccounts/queueservices": _STORAGE_SERVICE,
    "microsoft.storage/storageaccounts/tableservices": _STORAGE_SERVICE,
    "microsoft.sql/servers/databases": Catalogue(
        _logs(
            *(
                "AutomaticTuning",
                "Blocks",
                "Deadlocks",
                "Errors",
                "QueryStoreRuntimeStatistics",
                "SQLInsights",
            ),
            audit=("DevOpsOperationsAudit", "SQLSecurityAuditEvents"),
        ),
        ("Basic", "InstanceAndAppAdvanced"),
    ),
    "microsoft.network/networksecuritygroups": Catalogue(
        _logs("NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter")
    ),
    "microsoft.network/azurefirewalls": Catalogue(
        _logs(
            "AZFWApplicationRule", "AZFWDnsQuery", "AZFWIdpsSignature", "AZFWNetworkRule", "AZFWThreatIntel"
        ),
        ("AllMetrics",),
    ),
    "microsoft.network/publicipaddresses": Catalogue(
        _logs(audit=("DDoSMitigationFlowLogs", "DDoSMitigationReports", "DDoSProtectionNotifications")),
        ("AllMetrics",),
    ),
    "microsoft.network/frontdoors": Catalogue(
        _logs("FrontdoorAccessLog", "FrontdoorWebApplicationFirewallLog"), ("AllMetrics",)
    ),
    "microsoft.containerservice/managedclusters": Catalogue(
        _logs(
            *("cloud-controller-manager", "cluster-autoscaler", "guard", "kube-apiserver", "kube-scheduler"),
            audit=("kube-audit", "kube-audit-admin"),
        ),
        ("AllMetrics",),
    ),
    "microsoft.containerregistry/registries": Catalogue(
        _logs(audit=("ContainerRegistryLoginEvents", "ContainerRegistryRepositoryEvents")), ("AllMetrics",)
    ),
    "microsoft.web/sites": Catalogue(
        _logs(
            *(
                "AppServiceHTTPLogs",
                "AppServiceConsoleLogs",
                "AppServiceAuditLogs",
                "AppServiceIPSecAuditLogs",
            ),
            all_logs=False,
        ),
        ("AllMetrics",),
    ),
    "microsoft.logic/workflows": Catalogue(_logs("WorkflowRuntime"), ("AllMetrics",)),
    "microsoft.eventhub/namespaces": Catalogue(
        _logs("ArchiveLogs", "AutoScaleLogs", audit=("OperationalLogs", "RuntimeAuditLogs")), ("AllMetrics",)
    ),
    "microsoft.operationalinsights/workspaces": Catalogue(_logs(audit=("Audit",)), ("AllMetrics",)),
    "microsoft.recoveryservices/vaults": Catalogue(
        _logs("CoreAzureBackup", "AddonAzureBackupJobs", "AzureSiteRecoveryEvents", all_logs=False),
        ("Health",),
    ),
    "microsoft.compute/virtualmachines": Catalogue((), ("AllMetrics",)),
    "microsoft.network/loadbalancers": Catalogue((), ("AllMetrics",)),
}
"""By lower-cased resource type."""

SUBSCRIPTION_CATEGORIES: Final = Catalogue(
    _logs(
        *("Administrative", "Security", "ServiceHealth", "Alert"),
        *("Recommendation", "Policy", "Autoscale", "ResourceHealth"),
        all_logs=False,
    )
)

ENTRA_CATEGORIES: Final = Catalogue(
    _logs(
        *("AuditLogs", "SignInLogs", "NonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs"),
        *("ManagedIdentitySignInLogs", "ProvisioningLogs", "ADFSSignInLogs", "RiskyUsers", "UserRiskEvents"),
        *("RiskyServicePrincipals", "ServicePrincipalRiskEvents", "NetworkAccessTrafficLogs"),
        *("EnrichedOffice365AuditLogs", "MicrosoftGraphActivityLogs", "RemoteNetworkHealthLogs"),
        "CustomSecurityAttributeAuditLogs",
        all_logs=False,
    )
)
