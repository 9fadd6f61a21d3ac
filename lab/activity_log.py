"""Activity Log records as a diagnostic setting sends them to an event hub.

Shape: learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema. That the ids are in upper case,
that operationId and eventDataId are missing, and which properties stand on which stage, was measured on
public samples.
"""

import random
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from lab.customers import REGION_NAMES, Customer
from lab.records import Caller, Record, event_time, guid, json_text, token


class Stage(StrEnum):
    """What Azure calls the stages of an operation in ``resultType``."""

    START = "Start"
    ACCEPT = "Accept"
    SUCCESS = "Success"
    FAILURE = "Failure"


_SIGNATURES: Final = {
    Stage.START: "Started",
    Stage.ACCEPT: "Accepted",
    Stage.SUCCESS: "Succeeded",
    Stage.FAILURE: "Failed",
}

_MESSAGES: Final = {
    "Conflict": ("Conflict", "Another operation on this resource is in progress."),
    "Forbidden": ("AuthorizationFailed", "The client does not have authorization to perform the action."),
    "TooManyRequests": ("RetryableError", "A retryable error occurred. Try again later."),
    "InternalServerError": ("InternalExecutionError", "An internal execution error occurred."),
    "PolicyForbidden": ("RequestDisallowedByPolicy", "Resource was disallowed by policy."),
    "BadRequest": ("DeploymentFailed", "At least one resource deployment operation failed."),
}
_RELEASE: Final = "11.2026.44.2+5d1c0f6f2b7e4a0c9d8e7f6a5b4c3d2e1f0a9b8c.release_2026w44"
_BARE_ACCEPT: Final = "Resource provisioning is in progress."


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked of Azure: all that the stages of one operation share."""

    customer: Customer
    region: str
    """The region whose namespace takes the records."""
    operation_name: str
    resource_id: str
    correlation_id: str | None
    caller: Caller
    body: Record | None = None
    category: str = "Administrative"
    policy: str | None = None
    """Name of the policy definition, for an evaluation of one."""


def stage_record(
    request: Request,
    stage: Stage,
    moment: datetime,
    rng: random.Random,
    result: str = "",
    elapsed_ms: int = 0,
    asynchronous: bool = False,
) -> Record:
    """One stage of an operation.

    Args:
        request: what was asked.
        stage: how far it came.
        moment: event time.
        rng: source of the ids that differ from record to record.
        result: Azure's HTTP result such as ``Created`` or ``Conflict``; empty where Azure gives none.
        elapsed_ms: since the operation's start.
        asynchronous: the back end ended it later on, which Azure tells by a job's id.
    """
    legacy = request.category in ("Write", "Delete", "Action")
    shown_result = "Forbidden" if result == "PolicyForbidden" else result
    record: Record = {
        "RoleLocation": REGION_NAMES[request.region],
        "Stamp": "prod-05",
        "ReleaseVersion": _RELEASE,
        "time": event_time(moment, rng),
        "resourceId": request.resource_id,
        "operationName": request.operation_name,
        "category": request.category,
        "resultType": stage.value,
        "resultSignature": f"{_SIGNATURES[stage]}.{shown_result}",
        "durationMs": elapsed_ms if legacy else str(elapsed_ms),
        "callerIpAddress": request.caller.ip,
        "correlationId": request.correlation_id,
        "identity": _identity(request, moment, rng),
        "level": "Error" if stage is Stage.FAILURE else "Information",
        "properties": _properties(request, stage, result, rng),
        "tenantId": request.customer.tenant_id,
    }
    if request.correlation_id is None:
        del record["correlationId"]
    if asynchronous:
        record["jobId"] = f"ProxyResourceLongOperationJob:{rng.randrange(16**8):08X}"
        record["jobType"] = "ProxyResourceLongOperationJob"
    return record


def _identity(request: Request, moment: datetime, rng: random.Random) -> Record:
    steady = random.Random(request.caller.object_id)
    return {
        "authorization": _authorization(request, steady),
        "claims": _claims(request, moment, steady, rng) | _user_claims(request.caller, steady),
    }


def _authorization(request: Request, steady: random.Random) -> Record:
    scope = request.resource_id.lower()
    person = request.caller.user_principal_name is not None
    return {
        "scope": scope,
        "action": request.operation_name.lower(),
        "evidence": {
            "role": "Contributor" if person else "Owner",
            "roleAssignmentScope": "/".join(scope.split("/")[:3]),
            "roleAssignmentId": guid(steady).replace("-", ""),
            "roleDefinitionId": guid(steady).replace("-", ""),
            "principalId": request.caller.object_id.replace("-", ""),
            "principalType": "User" if person else "ServicePrincipal",
        },
    }


def _claims(request: Request, moment: datetime, steady: random.Random, rng: random.Random) -> Record:
    caller, tenant = request.caller, request.customer.tenant_id
    issued = int(moment.timestamp()) - steady.randint(60, 3000)
    return {
        "aud": "https://management.azure.com/",
        "iss": f"https://sts.windows.net/{tenant}/",
        "iat": str(issued),
        "nbf": str(issued),
        "exp": str(issued + 5400),
        "aio": token(rng, 60),
        "appid": caller.app_id,
        "appidacr": "0" if caller.user_principal_name else "2",
        "http://schemas.microsoft.com/identity/claims/identityprovider": f"https://sts.windows.net/{tenant}/",
        "http://schemas.microsoft.com/identity/claims/objectidentifier": caller.object_id,
        "http://schemas.microsoft.com/identity/claims/tenantid": tenant,
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier": token(steady, 43),
        "rh": f"0.{token(steady, 42)}.",
        "uti": token(rng, 22),
        "ver": "1.0",
        "xms_tcdt": "1510000000",
    }


def _user_claims(caller: Caller, steady: random.Random) -> Record:
    if caller.user_principal_name is None:
        return {}
    return {
        "http://schemas.microsoft.com/claims/authnclassreference": "1",
        "http://schemas.microsoft.com/claims/authnmethodsreferences": "pwd,mfa",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": caller.user_principal_name,
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name": caller.user_principal_name,
        "http://schemas.microsoft.com/identity/claims/scope": "user_impersonation",
        "groups": ",".join(guid(steady) for _ in range(steady.randint(0, 5))),
        "ipaddr": caller.ip,
    }


def _properties(request: Request, stage: Stage, result: str, rng: random.Random) -> Record:
    if request.policy is not None:
        return _policy_properties(request, request.policy)
    properties: Record = {
        "eventCategory": "Administrative",
        "entity": request.resource_id.lower(),
        "message": request.operation_name.lower(),
        "hierarchy": f"{request.customer.tenant_id}/{request.resource_id.lower().split('/')[2]}",
    }
    if stage is Stage.START:
        return ({"requestbody": json_text(request.body)} if request.body is not None else {}) | properties
    properties |= {"statusCode": result or "OK", "serviceRequestId": guid(rng)}
    if stage is Stage.FAILURE:
        code, message = _MESSAGES[result]
        status = "Forbidden" if result == "PolicyForbidden" else result
        error = {"code": code, "message": message, "target": request.resource_id.rsplit("/", 1)[-1]}
        properties |= {"statusCode": status, "statusMessage": json_text({"error": error})}
    elif stage is Stage.ACCEPT and not result:
        properties |= {"statusMessage": json_text(_BARE_ACCEPT)}
    elif request.body is not None and result == "Created":
        answer = request.body | {"id": request.resource_id, "etag": f'W/"{guid(rng)}"'}
        properties |= {"responseBody": json_text(answer)}
    return properties


def _policy_properties(request: Request, policy: str) -> Record:
    effect = request.operation_name.split("/")[2].lower()
    subscription = "/".join(request.resource_id.split("/")[:3])
    evaluated = {
        "policyDefinitionId": f"{subscription}/providers/Microsoft.Authorization/policyDefinitions/{policy}",
        "policyDefinitionName": policy,
        "policyDefinitionEffect": effect,
        "policyAssignmentId": f"{subscription}/providers/Microsoft.Authorization/policyAssignments/{policy}",
        "policyAssignmentScope": subscription,
        "policyAssignmentParameters": {},
    }
    return {
        "isComplianceCheck": "False",
        "resourceLocation": request.region,
        "ancestors": "mg-landing-zones,mg-root",
        "policies": json_text([evaluated]),
        "eventCategory": "Policy",
        "entity": request.resource_id.lower(),
        "message": request.operation_name,
        "hierarchy": "",
    }
