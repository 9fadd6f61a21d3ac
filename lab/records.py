"""What every kind of record is made of: event times, ids, addresses, callers, all from one seeded source."""

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

import msgspec

from lab.customers import Customer, Subscription

Record: TypeAlias = dict[str, object]
"""One log record as the JSON object Azure would send."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks Azure for something: a person or a service principal of a customer."""

    object_id: str
    user_principal_name: str | None
    """None for a service principal."""
    app_id: str
    ip: str


def encode(record: Record) -> bytes:
    """The record as Azure spells it: compact JSON, UTF-8."""
    return msgspec.json.encode(record)


def json_text(value: object) -> str:
    """A value as JSON *text*, the form nested values often have."""
    return msgspec.json.encode(value).decode()


def guid(rng: random.Random) -> str:
    """A random GUID in lower case."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def token(rng: random.Random, length: int) -> str:
    """Text that looks like a token and is none."""
    return "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", k=length))


def public_ip(rng: random.Random) -> str:
    """An address of the range kept for documentation, 203.0.113.0/24."""
    return f"203.0.113.{rng.randint(1, 254)}"


def private_ip(rng: random.Random) -> str:
    """An address inside a virtual network."""
    return f"10.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(4, 254)}"


def event_time(moment: datetime, rng: random.Random) -> str:
    """ISO 8601 with seven digits of fraction and ``Z``, as most Azure services write it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}{rng.randrange(10)}Z"


def us_time(moment: datetime) -> str:
    """The US form, ``12/7/2018 10:22:49 AM``, as capture files and risk events have it (measured)."""
    utc = moment.astimezone(UTC)
    half = "AM" if utc.hour < 12 else "PM"
    return f"{utc.month}/{utc.day}/{utc.year} {utc.hour % 12 or 12}:{utc:%M:%S} {half}"


def user(customer: Customer, rng: random.Random) -> Caller:
    """One of the customer's few administrators: the same number is always the same person."""
    number = rng.randint(1, 6)
    steady = random.Random(f"{customer.name} admin {number}")
    upn = f"admin{number:02d}@{customer.name}.example"
    return Caller(guid(steady), upn, "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", public_ip(steady))


def service_principal(customer: Customer, rng: random.Random) -> Caller:
    """One of the customer's pipelines."""
    steady = random.Random(f"{customer.name} pipeline {rng.randint(1, 3)}")
    return Caller(guid(steady), None, guid(steady), public_ip(steady))


def resource_group_id(subscription: Subscription, rng: random.Random) -> str:
    """A resource group, in Azure's own spelling."""
    part = rng.choice(("web", "data", "core", "shop", "hub"))
    return f"/subscriptions/{subscription.id}/resourceGroups/rg-{part}-{rng.randint(1, 40):02d}"


def resource_id(subscription: Subscription, resource_type: str, rng: random.Random) -> str:
    """A resource of a type such as ``Microsoft.Sql/servers/databases``, in Azure's own spelling."""
    namespace, *kinds = resource_type.split("/")
    path = "".join(f"/{kind}/{kind[:6].lower()}{rng.randrange(16**6):06x}" for kind in kinds)
    return f"{resource_group_id(subscription, rng)}/providers/{namespace}{path}"
