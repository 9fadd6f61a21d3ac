"""The category policy: which logs of a resource are wanted, and why the others are not.

The policy is data (``category_policy.yaml`` beside this file, or one of the deployment's own); a customer's
rules stand over it. Pure, but for reading the file. See docs/category-policy.md.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator

from azmdr.inventory.resource_id import ResourceId, is_within
from azmdr.reconcile.customer_rules import GROUPS, NOTHING, CustomerRules
from azmdr.reconcile.log_catalogue import LogCatalogue
from azmdr.reconcile.verdict import Reason, Verdict

PACKAGED: Final = Path(__file__).with_name("category_policy.yaml")

_Lower = Annotated[str, AfterValidator(str.lower)]


class CategoryPolicyError(ValueError):
    """A policy that can't be used. The message names the file and the key."""


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What of a target the rules look at. What is nested in a resource has its kind and its tags."""

    id: ResourceId
    kind: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a target's logs is sent: categories or one category group, which Azure does not let mix."""

    categories: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


class TypePolicy(BaseModel):
    """The policy for one resource type."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wanted: tuple[str, ...] | str = ()
    refused: Mapping[str, str] = {}
    without_logs: str | None = None
    children: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    billed: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_of_one_mind(self) -> Self:
        named = set() if isinstance(self.wanted, str) else _folded(self.wanted)
        if isinstance(self.wanted, str) and self.wanted.lower() not in GROUPS:
            raise ValueError(f"wanted: {self.wanted} is no category group; categories are a list")
        for one, other, words in (
            (named, _folded(self.refused), "both wanted and refused"),
            (_folded(self.free), _folded(self.billed), "both free and billed"),
        ):
            if both := sorted(one & other):
                raise ValueError(f"{', '.join(both)}: {words}")
        if self.without_logs is not None and (self.wanted or self.refused):
            raise ValueError("has no logs, and yet categories")
        return self


class _Subscription(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    wanted: tuple[str, ...]
    refused: Mapping[str, str] = {}


class CategoryPolicy(BaseModel):
    """The policy. Made by :meth:`load`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unlisted: str
    """The category group taken of a type the policy does not name."""
    subscription: _Subscription
    entra_tables: tuple[str, ...]
    """Log Analytics tables of Entra ID that are exported."""
    types: Mapping[_Lower, TypePolicy]

    @classmethod
    def load(cls, path: Path | None = None) -> "CategoryPolicy":
        """Read a policy; without a path, the one that comes with azmdr.

        Raises:
            CategoryPolicyError: there is no such file, it is no YAML, or a key can't be.
        """
        return _load(path or PACKAGED)

    @property
    def subscription_categories(self) -> tuple[str, ...]:
        """The categories of the activity log that are sent."""
        return self.subscription.wanted

    def children_of(self, kind: str) -> tuple[str, ...]:
        """What is nested in a resource of a type, logs on its own and stands in no listing."""
        policy = self.types.get(kind.lower())
        return policy.children if policy else ()

    def settled_by_rules(self, facts: TargetFacts, rules: CustomerRules) -> Verdict | None:
        """The verdict that holds whatever Azure offers; None when that matters."""
        if not facts.id.text.isascii():
            return Verdict(Reason.NAME_NOT_ASCII)
        if excluded := _excluded(facts, rules):
            return excluded
        policy, wanted = self._of(facts, rules)
        if policy.without_logs is not None:
            return Verdict(Reason.TYPE_WITHOUT_LOGS, policy.without_logs)
        if isinstance(wanted, str) and wanted.lower() == NOTHING:
            return Verdict(Reason.TYPE_NOT_WANTED, f"the customer wants nothing of {facts.id.type}")
        if not wanted and not any(rules.accepts_cost(facts.id.type, each) for each in policy.refused):
            told = "; ".join(f"{name}: {why}" for name, why in policy.refused.items())
            return Verdict(Reason.REFUSED_FOR_COST if policy.refused else Reason.TYPE_NOT_WANTED, told)
        return None

    def selection(
        self, facts: TargetFacts, rules: CustomerRules, catalogue: LogCatalogue
    ) -> Selection | Verdict:
        """What of a target's logs is to be sent, given what Azure offers of it.

        Args:
            facts: the target, about which :meth:`settled_by_rules` said nothing.
            rules: the customer's.
            catalogue: what Azure offers.
        """
        if not catalogue.categories:
            return Verdict(Reason.TYPE_WITHOUT_LOGS, "Azure offers no log categories")
        policy, wanted = self._of(facts, rules)
        refused = {
            name.lower(): why
            for name, why in policy.refused.items()
            if not rules.accepts_cost(facts.id.type, name)
        }
        accepted = [name for name in policy.refused if rules.accepts_cost(facts.id.type, name)]
        if isinstance(wanted, str):
            return _group_or_members(wanted, accepted, refused, catalogue, listed=facts.id.type in self.types)
        spelled = (catalogue.spelled(name) for name in (*wanted, *accepted))
        chosen = frozenset(name for name in spelled if name and name.lower() not in refused)
        return Selection(categories=chosen) if chosen else _nothing_left(refused, catalogue)

    def digest(self, rules: CustomerRules) -> str:
        """Changes whenever any decision might."""
        text = self.model_dump_json() + rules.model_dump_json()
        return hashlib.sha256(text.encode()).hexdigest()

    def refusals_of(self, kind: str) -> Mapping[str, str]:
        """The categories of a type that are not sent although they are there, with the reasons."""
        policy = self.types.get(kind.lower())
        return policy.refused if policy else {}

    def named_of(self, kind: str) -> tuple[str, ...]:
        """Every category of a type that the policy names."""
        policy = self.types.get(kind.lower())
        if policy is None:
            return ()
        wanted = () if isinstance(policy.wanted, str) else policy.wanted
        return tuple(dict.fromkeys((*wanted, *policy.refused, *policy.free, *policy.billed)))

    def billed(self, kind: str, category: str) -> bool | None:
        """Whether Azure takes money for exporting a category; None when that is not known."""
        policy = self.types.get(kind.lower())
        if policy is None:
            return None
        if category.lower() in _folded(policy.billed):
            return True
        return False if category.lower() in _folded(policy.free) else None

    def _of(self, facts: TargetFacts, rules: CustomerRules) -> tuple[TypePolicy, tuple[str, ...] | str]:
        """The policy for a type, and what is wanted of it once the customer has been asked."""
        policy = self.types.get(facts.id.type)
        own = rules.categories.get(facts.id.type)
        if policy is None:
            policy = TypePolicy(wanted=self.unlisted)
        return policy, policy.wanted if own is None else own


