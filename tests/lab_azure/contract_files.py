"""Which of Microsoft's Swagger files describe what the lab has."""

from typing import Final

FILES: Final = (
    "Microsoft.Resources/2022-12-01/subscriptions.json",
    "Microsoft.Resources/2024-03-01/resources.json",
    "Microsoft.Insights/2021-05-01-preview/diagnosticsSettings_API.json",
    "Microsoft.Insights/2021-05-01-preview/diagnosticsSettingsCategories_API.json",
    "Microsoft.Insights/2021-05-01-preview/subscriptionDiagnosticsSettings_API.json",
    "Microsoft.Insights/2015-04-01/activityLogs_API.json",
    "Microsoft.Aadiam/2017-04-01/azureactivedirectory.json",
    "Microsoft.EventHub/2024-01-01/namespaces.json",
    "Microsoft.EventHub/2024-01-01/eventhubs.json",
    "Microsoft.EventHub/2024-01-01/AuthorizationRules.json",
    "Microsoft.OperationalInsights/2023-09-01/Workspaces.json",
    "Microsoft.OperationalInsights/2020-08-01/DataExports.json",
    "Microsoft.OperationalInsights/2022-10-01/Tables.json",
    "Microsoft.ManagedServices/2022-10-01/managedservices.json",
    "Microsoft.Authorization/2023-04-01/policyDefinitions.json",
    "Microsoft.Authorization/2023-04-01/policyAssignments.json",
    "Microsoft.Authorization/2022-04-01/authorization-RoleAssignmentsCalls.json",
    "Microsoft.PolicyInsights/2021-10-01/remediations.json",
    "Microsoft.ResourceGraph/2021-03-01/resourcegraph.json",
)

OTHER_VERSIONS: Final = (
    "Microsoft.Insights/2017-05-01-preview/diagnosticsSettings_API.json",
    "Microsoft.Insights/2017-05-01-preview/diagnosticsSettingsCategories_API.json",
    "Microsoft.Insights/2017-05-01-preview/subscriptionDiagnosticsSettings_API.json",
    "Microsoft.OperationalInsights/2020-08-01/Tables.json",
    "Microsoft.OperationalInsights/2020-08-01/Workspaces.json",
    "Microsoft.ManagedServices/2020-02-01-preview/managedservices.json",
    "Microsoft.ResourceGraph/2022-10-01/resourcegraph.json",
)
"""The same things in versions that older clients send."""
