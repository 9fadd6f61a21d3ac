"""The estimate: which categories Azure would charge for exporting, before they are switched on. Pure.

It names what is billed and on how many resources, never an amount: volumes are only known once logs flow.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.category_policy import CategoryPolicy, Selection, TargetFacts
from azmdr.reconcile.customer_rules import CustomerRules
from azmdr.reconcile.log_catalogue import LogCatalogue
from azmdr.reconcile.verdict import Verdict
from azmdr.store.log_catalogues import Variety


class Decision(StrEnum):
    """What becomes of a category."""

    SENT = "sent"
    REFUSED_FOR_COST = "refused_for_cost"
    NOT_WANTED = "not_wanted"


@dataclass(frozen=True, slots=True)
class EstimateRow:
    """One category of one type of resource. ``billed`` is None where it is not known."""

    type: str
    category: str
    resources: int
    billed: bool | None
    decision: Decision
    reason: str = ""

    @property
    def costs(self) -> bool:
        """Whether it would be billed, or might be."""
        return self.decision is Decision.SENT and self.billed is not False


_ANYWHERE = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/any/providers"


def estimate(
    policy: CategoryPolicy,
    rules: CustomerRules,
    counted: Mapping[Variety, int],
    catalogues: Mapping[Variety, LogCatalogue],
) -> list[EstimateRow]:
    """What of each type's logs would be sent and billed.

    Args:
        policy: the category policy.
        rules: the customer's own, of which those about types and categories count here.
        counted: how many resources there are, by type and kind.
        catalogues: what Azure offers of them; a type without one is told by what the policy names.

    Returns:
        A row a category, what would cost something first.
    """
    numbers: Counter[tuple[str, str, Decision, str]] = Counter()
    for variety, number in counted.items():
        kind, variant = variety
        catalogue = catalogues.get(variety) or _named_by(policy, kind)
        for category, decision, reason in _decisions(policy, rules, kind, variant, catalogue):
            numbers[kind, category, decision, reason] += number
    rows = [
        EstimateRow(kind, category, number, policy.billed(kind, category), decision, reason)
        for (kind, category, decision, reason), number in numbers.items()
    ]
    return sorted(rows, key=lambda row: (not row.costs, row.decision, row.type, row.category))


def _decisions(
    policy: CategoryPolicy, rules: CustomerRules, kind: str, variant: str | None, catalogue: LogCatalogue
) -> list[tuple[str, Decision, str]]:
    facts = TargetFacts(_any_of(kind), variant)
    decided = policy.settled_by_rules(facts, rules) or policy.selection(facts, rules, catalogue)
    sent = _sent(decided, catalogue)
    refused = {name.lower(): why for name, why in policy.refusals_of(kind).items()}
    told = decided.detail if isinstance(decided, Verdict) else ""
    decisions = []
    for category in sorted(catalogue.categories):
        if category.lower() in sent:
            decisions.append((category, Decision.SENT, ""))
        elif category.lower() in refused:
            decisions.append((category, Decision.REFUSED_FOR_COST, refused[category.lower()]))
        else:
            decisions.append((category, Decision.NOT_WANTED, told))
    return decisions


def _sent(decided: Selection | Verdict, catalogue: LogCatalogue) -> frozenset[str]:
    if isinstance(decided, Verdict):
        return frozenset()
    return catalogue.sent_by(decided.categories, decided.groups)


def _named_by(policy: CategoryPolicy, kind: str) -> LogCatalogue:
    """What a type can send as far as the policy knows, for which Azure has not been asked yet."""
    return LogCatalogue(dict.fromkeys(policy.named_of(kind), frozenset[str]()))


def _any_of(kind: str) -> ResourceId:
    provider, *types = kind.split("/")
    path = "/".join(f"{each}/any" for each in types)
    return ResourceId.parse(f"{_ANYWHERE}/{provider}/{path}")
