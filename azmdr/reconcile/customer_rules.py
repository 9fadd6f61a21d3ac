"""A customer's own rules over the category policy: what is left out, and what is taken all the same."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict

from azmdr.inventory.resource_id import ResourceId

GROUPS: Final = frozenset({"audit", "alllogs"})
"""The category groups of Azure, in lower case."""
NOTHING: Final = "none"


def _choice(choice: tuple[str, ...] | str) -> tuple[str, ...] | str:
    if isinstance(choice, str) and choice.lower() not in GROUPS | {NOTHING}:
        raise ValueError(f"{choice} is no category group; categories are a list, and nothing is {NOTHING}")
    return choice


_Lower = Annotated[str, AfterValidator(str.lower)]
_Scope = Annotated[str, AfterValidator(lambda text: ResourceId.parse(text).text)]


class CustomerRules(BaseModel):
    """One customer's rules; empty by default. Names are compared without regard to case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    excluded_types: tuple[_Lower, ...] = ()
    """Resource types; what is nested in one is left out with it."""
    excluded_scopes: tuple[_Scope, ...] = ()
    """Ids of subscriptions, resource groups or resources; with all that is below."""
    excluded_tags: Mapping[str, str | None] = {}
    """Tags by name with their value; None for any value."""
    categories: Mapping[_Lower, Annotated[tuple[str, ...] | str, AfterValidator(_choice)]] = {}
    """By resource type: the categories wanted, one category group, or ``none``; in place of the policy's."""
    accepted_costs: tuple[_Lower, ...] = ()
    """Categories to be sent although the policy refuses them: ``Category``, or ``type:Category``."""

    def accepts_cost(self, kind: str, category: str) -> bool:
        """Whether a refused category is to be sent all the same."""
        return bool({category.lower(), f"{kind}:{category}".lower()} & set(self.accepted_costs))

    def excluding_tag(self, tags: Mapping[str, str]) -> str | None:
        """The tag that leaves a resource out, as ``name=value``."""
        held = {name.lower(): value for name, value in tags.items()}
        for name, value in self.excluded_tags.items():
            found = held.get(name.lower())
            if found is not None and (value is None or found.lower() == value.lower()):
                return f"{name}={found}"
        return None
