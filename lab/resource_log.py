"""Resource logs: what storage accounts, key vaults, clusters, firewalls and networks write on their own.

Categories: learn.microsoft.com/azure/azure-monitor/reference/logs-index. Hardly two services agree on a
field, which is the point of having several here. Every builder takes the customer, a region, the moment and
the seeded source, and returns one record.
"""

import random
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeAlias

from lab.customers import Customer
from lab.records import Record, event_time, guid, json_text, private_ip, public_ip, resource_id, token

ResourceRecordBuilder: TypeAlias = Callable[[Customer, str, datetime, random.Random], Record]


def storage_read(customer: Customer, region: str, moment: datetime, rng: random.Random) -> Record:
    """A blob was read: no result type, and the caller's address carries a port."""
    blob = f"https://{customer.name}logs.blob.core.windows.net:443/exports/{token(rng, 24)}"
    return _resource_log(customer, moment, rng, "Microsoft.Storage/storageAccounts/blobServices") | {
        "operationName": "GetBlob",
        "operationVersion": "2024-11-04",
        "schemaVersion": "1.0",
        "category": "StorageRead",
        "statusCode": 200,
        "statusText": "Success",
        "durationMs": rng.randint(1, 400),
        "callerIpAddress": f"{private_ip(rng)}:{rng.randint(1024, 65535)}",
        "correlationId": guid(rng),
        "identity": {"type": "OAuth", "requester": {"objectId": guid(rng), "tenantId": customer.tenant_id}},
        "location": region,
        "uri": blob,
        "protocol": "HTTPS",
        "properties": {
            "serviceType": "blob",
            "objectKey": f"/exports/{token(rng, 16)}",
            "tlsVersion": "TLS 1.3",
        },
    }


def key_vault_audit(customer: Customer, region: str, moment: datetime, rng: random.Random) -> Record:
    """A secret was asked for: the result type says Success even where the vault answered 403 (measured)."""
    code, signature = rng.choice(((200, "OK"), (200, "OK"), (403, "Forbidden"), (404, "Not Found")))
    vault = f"https://{customer.name}-{region}.vault.azure.net/secrets/{token(rng, 8)}"
    return _resource_log(customer, moment, rng, "Microsoft.KeyVault/vaults") | {
        "operationName": "SecretGet",
        "operationVersion": "7.4",
        "category": "AuditEvent",
        "resultType": "Success",
        "resultSignature": signature,
        "durationMs": str(rng.randint(1, 99)),
        "callerIpAddress": public_ip(rng),
        "correlationId": guid(rng),
        "identity": {"claim": {"appid": guid(rng)}},
        "properties": {"id": vault, "httpStatusCode": code, "requestUri": f"{vault}?api-version=7.4"},
    }


def kubernetes_audit(customer: Customer, region: str, moment: datetime, rng: random.Random) -> Record:
    """A call of a cluster's API server, as JSON text inside a property."""
    call = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "auditID": guid(rng),
        "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/default/secrets",
        "verb": rng.choice(("get", "list", "update")),
        "user": {"username": "system:serviceaccount:default:web", "groups": ["system:authenticated"]},
        "sourceIPs": [private_ip(rng)],
        "responseStatus": {"metadata": {}, "code": 200},
    }
    return _resource_log(customer, moment, rng, "Microsoft.ContainerService/managedClusters") | {
        "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
        "category": "kube-audit",
        "location": region,
        "properties": {"log": json_text(call), "stream": "stdout", "pod": f"kube-apiserver-{token(rng, 10)}"},
    }


def firewall_rule(customer: Customer, region: str, moment: datetime, rng: random.Random) -> Record:
    """A firewall's verdict, as a sentence."""
    sentence = f"TCP request from {private_ip(rng)}:{rng.randint(1024, 65535)} to {public_ip(rng)}:443"
    return _resource_log(customer, moment, rng, "Microsoft.Network/azureFirewalls") | {
        "operationName": "AzureFirewallNetworkRuleLog",
        "category": "AzureFirewallNetworkRule",
        "location": region,
        "properties": {"msg": f"{sentence}. Action: {rng.choice(('Allow', 'Deny'))}."},
    }


def network_flow(customer: Customer, region: str, moment: datetime, rng: random.Random) -> Record:
    """Flows through a network security group, as tuples of text."""
    seconds = int(moment.timestamp())
    tuples = [
        f"{seconds - age},{public_ip(rng)},{private_ip(rng)},{rng.randint(1024, 65535)},22,T,I,D,B,,,,"
        for age in range(rng.randint(2, 12))
    ]
    flows = [{"rule": "DefaultRule_DenyAllInBound", "flows": [{"mac": "000D3AF87856", "flowTuples": tuples}]}]
    return _resource_log(customer, moment, rng, "Microsoft.Network/networkSecurityGroups") | {
        "operationName": "NetworkSecurityGroupFlowEvents",
        "category": "NetworkSecurityGroupFlowEvent",
        "systemId": guid(random.Random(region)),
        "properties": {"Version": 2, "flows": flows},
    }


def gateway_access(customer: Customer, region: str, moment: datetime, rng: random.Random) -> Record:
    """A request through an application gateway: its time stands under ``timeStamp``."""
    record = _resource_log(customer, moment, rng, "Microsoft.Network/applicationGateways")
    return {
        "timeStamp": record.pop("time"),
        **record,
        "operationName": "ApplicationGatewayAccess",
        "category": "ApplicationGatewayAccessLog",
        "properties": {
            "clientIP": public_ip(rng),
            "httpStatus": 200,
            "host": f"{customer.name}-{region}.example",
        },
    }


def function_log(customer: Customer, region: str, moment: datetime, rng: random.Random) -> Record:
    """A line of a function app: a US time, and properties that are text and no JSON (measured)."""
    record = _resource_log(customer, moment, rng, "Microsoft.Web/sites") | {
        "time": f"{moment:%m/%d/%Y %H:%M:%S}"
    }
    return record | {
        "operationName": "Microsoft.Web/sites/functions/log",
        "category": "FunctionAppLogs",
        "location": region,
        "properties": f"{{'appName':'{customer.name}-jobs','message':'done','invocation':'{guid(rng)}'}}",
    }


RESOURCE_RECORDS: Final[tuple[ResourceRecordBuilder, ...]] = (
    storage_read,
    key_vault_audit,
    kubernetes_audit,
    firewall_rule,
    network_flow,
    gateway_access,
    function_log,
)


def _resource_log(customer: Customer, moment: datetime, rng: random.Random, resource_type: str) -> Record:
    subscription = rng.choice(customer.subscriptions)
    return {
        "time": event_time(moment, rng),
        "resourceId": resource_id(subscription, resource_type, rng).upper(),
    }
