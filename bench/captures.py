"""Capture files to measure with: synthetic, the same for the same seed, shaped like an activity log's.

Three records in five are stages of operations, interleaved in time; the rest are sign-ins and resource
logs. An activity record has some 3.4 KB, most of it claims and bodies in JSON text, as the documented
examples have. Sizes and shares of real tenants are not known.
"""

import heapq
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

import fastavro

from azmdr.capture.schema import EVENT_DATA

BEGIN: Final = datetime(2026, 3, 1, tzinfo=UTC)
_TYPES: Final = (
    ("MICROSOFT.NETWORK", "NETWORKSECURITYGROUPS", "WRITE"),
    ("MICROSOFT.COMPUTE", "VIRTUALMACHINES", "WRITE"),
    ("MICROSOFT.COMPUTE", "VIRTUALMACHINES", "START/ACTION"),
    ("MICROSOFT.STORAGE", "STORAGEACCOUNTS", "WRITE"),
    ("MICROSOFT.KEYVAULT", "VAULTS", "WRITE"),
    ("MICROSOFT.AUTHORIZATION", "ROLEASSIGNMENTS", "WRITE"),
    ("MICROSOFT.SQL", "SERVERS", "DELETE"),
)
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_RECORDS_OF_A_BODY: Final = 14
Told = tuple[float, str, bytes]
"""When a record was written, in seconds, the stream it came in, and its text."""


def write_captures(
    folder: Path,
    *,
    megabytes: float,
    files: int = 1,
    codec: str = "null",
    seed: int = 1,
    strange: bool = False,
) -> list[Path]:
    """Write capture files of so many megabytes of bodies each; those that are there are left as they are.

    ``strange`` gives every record fields that no other generator has, at every level.
    """
    paths = [
        folder / f"{megabytes:g}MB-{codec}-{seed}{'-strange' * strange}-{n:05d}.avro" for n in range(files)
    ]
    if all(path.exists() for path in paths):
        return paths
    folder.mkdir(parents=True, exist_ok=True)
    bodies = _Tenant(seed, strange=strange).bodies()
    number = 0
    for path in paths:
        events: list[dict[str, Any]] = []
        size = 0
        while size < megabytes * 1e6:
            moment, body = next(bodies)
            enqueued = BEGIN + timedelta(seconds=moment)
            events.append(
                {
                    "SequenceNumber": number,
                    "Offset": str(number * 4096),
                    "EnqueuedTimeUtc": f"{enqueued:%m/%d/%Y %I:%M:%S %p}",
                    "SystemProperties": {"x-opt-enqueued-time": int(enqueued.timestamp() * 1000)},
                    "Properties": {},
                    "Body": body,
                }
            )
            size += len(body)
            number += 1
        with path.open("wb") as file:
            fastavro.writer(file, EVENT_DATA, events, codec=codec, sync_interval=1 << 16)
    return paths


def write_open_operations(folder: Path, *, records: int, operations: int) -> Path:
    """A capture file of so many records, dealt to so many operations: each is open nearly to the end."""
    path = folder / f"{records}-records-{operations}-operations.avro"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    tenant = _Tenant(1, strange=False)
    held = tenant.held_open(records, operations)
    events = []
    for number in range(0, records, _RECORDS_OF_A_BODY):
        body = b'{"records": [' + b",".join(islice(held, _RECORDS_OF_A_BODY)) + b"]}"
        enqueued = BEGIN + timedelta(seconds=number)
        events.append(
            {
                "SequenceNumber": number // _RECORDS_OF_A_BODY,
                "Offset": str(number),
                "EnqueuedTimeUtc": f"{enqueued:%m/%d/%Y %I:%M:%S %p}",
                "SystemProperties": {},
                "Properties": {},
                "Body": body,
            }
        )
    with path.open("wb") as file:
        fastavro.writer(file, EVENT_DATA, events, sync_interval=1 << 16)
    return path


