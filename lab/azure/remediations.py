"""Remediations of Azure Policy: tasks that deploy, scope by scope, what an assignment found missing.

Source: Microsoft.PolicyInsights 2021-10-01 in Microsoft's REST API specifications and
learn.microsoft.com/azure/governance/policy/how-to/remediate-resources. How long a deployment takes, and the
codes of the refusals, are the lab's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from lab.azure.arm_error import conflict


class Ending(StrEnum):
    """How a deployment ended."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


@dataclass(frozen=True, slots=True)
class Deployment:
    """What one subscription gets."""

    subscription_id: str
    ends: datetime
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class Remediation:
    """A task."""

    id: str
    name: str
    assignment_id: str
    created: datetime
    changed: datetime
    deployments: tuple[Deployment, ...] = ()
    discovery: str = "ExistingNonCompliant"
    asked: Mapping[str, object] = field(default_factory=dict)
    """What else was asked for, to be shown again."""

    @property
    def state(self) -> str:
        """The provisioning state of the whole."""
        endings = {each.ending for each in self.deployments}
        if None in endings:
            return "Accepted" if self.changed == self.created else "Evaluating"
        if Ending.CANCELED in endings:
            return "Canceled"
        return "Failed" if Ending.FAILED in endings else "Succeeded"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return all(each.ending for each in self.deployments)

    def count(self, ending: Ending) -> int:
        """How many deployments ended so."""
        return sum(each.ending is ending for each in self.deployments)

    def canceled(self, now: datetime) -> "Remediation":
        """The task without those deployments that were still to come.

        Raises:
            ArmError: 409 when it is over.
        """
        if self.is_over:
            raise conflict(
                f"The remediation '{self.name}' is over and can't be canceled.",
                "InvalidCancelRemediationRequest",
            )
        kept = (replace(each, ending=each.ending or Ending.CANCELED) for each in self.deployments)
        return replace(self, deployments=tuple(kept), changed=now)


def planned(
    subscription_ids: list[str], now: datetime, each_takes: timedelta, parallel: int
) -> tuple[Deployment, ...]:
    """The deployments of a new task, so many side by side."""
    return tuple(
        Deployment(subscription_id, now + each_takes * (1 + number // parallel))
        for number, subscription_id in enumerate(subscription_ids)
    )