def _excluded(facts: TargetFacts, rules: CustomerRules) -> Verdict | None:
    for kind in rules.excluded_types:
        if is_within(facts.id.type, kind):
            return Verdict(Reason.EXCLUDED_TYPE, f"type {kind}")
    for scope in rules.excluded_scopes:
        if is_within(facts.id.key, scope.lower()):
            return Verdict(Reason.EXCLUDED_SCOPE, f"scope {scope}")
    if tag := rules.excluding_tag(facts.tags):
        return Verdict(Reason.EXCLUDED_TAG, f"tag {tag}")
    return None


def _group_or_members(
    group: str, accepted: list[str], refused: Mapping[str, str], catalogue: LogCatalogue, *, listed: bool
) -> Selection | Verdict:
    """A category group; written out where a member is refused or another category comes beside it."""
    members = catalogue.in_group(group)
    beside = frozenset(name for each in accepted if (name := catalogue.spelled(each)) is not None)
    kept = frozenset(name for name in members if name.lower() not in refused) | beside
    if not kept:
        missing = Verdict(
            Reason.TYPE_NOT_WANTED, f"the policy does not name the type, and it has no group {group}"
        )
        return _nothing_left(refused, catalogue) if listed else missing
    if kept == members:
        groups = {each for names in catalogue.categories.values() for each in names}
        return Selection(groups=frozenset(each for each in groups if each.lower() == group.lower()))
    return Selection(categories=kept)


def _nothing_left(refused: Mapping[str, str], catalogue: LogCatalogue) -> Verdict:
    offered = {name.lower() for name in catalogue.categories}
    told = "; ".join(f"{catalogue.spelled(name)}: {why}" for name, why in refused.items() if name in offered)
    if told and offered <= refused.keys():
        return Verdict(Reason.REFUSED_FOR_COST, told)
    return Verdict(Reason.NO_WANTED_CATEGORY, f"Azure offers {', '.join(sorted(catalogue.categories))}")


def _folded(names: Any) -> set[str]:
    return {str(name).lower() for name in names}


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a key given twice is an error, not the last one's victory."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a second key of the same name."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        folded = [str(key).lower() for key in keys]
        if twice := {key for key in folded if folded.count(key) > 1}:
            raise yaml.constructor.ConstructorError(
                None, None, f"{', '.join(sorted(twice))}: stands here twice", node.start_mark
            )
        return super().construct_mapping(node, deep)


@cache
def _load(path: Path) -> CategoryPolicy:
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise CategoryPolicyError(f"category policy {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CategoryPolicyError(f"category policy {path}: is no YAML: {error}") from error
    try:
        return CategoryPolicy.model_validate(data)
    except ValidationError as error:
        lines = (
            f"{'.'.join(map(str, found['loc']))}: {found['msg'].removeprefix('Value error, ')}"
            for found in error.errors()
        )
        raise CategoryPolicyError(f"category policy {path}: " + "; ".join(lines)) from None
