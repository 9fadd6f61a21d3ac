"""The category policy: which log categories of a target are sent, which are refused for cost, and why.

A decision looks at three things in turn: the customer's own rules, the policy, and what Azure offers for the
target. Names are compared without regard to case and given back as Azure spells them.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.category_policy_file import (
    SUBSCRIPTION_TYPE,
    PolicyFile,
    WantedOfType,
    read_policy_file,
)
from azmdr.reconcile.customer_rules import CustomerRules
from azmdr.reconcile.log_catalogue import LogCatalogue
from azmdr.reconcile.verdict import Reason, Verdict

PACKAGED_POLICY: Final = Path(__file__).with_name("category_policy.yaml")
DECIDING: Final = 1
"""Which state of this module decided. Raise it when the same policy and rules come to decide otherwise."""


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What of a target the rules look at."""

    id: ResourceId
    kind: str | None = None
    """As Azure says it, such as ``functionapp,linux``. What Azure offers may depend on it; no rule does."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """A nested target's are those of the resource it belongs to."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a target's logs is wanted: categories or a group, never both, since Azure refuses that.

    Spelled as Azure spells it.
    """

    categories: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


class Decision(StrEnum):
    """What is decided about one category."""

    WANTED = "wanted"
    REFUSED_FOR_COST = "refused_for_cost"
    NOT_WANTED = "not_wanted"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class CategoryDecision:
    """A decision about one category, and what made it."""

    decision: Decision
    reason: str


@dataclass(frozen=True, slots=True)
class CategoryPolicy:
    """The policy. Made by :meth:`load`."""

    types: Mapping[str, WantedOfType]
    """By resource type in lower case; the subscription's among them."""
    unlisted_group: str | None
    """The group taken of a type that is not named; None takes nothing."""
    subscription_categories: frozenset[str]
    """Categories of the activity log that are wanted, without regard to a customer's rules."""
    entra_tables: tuple[str, ...]
    """Tables of the Entra ID workspace that are exported, without regard to a customer's rules."""
    refused_entra_tables: Mapping[str, str]
    """Tables refused for cost, and why."""
    content: str
    """All it says, for the digest."""

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read a policy, by default the one that comes with the package.

        Raises:
            CategoryPolicyError: it can't be used; the message names the file, the key and the problem.
        """
        return cls.of(read_policy_file(path or PACKAGED_POLICY))

    @classmethod
    def of(cls, file: PolicyFile) -> Self:
        """The policy a file says."""
        subscription = WantedOfType(
            categories=file.subscription.categories, refused=file.subscription.refused
        )
        return cls(
            types={
                **{named.lower(): wanted for named, wanted in file.types.items()},
                SUBSCRIPTION_TYPE: subscription,
            },
            unlisted_group=None if file.unlisted == "none" else file.unlisted,
            subscription_categories=frozenset(file.subscription.categories),
            entra_tables=file.entra_tables.wanted,
            refused_entra_tables=file.entra_tables.refused,
            content=file.model_dump_json(),
        )

    def children_of(self, resource_type: str) -> tuple[str, ...]:
        """What is nested in each resource of a type, logs on its own and stands in no listing.

        Paths for :meth:`ResourceId.child`, such as ``blobServices/default``.
        """
        wanted = self.types.get(resource_type.lower())
        return wanted.children if wanted else ()

    def billed(self, resource_type: str, category: str) -> bool | None:
        """Whether Azure charges for exporting a category to an event hub; None when that is unknown."""
        wanted = self.types.get(resource_type.lower())
        if wanted is None:
            return None
        if category.lower() in _lower(wanted.billed):
            return True
        return False if category.lower() in _lower(wanted.free) else None

    def entra_tables_for(self, rules: CustomerRules) -> tuple[str, ...]:
        """The Entra ID tables exported for a customer: also those whose cost the customer accepts."""
        accepted = {cost.lower() for cost in rules.accepted_costs}
        return (
            *self.entra_tables,
            *(table for table in self.refused_entra_tables if table.lower() in accepted),
        )

    def digest(self, rules: CustomerRules) -> str:
        """Changes whenever a decision for a customer with these rules might."""
        said = json.dumps([DECIDING, self.content, rules.model_dump(mode="json")], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()

    def settled_by_rules(self, facts: TargetFacts, rules: CustomerRules) -> Verdict | None:
        """The verdict on a target that needs no question to Azure; None when what Azure offers decides."""
        if excluded := rules.exclusion(facts.id, facts.tags):
            return excluded
        if settled := self.settled_by_type(facts.id.type, rules):
            return settled
        if not facts.id.text.isascii():
            return Verdict(Reason.NAME_NOT_ASCII, "Azure accepts a setting on such an id and loses it")
        return None

    def settled_by_type(self, resource_type: str, rules: CustomerRules) -> Verdict | None:
        """What is decided about a type as a whole. Categories named by the customer overrule the policy."""
        if excluded := rules.exclusion_of_type(resource_type):
            return excluded
        own = rules.categories_of(resource_type)
        if own == "none":
            return Verdict(Reason.TYPE_NOT_WANTED, "the customer's categories: none")
        if own is not None:
            return None
        wanted = self.types.get(resource_type.lower())
        if wanted is None:
            nothing = Verdict(Reason.TYPE_NOT_WANTED, "not in the category policy")
            return nothing if self.unlisted_group is None else None
        if wanted.no_logs is not None:
            return Verdict(Reason.TYPE_WITHOUT_LOGS, wanted.no_logs)
        return None if wanted.not_wanted is None else Verdict(Reason.TYPE_NOT_WANTED, wanted.not_wanted)

    def selection(
        self, facts: TargetFacts, rules: CustomerRules, catalogue: LogCatalogue
    ) -> Selection | Verdict:
        """What to send of a target, given what Azure offers for it; a verdict when that is nothing."""
        if settled := self.settled_by_rules(facts, rules):
            return settled
        if not catalogue.categories:
            return Verdict(Reason.TYPE_WITHOUT_LOGS, "Azure offers no log categories for it")
        decided = self.decisions(facts.id.type, rules, catalogue)
        sent = frozenset(name for name, each in decided.items() if each.decision is Decision.WANTED)
        wish = self._wish(facts.id.type, rules)
        if not sent:
            return _nothing_sent(wish, decided)
        if wish.group is not None and sent == catalogue.in_group(wish.group):
            return Selection(groups=frozenset({_spelled_group(wish.group, catalogue)}))
        return Selection(categories=sent)

    def decisions(
        self, resource_type: str, rules: CustomerRules, catalogue: LogCatalogue
    ) -> dict[str, CategoryDecision]:
        """What is decided about every category Azure offers, scopes, tags and names of resources aside."""
        if settled := self.settled_by_type(resource_type, rules):
            excluded = settled.reason is Reason.EXCLUDED_TYPE
            decision = Decision.EXCLUDED if excluded else Decision.NOT_WANTED
            return dict.fromkeys(catalogue.categories, CategoryDecision(decision, settled.detail))
        wish = self._wish(resource_type, rules)
        wished = wish.among(catalogue)
        return {
            category: self._decision(resource_type, category, wish, category in wished, rules)
            for category in catalogue.categories
        }

    def _decision(
        self, resource_type: str, category: str, wish: "_Wish", wished: bool, rules: CustomerRules
    ) -> CategoryDecision:
        in_question = wished or not wish.by_customer
        cost = self._refused(resource_type).get(category.lower()) if in_question else None
        if cost is not None and rules.accepts_cost(resource_type, category):
            return CategoryDecision(Decision.WANTED, "cost accepted by the customer")
        if cost is not None:
            return CategoryDecision(Decision.REFUSED_FOR_COST, cost)
        if wished:
            return CategoryDecision(Decision.WANTED, wish.source)
        return CategoryDecision(Decision.NOT_WANTED, f"not in {wish.source}")

    def _wish(self, resource_type: str, rules: CustomerRules) -> "_Wish":
        """What is wanted of a type that is not settled, costs aside."""
        own = rules.categories_of(resource_type)
        if isinstance(own, str):
            return _Wish(f"the customer's categories: group {own}", group=own, by_customer=True)
        if own is not None:
            return _Wish("the customer's categories", own, by_customer=True)
        wanted = self.types.get(resource_type.lower())
        if wanted is None:
            group = self.unlisted_group
            return _Wish(f"group {group}, taken of types the policy does not name", group=group, listed=False)
        if wanted.group is not None:
            return _Wish(f"the category policy: group {wanted.group}", group=wanted.group)
        return _Wish("the category policy", wanted.categories)

    def _refused(self, resource_type: str) -> Mapping[str, str]:
        """Reasons by category in lower case."""
        wanted = self.types.get(resource_type.lower())
        return {category.lower(): reason for category, reason in wanted.refused.items()} if wanted else {}


@dataclass(frozen=True, slots=True)
class _Wish:
    """What somebody wants of a type: categories by name, or a group."""

    source: str
    categories: tuple[str, ...] = ()
    group: str | None = None
    by_customer: bool = False
    listed: bool = True

    def among(self, catalogue: LogCatalogue) -> frozenset[str]:
        """The wanted ones that Azure offers."""
        if self.group is not None:
            return catalogue.in_group(self.group)
        spelled = (catalogue.spelled(category) for category in self.categories)
        return frozenset(category for category in spelled if category is not None)


def _nothing_sent(wish: _Wish, decided: Mapping[str, CategoryDecision]) -> Verdict:
    """The verdict on a target with logs of which none is sent."""
    refused = {name: each for name, each in decided.items() if each.decision is Decision.REFUSED_FOR_COST}
    if refused:
        detail = "; ".join(f"{name}: {refused[name].reason}" for name in sorted(refused))
        return Verdict(Reason.REFUSED_FOR_COST, detail)
    if not wish.listed:
        detail = f"not in the category policy, and Azure has no group {wish.group} for it"
        return Verdict(Reason.TYPE_NOT_WANTED, detail)
    named = ", ".join(wish.categories) or "only what is refused for cost"
    wanted = f"group {wish.group}" if wish.group else named
    return Verdict(Reason.NO_WANTED_CATEGORY, f"wanted: {wanted}; Azure offers: {', '.join(sorted(decided))}")


def _spelled_group(group: str, catalogue: LogCatalogue) -> str:
    """A group that has members, as Azure spells it."""
    spelled = frozenset().union(*catalogue.categories.values())
    return min(each for each in spelled if each.lower() == group.lower())


def _lower(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)
