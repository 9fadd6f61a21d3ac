"""The tables of a Log Analytics workspace: which there are, and which a data export may name.

Source: learn.microsoft.com/azure/azure-monitor/logs/logs-data-export (a rule that names a table which is not
in the workspace fails) and learn.microsoft.com/azure/azure-monitor/reference/tables-category. Whether a rule
may spell a table's name in another case is written nowhere; the lab says no.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lab.azure.arm_error import bad_request

OWN_TABLES: Final = ("AzureActivity", "AzureDiagnostics")
"""What every workspace has from the start."""

ENTRA_TABLES: Final = (
    *("AuditLogs", "SigninLogs", "AADNonInteractiveUserSignInLogs", "AADServicePrincipalSignInLogs"),
    *("AADManagedIdentitySignInLogs", "AADProvisioningLogs", "ADFSSignInLogs", "AADRiskyUsers"),
    *("AADUserRiskEvents", "AADRiskyServicePrincipals", "AADServicePrincipalRiskEvents"),
    *("MicrosoftGraphActivityLogs", "NetworkAccessTraffic", *OWN_TABLES),
)
"""What a workspace that takes Entra ID's logs has: their tables, and two that every workspace has."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table."""

    name: str
    plan: str = "Analytics"
    retention_days: int = 30

    @property
    def is_custom(self) -> bool:
        """Whether the customer made it."""
        return self.name.endswith("_CL")


def check_tables_exist(named: Iterable[str], tables: Iterable[Table]) -> None:
    """Refuse a data export of what is not there.

    Raises:
        ArmError: 400.
    """
    known = {table.name for table in tables}
    for name in named:
        if name not in known:
            raise bad_request(f"Table {name} does not exist in the workspace.", "InvalidParameter")
