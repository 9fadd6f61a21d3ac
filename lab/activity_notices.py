"""Activity Log records that are no stage of an operation: each stands for itself.

Service and resource health, Defender alerts, fired alerts, recommendations, autoscale, and the sentences of
Privileged Identity Management. Shapes: learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema.
Every builder takes the customer, its subscription, the moment and the seeded source, and returns one record.
"""

import random
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeAlias

from lab.customers import Customer, Subscription
from lab.records import Record, event_time, guid, json_text, public_ip, resource_id, token, user

NoticeBuilder: TypeAlias = Callable[[Customer, Subscription, datetime, random.Random], Record]


def service_health(
    customer: Customer, subscription: Subscription, moment: datetime, rng: random.Random
) -> Record:
    """An incident of Azure itself, with its communication as HTML."""
    tracking = token(rng, 7).upper()
    services = [{"ServiceName": "Virtual Machines", "ImpactedRegions": [{"RegionName": "West Europe"}]}]
    sentence = "<p>Engineers are investigating an issue that affects a subset of customers.</p>"
    return _notice(
        customer, subscription, moment, rng, "ServiceHealth", "Microsoft.ServiceHealth/incident/action"
    ) | {
        "resultType": rng.choice(("Active", "Resolved")),
        "properties": {
            "title": "Virtual Machines - West Europe",
            "trackingId": tracking,
            "incidentType": "Incident",
            "communication": sentence * rng.randint(5, 30),
            "impactedServices": json_text(services),
            "isHIR": False,
            "IsSynthetic": "False",
            "stage": "Active",
        },
    }


def resource_health(
    customer: Customer, subscription: Subscription, moment: datetime, rng: random.Random
) -> Record:
    """A resource became unavailable or came back."""
    health = {"title": "Unavailable", "cause": "PlatformInitiated", "currentHealthStatus": "Unavailable"}
    return _notice(
        customer,
        subscription,
        moment,
        rng,
        "ResourceHealth",
        "Microsoft.Resourcehealth/healthevent/Updated/action",
    ) | {
        "resultType": rng.choice(("Updated", "Activated", "Resolved")),
        "properties": {"eventCategory": "ResourceHealth", "eventProperties": health},
    }


def security_alert(
    customer: Customer, subscription: Subscription, moment: datetime, rng: random.Random
) -> Record:
    """A Defender for Cloud alert; one of its properties has a blank in its name."""
    return _notice(
        customer, subscription, moment, rng, "Security", "Microsoft.Security/locations/alerts/activate/action"
    ) | {
        "resultType": "Active",
        "properties": {
            "alertType": "SuspiciousProcess",
            "severity": "High",
            "parentProcess id": f"0x{rng.randrange(16**4):x}",
            "actionTaken": "Undefined",
            "eventCategory": "Security",
        },
    }


def fired_alert(
    customer: Customer, subscription: Subscription, moment: datetime, rng: random.Random
) -> Record:
    """A metric alert; its correlation id is a path, and its result ends in a dot."""
    notice = _notice(
        customer, subscription, moment, rng, "Alert", "Microsoft.Insights/AlertRules/Activated/Action"
    )
    return notice | {
        "correlationId": f"{notice['resourceId']}/incidents/{token(rng, 44)}=",
        "resultType": "Succeeded.",
        "properties": {"RuleName": "cpu over 90", "Threshold": "90", "WindowSizeInMinutes": "5"},
    }


def recommendation(
    customer: Customer, subscription: Subscription, moment: datetime, rng: random.Random
) -> Record:
    """An Advisor recommendation, the one category with an event id at the top."""
    return _notice(
        customer,
        subscription,
        moment,
        rng,
        "Recommendation",
        "Microsoft.Advisor/generateRecommendations/action",
    ) | {
        "resultType": "Active",
        "eventDataId": guid(rng),
        "properties": {"recommendationCategory": "Security", "recommendationImpact": "Medium"},
    }


def autoscale(customer: Customer, subscription: Subscription, moment: datetime, rng: random.Random) -> Record:
    """A scale set grew; its counts are texts."""
    return _notice(
        customer,
        subscription,
        moment,
        rng,
        "Autoscale",
        "Microsoft.Insights/AutoscaleSettings/Scaleup/Action",
    ) | {
        "resultType": "Succeeded",
        "properties": {
            "OldInstancesCount": "2",
            "NewInstancesCount": "4",
            "LastScaleActionTime": str(moment),
        },
    }


def role_activation(
    customer: Customer, subscription: Subscription, moment: datetime, rng: random.Random
) -> Record:
    """A PIM activation: category Administrative, and yet a sentence instead of an operation."""
    person = user(customer, rng)
    sentence = rng.choice(("requested", "completed"))
    operation = f"Add member to role {sentence} (PIM activation)"
    return _notice(customer, subscription, moment, rng, "Administrative", operation) | {
        "resultType": "Succeeded",
        "properties": {
            "ResourceProviderName": "azurerbac",
            "CallerInfo": json_text({"Upn": person.user_principal_name, "ObjectId": person.object_id}),
        },
    }


NOTICES: Final[tuple[NoticeBuilder, ...]] = (
    service_health,
    resource_health,
    security_alert,
    fired_alert,
    recommendation,
    autoscale,
    role_activation,
)


def _notice(
    customer: Customer,
    subscription: Subscription,
    moment: datetime,
    rng: random.Random,
    category: str,
    operation: str,
) -> Record:
    return {
        "time": event_time(moment, rng),
        "resourceId": resource_id(subscription, "Microsoft.Compute/virtualMachines", rng).upper(),
        "operationName": operation,
        "category": category,
        "resultType": "Active",
        "resultSignature": "",
        "callerIpAddress": public_ip(rng),
        "correlationId": guid(rng),
        "level": "Information",
        "tenantId": customer.tenant_id,
    }