class _Tenant:
    """A tenant whose records go on without end, in the order of their time."""

    def __init__(self, seed: int, *, strange: bool) -> None:
        self._random = Random(seed)
        self._strange = strange
        self._tenant = self._guid()
        self._subscriptions = [self._guid().upper() for _ in range(24)]
        self._people = [self._person(number) for number in range(80)]

    def bodies(self) -> Iterator[tuple[float, bytes]]:
        """Bodies of events with the time of their last record: each holds records of one stream."""
        random = self._random
        waiting: dict[str, list[bytes]] = {}
        wanted: dict[str, int] = {}
        for moment, stream, record in self._records():
            held = waiting.setdefault(stream, [])
            held.append(record)
            if len(held) >= wanted.setdefault(stream, 1 + min(200, int(random.expovariate(1 / 14)))):
                yield moment, b'{"records": [' + b",".join(held) + b"]}"
                del waiting[stream], wanted[stream]

    def held_open(self, records: int, operations: int) -> Iterator[bytes]:
        """Records, each of the next operation in turn: first its Start, then Accepts, at the end Success."""
        commons = [self._common(0, self._guid()) for _ in range(operations)]
        for number in range(records):
            common, entity, body = commons[number % operations]
            first, last = number < operations, number >= records - operations
            stage, signature = (
                ("Start", "Started.")
                if first
                else ("Success", "Succeeded.")
                if last
                else ("Accept", "Accepted.Created")
            )
            said = {"requestbody": _text_of(body)} if first else {"statusCode": "OK"}
            _, _, told = self._stage(float(number), common, stage, signature, {**said, **entity})
            yield told

    def _records(self) -> Iterator[Told]:
        random = self._random
        heap: list[Told] = []
        now, staged, others = 0.0, 0, 0
        while True:
            now += random.expovariate(8)
            if staged * 2 <= others * 3:
                correlation = self._guid()
                # A deployment is many operations under one correlation id.
                count = random.randint(3, 14) if random.random() < 0.06 else 1
                new = [one for n in range(count) for one in self._operation(now + 2.1 * n, correlation)]
                staged += len(new)
            else:
                new = [self._sign_in(now) if random.random() < 0.3 else self._resource_log(now)]
                others += 1
            for one in new:
                heapq.heappush(heap, one)
            while heap and heap[0][0] <= now:
                yield heapq.heappop(heap)

    def _common(
        self, begin: float, correlation: str
    ) -> tuple[dict[str, Any], dict[str, str], dict[str, Any]]:
        """What the records of an operation share, what their properties do, and its request."""
        random = self._random
        provider, kind, verb = random.choice(_TYPES)
        subscription = random.choice(self._subscriptions)
        name = f"{kind[:6]}{random.randint(1, 99_999):05d}"
        resource = (
            f"/SUBSCRIPTIONS/{subscription}/RESOURCEGROUPS/RG-{random.randint(1, 120):03d}"
            f"/PROVIDERS/{provider}/{kind}/{name}"
        )
        claims, address = random.choice(self._people)
        common = {
            "RoleLocation": random.choice(["West Europe", "East US", "Brazil South"]),
            "ReleaseVersion": f"6.2026.{random.randint(1, 9)}+{random.getrandbits(160):040x}",
            "resourceId": resource,
            "operationName": f"{provider}/{kind}/{verb}",
            "category": "Administrative",
            "callerIpAddress": address,
            "correlationId": correlation,
            "identity": {
                "authorization": {
                    "scope": resource.lower(),
                    "action": f"{provider}/{kind}/{verb}".lower(),
                    "evidence": {
                        "role": "Contributor",
                        "roleAssignmentId": f"{random.getrandbits(128):032x}",
                    },
                },
                "claims": {**claims, "iat": str(int(begin)), "uti": self._text(22), "aio": self._text(60)},
            },
            "tenantId": self._tenant,
        }
        entity = {
            "entity": resource.lower(),
            "message": f"{provider}/{kind}/{verb}".title(),
            "hierarchy": "mg",
        }
        return common, entity, self._request_body(name)

    def _operation(self, begin: float, correlation: str) -> Iterator[Told]:
        random = self._random
        common, entity, body = self._common(begin, correlation)
        resource, name = common["resourceId"], common["resourceId"].rpartition("/")[2]
        yield self._stage(begin, common, "Start", "Started.", {"requestbody": _text_of(body), **entity})
        answered = begin + random.uniform(0.15, 3)
        if random.random() < 0.6:
            response = {**body, "id": resource.lower(), "etag": self._guid(), "state": "Accepted"}
            said = {
                "statusCode": "Created",
                "serviceRequestId": self._guid(),
                "responseBody": _text_of(response),
            }
            yield self._stage(answered, common, "Accept", "Accepted.Created", {**said, **entity})
        ended = answered + (random.uniform(1, 60) if random.random() < 0.8 else random.uniform(60, 9000))
        match random.random():
            case chance if chance < 0.9:
                job = {**common, "jobId": f"ProxyResourceLongOperationJob:{random.randint(1, 99_999)}"}
                yield self._stage(ended, job, "Success", "Succeeded.", {"statusCode": "OK", **entity})
            case chance if chance < 0.97:
                message = {"error": {"code": "Conflict", "message": f"Resource '{name}' is in use."}}
                said = {"statusCode": "Conflict", "statusMessage": _text_of(message)}
                yield self._stage(ended, common, "Failure", "Failed.Conflict", {**said, **entity})

    def _stage(
        self, moment: float, common: dict[str, Any], stage: str, signature: str, properties: dict[str, Any]
    ) -> Told:
        head = {"time": _time(moment), "resultType": stage, "resultSignature": signature, "durationMs": "12"}
        return self._told(
            moment, "activity", {**head, **common, "level": "Information", "properties": properties}
        )

    def _request_body(self, name: str) -> dict[str, Any]:
        random = self._random
        return {
            "location": "westeurope",
            "tags": {"env": random.choice(["prod", "dev"]), 'cost "centre"': str(random.randint(1000, 9999))},
            "properties": {
                f"rule{number}": {
                    "name": f"{name}-{number}",
                    "sourceAddressPrefix": f"10.{random.randint(0, 255)}.0.0/16",
                    "destinationPortRange": str(random.randint(1, 65_535)),
                    "access": random.choice(["Allow", "Deny"]),
                    "weight": random.choice([1.5, 0.25, 100]),
                }
                for number in range(random.randint(3, 10))
            },
        }

    def _sign_in(self, moment: float) -> Told:
        random = self._random
        claims, address = random.choice(self._people)
        policies = [
            {"id": self._guid(), "displayName": f"CA{n:03d} Require MFA", "enforcedGrantControls": ["Mfa"]}
            for n in range(random.randint(4, 16))
        ]
        properties: dict[str, Any] = {
            "id": self._guid(),
            "createdDateTime": _time(moment),
            "userDisplayName": claims["name"],
            "ipAddress": address,
            "status": {"errorCode": random.choice([0, 0, 0, 50_126]), "failureReason": None},
            "location": {
                "city": "São Paulo",
                "geoCoordinates": {"latitude": round(random.uniform(-30, 60), 5)},
            },
            "appliedConditionalAccessPolicies": policies,
            "uniqueTokenIdentifier": self._text(22),
        }
        record = {
            "time": _time(moment),
            "resourceId": f"/tenants/{self._tenant}/providers/Microsoft.aadiam",
            "operationName": "Sign-in activity",
            "category": "SignInLogs",
            "tenantId": self._tenant,
            "resultType": "0",
            "callerIpAddress": address,
            "identity": claims["name"],
            "properties": properties,
        }
        return self._told(moment, "sign-ins", record)

    def _resource_log(self, moment: float) -> Told:
        random = self._random
        if random.random() < 0.4:
            log = {
                "kind": "Event",
                "auditID": self._guid(),
                "verb": "update",
                "requestURI": "/apis/leases?timeout=5s",
            }
            record = {
                "category": "kube-audit",
                "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
                "properties": {"log": _text_of(log), "pod": f"kube-apiserver-{self._text(10)}"},
                "time": _time(moment),
                "resourceId": "/SUBSCRIPTIONS/X/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.CONTAINERSERVICE/AKS1",
            }
            return self._told(moment, "kube", record)
        storage: dict[str, Any] = {
            "time": _time(moment),
            "category": random.choice(["StorageRead", "StorageWrite"]),
            "operationName": "GetBlob",
            "statusCode": 200,
            "durationMs": random.randint(1, 400),
            "correlationId": self._guid(),
            "identity": {"type": "OAuth", "tokenHash": f"{random.getrandbits(256):064X}"},
            "properties": {
                "objectKey": f"/st/c/{self._text(24)}",
                "responseBodySize": random.getrandbits(30),
            },
            "uri": f"https://st.blob.core.windows.net/c/{self._text(24)}?sig={self._text(43)}",
        }
        return self._told(moment, "storage", storage)

    def _told(self, moment: float, stream: str, record: dict[str, Any]) -> Told:
        if self._strange:
            number = self._random.randint(0, 9)
            record = {
                f"new field {number}": {"n": 1.10, "of": [number, None]},
                **record,
                "another": self._text(30),
            }
            record["properties"] = {**record["properties"], f"new {number}": True}
        return moment, stream, json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()

    def _person(self, number: int) -> tuple[dict[str, str], str]:
        random = self._random
        schema = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
        address = f"{random.randint(11, 220)}.{random.randint(0, 255)}.{random.randint(0, 255)}.7"
        claims = {
            "aud": "https://management.core.windows.net/",
            "iss": f"https://sts.windows.net/{self._tenant}/",
            "http://schemas.microsoft.com/claims/authnmethodsreferences": "pwd,mfa",
            "appid": self._guid(),
            "groups": ",".join(self._guid() for _ in range(random.randint(4, 16))),
            "ipaddr": address,
            "name": f"José O'User{number:03d}",
            "http://schemas.microsoft.com/identity/claims/objectidentifier": self._guid(),
            "puid": f"{random.getrandbits(64):016X}",
            "rh": self._text(46),
            f"{schema}nameidentifier": self._text(43),
            f"{schema}upn": f"user{number:03d}@contoso.example",
            "wids": self._guid(),
        }
        return claims, address

    def _guid(self) -> str:
        digits = f"{self._random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def _text(self, length: int) -> str:
        return "".join(self._random.choices(_LETTERS, k=length))


def _time(moment: float) -> str:
    return f"{BEGIN + timedelta(seconds=moment):%Y-%m-%dT%H:%M:%S.%f}0Z"


def _text_of(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
