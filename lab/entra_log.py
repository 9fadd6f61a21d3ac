"""Entra ID records, in both shapes that reach an event hub.

A diagnostic setting sends ``category`` and ``properties`` with an id of its own in ``properties.id``; the
data export of a Log Analytics workspace sends the table's PascalCase columns with ``Type`` as its name.
Sources: learn.microsoft.com/entra/identity/monitoring-health/concept-diagnostic-settings-logs-options and
learn.microsoft.com/azure/azure-monitor/reference/tables/signinlogs.
"""

import random
from datetime import datetime
from typing import Final

from lab.customers import Customer
from lab.records import Caller, Record, event_time, guid, json_text, service_principal, token, us_time, user

SIGN_IN_CATEGORIES: Final = ("SignInLogs", "NonInteractiveUserSignInLogs")
WORKLOAD_SIGN_IN_CATEGORIES: Final = ("ServicePrincipalSignInLogs", "ManagedIdentitySignInLogs")

_SIGN_IN_ERRORS: Final = (0, 0, 0, 50126, 50140)


def sign_in(customer: Customer, moment: datetime, rng: random.Random) -> Record:
    """A person signs in, with or without a window to do so in."""
    person, error = user(customer, rng), rng.choice(_SIGN_IN_ERRORS)
    record = _entra(customer, moment, rng, "Sign-in activity", rng.choice(SIGN_IN_CATEGORIES))
    record |= {
        "resultType": str(error),
        "callerIpAddress": person.ip,
        "identity": person.user_principal_name,
        "Level": rng.choice((4, "4")),
        "location": "GB",
    }
    return record | {"properties": _sign_in_properties(person, error, moment, rng)}


def workload_sign_in(customer: Customer, moment: datetime, rng: random.Random) -> Record:
    """A service principal or a managed identity gets a token."""
    workload, error = service_principal(customer, rng), rng.choice((0, 0, 7000222))
    record = _entra(customer, moment, rng, "Sign-in activity", rng.choice(WORKLOAD_SIGN_IN_CATEGORIES))
    return record | {
        "resultType": str(error),
        "Level": 4,
        "properties": {
            "id": guid(rng),
            "createdDateTime": event_time(moment, rng),
            "servicePrincipalId": workload.object_id,
            "servicePrincipalName": "release-pipeline",
            "appId": workload.app_id,
            "ipAddress": workload.ip,
            "resourceDisplayName": "Windows Azure Service Management API",
            "status": {"errorCode": error},
            "uniqueTokenIdentifier": token(rng, 22),
        },
    }


def directory_audit(customer: Customer, moment: datetime, rng: random.Random) -> Record:
    """A change in the directory; success stands in its properties alone."""
    person, activity = user(customer, rng), rng.choice(_ACTIVITIES)
    record = _entra(customer, moment, rng, activity, "AuditLogs")
    return record | {
        "Level": 4,
        "identity": person.user_principal_name,
        "properties": {
            "id": f"Directory_{record['correlationId']}_{token(rng, 5).upper()}_{rng.randrange(10**9)}",
            "category": "RoleManagement",
            "correlationId": record["correlationId"],
            "result": rng.choice(("success", "success", "failure")),
            "activityDisplayName": activity,
            "activityDateTime": event_time(moment, rng),
            "loggedByService": "Core Directory",
            "operationType": "Assign",
            "initiatedBy": {
                "user": {"id": person.object_id, "userPrincipalName": person.user_principal_name}
            },
            "targetResources": _targets(rng),
            "additionalDetails": [],
        },
    }


def risky_user(customer: Customer, moment: datetime, rng: random.Random) -> Record:
    """Identity Protection took a person for compromised; its time is in the US form."""
    person = user(customer, rng)
    return _entra(customer, moment, rng, "Risky user", "RiskyUsers") | {
        "time": us_time(moment),
        "Level": rng.choice((4, "4")),
        "properties": {
            "id": person.object_id,
            "userPrincipalName": person.user_principal_name,
            "riskLevel": rng.choice(("low", "medium", "high")),
            "riskState": "atRisk",
            "riskLastUpdatedDateTime": event_time(moment, rng),
        },
    }


def graph_activity(customer: Customer, moment: datetime, rng: random.Random) -> Record:
    """A call of Microsoft Graph; its result is an HTTP code, its duration a text."""
    return _entra(customer, moment, rng, "Microsoft Graph Activity", "MicrosoftGraphActivityLogs") | {
        "resultSignature": rng.choice(("200", "201", "403")),
        "durationMs": str(rng.randint(1000, 900000)),
        "properties": {
            "__UDI_RequiredFields_UniqueId": guid(rng),
            "__UDI_RequiredFields_EventTime": rng.randrange(10**17, 10**18),
            "requestMethod": "GET",
            "requestUri": "https://graph.microsoft.com/v1.0/users?$top=100",
            "roles": "Directory.Read.All",
            "signInActivityId": token(rng, 22),
        },
    }


