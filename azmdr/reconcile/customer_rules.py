"""Customer rules: what one customer wants otherwise than the category policy.

They are stored with the customer as JSON and are empty for most. No name in them regards case.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from azmdr.inventory.resource_id import ResourceId, is_within
from azmdr.reconcile.verdict import Reason, Verdict

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_KEYWORDS: Final = {word.lower(): word for word in ("audit", "allLogs", "none")}


def _spell_keyword(value: object) -> object:
    return _KEYWORDS.get(value.lower(), value) if isinstance(value, str) else value


Keyword = Annotated[Literal["audit", "allLogs", "none"], BeforeValidator(_spell_keyword)]
"""In place of a list of categories: a category group, or nothing at all."""
Names = Annotated[tuple[Name, ...], Field(min_length=1)]
"""At least one name."""


class CustomerRules(BaseModel):
    """One customer's own rules. Empty ones change nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    excluded_types: tuple[Name, ...] = ()
    """Resource types that are left alone, with all that is nested in them."""
    excluded_scopes: tuple[Name, ...] = ()
    """Ids of subscriptions, resource groups and resources that are left alone, with all below them."""
    excluded_tags: dict[Name, str | None] = {}
    """Tags whose bearers are left alone: name and value, or None for whatever value."""
    categories: dict[Name, Keyword | Names] = {}
    """By resource type, what is wanted in place of what the category policy wants: categories by name, a
    category group, or ``none``. What is refused for cost stays refused unless its cost is accepted."""
    accepted_costs: tuple[Name, ...] = ()
    """Categories sent although the policy refuses them for cost: ``StorageRead`` of every type, or of one,
    ``Microsoft.Storage/storageAccounts/blobServices:StorageRead``. Entra ID tables too, by name."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for scope in self.excluded_scopes:
            ResourceId.parse(scope)
        refuse_repeated("excluded_tags", self.excluded_tags)
        refuse_repeated("categories", self.categories)
        return self

    def exclusion(self, target: ResourceId, tags: Mapping[str, str]) -> Verdict | None:
        """Why a target is left alone; None when it is not."""
        return (
            self._exclusion_by_scope(target)
            or self.exclusion_of_type(target.type)
            or self._exclusion_by_tag(tags)
        )

    def exclusion_of_type(self, resource_type: str) -> Verdict | None:
        """Why a type is left alone; None when it is not. Scopes and tags are another question."""
        for excluded in self.excluded_types:
            if is_within(resource_type.lower(), excluded.lower()):
                return Verdict(Reason.EXCLUDED_TYPE, f"type {excluded}")
        return None

    def categories_of(self, resource_type: str) -> Keyword | Names | None:
        """What the customer wants of a type; None when that is left to the policy."""
        key = resource_type.lower()
        return next((wanted for named, wanted in self.categories.items() if named.lower() == key), None)

    def accepts_cost(self, resource_type: str, category: str) -> bool:
        """Whether a category is sent although the policy refuses it for cost."""
        either = {category.lower(), f"{resource_type}:{category}".lower()}
        return any(accepted.lower() in either for accepted in self.accepted_costs)

    def _exclusion_by_scope(self, target: ResourceId) -> Verdict | None:
        for scope in self.excluded_scopes:
            if is_within(target.key, ResourceId.parse(scope).key):
                return Verdict(Reason.EXCLUDED_SCOPE, f"scope {scope}")
        return None

    def _exclusion_by_tag(self, tags: Mapping[str, str]) -> Verdict | None:
        carried = {name.lower(): value.lower() for name, value in tags.items()}
        for name, value in self.excluded_tags.items():
            if name.lower() not in carried:
                continue
            if value is None:
                return Verdict(Reason.EXCLUDED_TAG, f"tag {name}")
            if carried[name.lower()] == value.lower():
                return Verdict(Reason.EXCLUDED_TAG, f"tag {name}={value}")
        return None


def refuse_repeated(what: str, names: Iterable[str]) -> None:
    """Names that differ in case only are one name said twice.

    Raises:
        ValueError: there are some; the message has ``what`` and the names.
    """
    counted = Counter(name.lower() for name in names)
    if repeated := sorted(name for name, count in counted.items() if count > 1):
        raise ValueError(f"{what}: said twice: {', '.join(repeated)}")
