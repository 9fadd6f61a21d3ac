"""Customers: whose Azure we watch."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from azmdr.inventory.regions import known_region
from azmdr.inventory.resource_id import ResourceId
from azmdr.lake.layout import customer_name
from azmdr.reconcile.customer_rules import CustomerRules

_WORKSPACE = "microsoft.operationalinsights/workspaces"


class CustomerState(StrEnum):
    """Where a customer stands with us."""

    ACTIVE = "active"
    LEAVING = "leaving"
    """What we set is being removed; then we wait until nothing arrives any more."""
    GONE = "gone"


class CustomerError(ValueError):
    """A customer that can't be: the message names the field."""


def _workspace_id(text: str) -> str:
    parsed = ResourceId.parse(text)
    if parsed.type != _WORKSPACE:
        raise ValueError(f"is a {parsed.type}, not a Log Analytics workspace")
    return parsed.text


class Customer(BaseModel):
    """A customer as the provider's people describe it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, AfterValidator(customer_name)]
    """Names the customer everywhere, its event hubs too."""
    tenant_id: Annotated[str, AfterValidator(lambda text: str(UUID(text)))]
    """Its Entra ID tenant."""
    home_region: Annotated[str, AfterValidator(known_region)]
    """Where the logs go of what is in no region: subscriptions, global resources."""
    entra_workspace_id: Annotated[str, AfterValidator(_workspace_id)] | None = None
    """The workspace that takes its Entra ID logs, which are exported from there."""
    dry_run: bool = False
    """Plans only; nothing is written to its Azure."""
    rules: CustomerRules = CustomerRules()
    state: CustomerState = CustomerState.ACTIVE
    leaving_since: datetime | None = None
    cleared_at: datetime | None = None
    """When all we had set was seen to be gone."""

    @classmethod
    def of(cls, **fields: Any) -> "Customer":
        """A customer from what somebody typed.

        Raises:
            CustomerError: a field can't be; the message has a line for each.
        """
        try:
            return cls(**fields)
        except ValidationError as error:
            name = fields.get("name", "?")
            lines = (
                f"{'.'.join(map(str, found['loc']))}: {found['msg'].removeprefix('Value error, ')}"
                for found in error.errors()
            )
            raise CustomerError(f"customer {name}: " + "; ".join(lines)) from None
