from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.log_catalogue import LogCatalogue
from azmdr.reconcile.verdict import Reason, Verdict


@dataclass(frozen=True, slots=True)
class TargetFacts:
    id: ResourceId
    kind: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Selection:
    categories: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


class CustomerRules(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    excluded_types: tuple[str, ...] = ()


class CategoryPolicy:
    subscription_categories = ("Administrative", "Security", "Policy", "Alert")
    entra_tables = ("SigninLogs", "AuditLogs")

    @classmethod
    def load(cls, path: Path | None = None) -> CategoryPolicy:
        return cls()

    def children_of(self, kind: str) -> tuple[str, ...]:
        return (
            ("blobServices/default", "queueServices/default")
            if kind == "microsoft.storage/storageaccounts"
            else ()
        )

    def settled_by_rules(self, facts: TargetFacts, rules: CustomerRules) -> Verdict | None:
        return Verdict(Reason.TYPE_WITHOUT_LOGS) if facts.id.type == "microsoft.compute/disks" else None

    def selection(
        self, facts: TargetFacts, rules: CustomerRules, catalogue: LogCatalogue
    ) -> Selection | Verdict:
        if not catalogue.categories:
            return Verdict(Reason.TYPE_WITHOUT_LOGS)
        if catalogue.in_group("audit"):
            return Selection(groups=frozenset({"audit"}))
        return Selection(categories=frozenset(catalogue.categories))

    def digest(self, rules: CustomerRules) -> str:
        return "x"


class CategoryPolicyError(ValueError): ...