def exported_sign_in(customer: Customer, moment: datetime, rng: random.Random) -> Record:
    """The same sign-in as a row of the workspace's table SigninLogs."""
    person, error = user(customer, rng), rng.choice(_SIGN_IN_ERRORS)
    properties = _sign_in_properties(person, error, moment, rng)
    return _exported(customer, moment, rng, "SigninLogs", "Sign-in activity", "SignInLogs") | {
        "Id": properties["id"],
        "CreatedDateTime": properties["createdDateTime"],
        "ResultType": str(error),
        "UserPrincipalName": person.user_principal_name,
        "UserId": person.object_id,
        "IPAddress": person.ip,
        "AppDisplayName": properties["appDisplayName"],
        "Status": json_text(properties["status"]),
        "LocationDetails": json_text(properties["location"]),
        "ConditionalAccessPolicies": json_text(properties["appliedConditionalAccessPolicies"]),
    }


def exported_directory_audit(customer: Customer, moment: datetime, rng: random.Random) -> Record:
    """A change in the directory as a row of the workspace's table AuditLogs."""
    person, activity = user(customer, rng), rng.choice(_ACTIVITIES)
    initiator = {"user": {"id": person.object_id, "userPrincipalName": person.user_principal_name}}
    return _exported(customer, moment, rng, "AuditLogs", activity, "RoleManagement") | {
        "Id": f"Directory_{guid(rng)}_{token(rng, 5).upper()}_{rng.randrange(10**9)}",
        "ActivityDateTime": event_time(moment, rng),
        "ActivityDisplayName": activity,
        "Result": "success",
        "LoggedByService": "Core Directory",
        "InitiatedBy": json_text(initiator),
        "TargetResources": json_text(_targets(rng)),
        "AdditionalDetails": "[]",
    }


ENTRA_RECORDS: Final = (
    sign_in,
    workload_sign_in,
    directory_audit,
    risky_user,
    graph_activity,
    exported_sign_in,
    exported_directory_audit,
)

_ACTIVITIES: Final = (
    "Add member to role",
    "Add service principal credentials",
    "Consent to application",
    "Update conditional access policy",
)


def _entra(customer: Customer, moment: datetime, rng: random.Random, operation: str, category: str) -> Record:
    return {
        "time": event_time(moment, rng),
        "resourceId": f"/tenants/{customer.tenant_id}/providers/Microsoft.aadiam",
        "operationName": operation,
        "operationVersion": "1.0",
        "category": category,
        "tenantId": customer.tenant_id,
        "resultSignature": "None",
        "durationMs": 0,
        "correlationId": guid(rng),
    }


def _exported(
    customer: Customer, moment: datetime, rng: random.Random, table: str, operation: str, category: str
) -> Record:
    return {
        "TimeGenerated": event_time(moment, rng),
        "OperationName": operation,
        "Category": category,
        "CorrelationId": guid(rng),
        "TenantId": guid(random.Random(f"{customer.name} workspace")),
        "AADTenantId": customer.tenant_id,
        "SourceSystem": "Azure AD",
        "Type": table,
    }


def _sign_in_properties(person: Caller, error: int, moment: datetime, rng: random.Random) -> Record:
    reason = {0: None, 50126: "Invalid username or password."}.get(error, "Keep me signed in interrupt.")
    return {
        "id": guid(rng),
        "createdDateTime": event_time(moment, rng),
        "userPrincipalName": person.user_principal_name,
        "userId": person.object_id,
        "appId": person.app_id,
        "appDisplayName": "Azure Portal",
        "ipAddress": person.ip,
        "clientAppUsed": "Browser",
        "status": {"errorCode": error, "failureReason": reason},
        "deviceDetail": {"deviceId": "", "operatingSystem": "Windows 10", "browser": "Edge 140.0"},
        "location": {"city": "São Paulo", "countryOrRegion": "BR", "geoCoordinates": {"latitude": -23.5475}},
        "conditionalAccessStatus": "success",
        "appliedConditionalAccessPolicies": [
            {
                "id": guid(rng),
                "displayName": f"CA{number:03d} Require MFA",
                "enforcedGrantControls": ["Mfa"],
                "result": rng.choice(("success", "notApplied")),
                "conditionsSatisfied": 3,
            }
            for number in range(rng.randint(2, 7))
        ],
        "riskLevelAggregated": "none",
        "uniqueTokenIdentifier": token(rng, 22),
        "autonomousSystemNumber": rng.randint(1000, 60000),
    }


def _targets(rng: random.Random) -> list[Record]:
    change = {"displayName": "Role.DisplayName", "oldValue": None, "newValue": '"Global Reader"'}
    return [{"id": guid(rng), "type": "User", "modifiedProperties": [change]}]
