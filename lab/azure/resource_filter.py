"""The ``$filter`` of a resource listing: comparisons of a few properties, joined by ``and`` and ``or``.

Source: learn.microsoft.com/rest/api/resources/resources/list. A filter by tag can't be joined with any other.
"""

import re
from collections.abc import Callable
from typing import Final

from lab.azure.arm_error import ArmError, bad_request
from lab.azure.resources import Resource

Predicate = Callable[[Resource], bool]

_COMPARISON: Final = re.compile(r"\s*(\w+)\s+(eq|ne)\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)
_JOIN: Final = re.compile(r"\s*(and|or)\b", re.IGNORECASE)
_PROPERTIES: Final[dict[str, Callable[[Resource], str]]] = {
    "resourcetype": lambda resource: resource.id.type,
    "location": lambda resource: resource.location,
    "name": lambda resource: resource.id.name,
    "resourcegroup": lambda resource: resource.id.group or "",
}


def predicate(text: str) -> Predicate:
    """What a filter keeps.

    Raises:
        ArmError: 400 for a filter ARM would not understand.
    """
    comparisons, joins = _split(text)
    names = [name.lower() for name, _, _ in comparisons]
    if any(name in ("tagname", "tagvalue") for name in names):
        return _by_tag(text, names, comparisons, joins)
    unknown = [name for name in names if name not in _PROPERTIES]
    if unknown:
        raise _invalid(text)
    return _by_properties(comparisons, joins)


def _split(text: str) -> tuple[list[tuple[str, str, str]], list[str]]:
    comparisons: list[tuple[str, str, str]] = []
    joins: list[str] = []
    at = 0
    while (found := _COMPARISON.match(text, at)) is not None:
        comparisons.append((found[1], found[2].lower(), found[3].replace("''", "'")))
        at = found.end()
        join = _JOIN.match(text, at)
        if join is None:
            break
        joins.append(join[1].lower())
        at = join.end()
    if at != len(text) or len(comparisons) != len(joins) + 1:
        raise _invalid(text)
    return comparisons, joins


def _by_tag(
    text: str, names: list[str], comparisons: list[tuple[str, str, str]], joins: list[str]
) -> Predicate:
    wanted = {name.lower(): value for name, operator, value in comparisons if operator == "eq"}
    understood = sorted(names) in (["tagname"], ["tagname", "tagvalue"]) and sorted(wanted) == sorted(names)
    if not understood or joins not in ([], ["and"]):
        raise _invalid(text)

    def keeps(resource: Resource) -> bool:
        tags = {name.lower(): value for name, value in resource.tags.items()}
        found = tags.get(wanted["tagname"].lower())
        return found is not None and wanted.get("tagvalue", found) == found

    return keeps


def _by_properties(comparisons: list[tuple[str, str, str]], joins: list[str]) -> Predicate:
    def holds(resource: Resource, comparison: tuple[str, str, str]) -> bool:
        name, operator, value = comparison
        return (_PROPERTIES[name.lower()](resource).lower() == value.lower()) == (operator == "eq")

    def keeps(resource: Resource) -> bool:
        # `and` binds closer than `or`: an alternative is all that stands between two `or`.
        alternatives = [holds(resource, comparisons[0])]
        for join, comparison in zip(joins, comparisons[1:], strict=True):
            if join == "and":
                alternatives[-1] = alternatives[-1] and holds(resource, comparison)
            else:
                alternatives.append(holds(resource, comparison))
        return any(alternatives)

    return keeps


def _invalid(text: str) -> ArmError:
    return bad_request(
        f"Invalid $filter '{text}' specified in the query string.", "InvalidFilterInQueryString"
    )
