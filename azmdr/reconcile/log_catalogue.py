"""Log catalogues: the log categories Azure offers for one kind of target, and the groups they are in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogCatalogue:
    """The log categories a target can send, each with its category groups (``allLogs``, ``audit``).

    An empty one says that Azure has no logs of it.
    """

    categories: Mapping[str, frozenset[str]]
    """Groups by category, both spelled as Azure spells them."""

    def spelled(self, category: str) -> str | None:
        """A category as Azure spells it; None when the target has none of that name."""
        return next((each for each in self.categories if each.lower() == category.lower()), None)

    def in_group(self, group: str) -> frozenset[str]:
        """The categories of a group, spelled as Azure spells them."""
        wanted = group.lower()
        return frozenset(
            category
            for category, groups in self.categories.items()
            if wanted in {each.lower() for each in groups}
        )

    def sent_by(self, categories: Iterable[str], groups: Iterable[str]) -> frozenset[str]:
        """What a setting with these switches sends, in lower case, its groups written out."""
        named = {category.lower() for category in categories}
        return frozenset(named.union(*({each.lower() for each in self.in_group(group)} for group in groups)))
