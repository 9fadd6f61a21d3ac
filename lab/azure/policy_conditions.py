"""The conditions of policies: what a rule may say of a resource, and whether it holds.

Source: learn.microsoft.com/azure/governance/policy/concepts/definition-structure-policy-rule. Only
what is said of delegations and resource groups. The aliases are those users report to work (github.com/Azure/
Azure-Lighthouse-samples issue 118); those of an assignment's definition exist and stay empty
(github.com/MicrosoftDocs/feedback issue 4005).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from lab.azure.arm_error import ArmError, bad_request
from lab.azure.policies import mapping

DEFINITIONS: Final = "microsoft.managedservices/registrationdefinitions"
ASSIGNMENTS: Final = "microsoft.managedservices/registrationassignments"
RESOURCE_GROUPS: Final = "microsoft.resources/subscriptions/resourcegroups"
ALIASES: Final[Mapping[str, frozenset[str]]] = {
    DEFINITIONS: frozenset({"managedbytenantid", "authorizations[*]", "authorizations[*].roledefinitionid"}),
    ASSIGNMENTS: frozenset(
        {
            *("registrationdefinitionid", "registrationdefinition.managedbytenantid"),
            *("registrationdefinition.authorizations[*]",),
            *("registrationdefinition.authorizations[*].principalid",),
            *("registrationdefinition.authorizations[*].roledefinitionid",),
        }
    ),
    RESOURCE_GROUPS: frozenset(),
}
"""By the type whose properties they name; in lower case, without the type."""
_PLAIN: Final = frozenset({"type", "name", "id", "location"})

Reads: TypeAlias = Callable[[object], object]
"""Makes a value of an expression about the assignment's parameters."""


def check_condition(condition: object) -> None:
    """Refuse a condition nobody could evaluate.

    Raises:
        ArmError: 400 for an unknown operator or alias.
    """
    for field in _fields(mapping(condition)):
        if field.lower() not in _PLAIN and _path(field) is None:
            raise bad_request(
                f"The 'field' property '{field}' of the policy rule doesn't exist as an alias.",
                "InvalidPolicyAlias",
            )


def _fields(condition: Mapping[str, object]) -> Iterator[str]:
    for several in ("allOf", "anyOf"):
        if isinstance(inner := condition.get(several), list):
            for each in inner:
                yield from _fields(mapping(each))
            return
    if "not" in condition:
        yield from _fields(mapping(condition["not"]))
        return
    _operator(condition)
    count = mapping(condition.get("count"))
    yield str(condition.get("field") or count.get("field"))
    if "where" in count:
        yield from _fields(mapping(count["where"]))


def _operator(condition: Mapping[str, object]) -> str:
    found = [name for name in condition if name.lower() in _OPERATORS]
    if len(found) != 1 or not condition.keys() & {"field", "count"}:
        raise bad_request(f"The condition '{dict(condition)}' is not understood.", "InvalidPolicyRule")
    return found[0]


def _path(field: str) -> str | None:
    lowered = field.lower()
    for kind, known in ALIASES.items():
        if lowered.removeprefix(f"{kind}/") in known and lowered.startswith(f"{kind}/"):
            return lowered.removeprefix(f"{kind}/")
    return None


def holds(condition: object, resource: Mapping[str, object], reads: Reads) -> bool:
    """Whether a condition holds for a resource as an answer shows it.

    Args:
        condition: of a rule; checked before.
        resource: the resource.
        reads: makes values of expressions.
    """
    written = mapping(condition)
    if isinstance(every := written.get("allOf"), list):
        return all(holds(each, resource, reads) for each in every)
    if isinstance(some := written.get("anyOf"), list):
        return any(holds(each, resource, reads) for each in some)
    if "not" in written:
        return not holds(written["not"], resource, reads)
    name = _operator(written)
    found = (
        _counted(written, resource, reads) if "count" in written else _found(str(written["field"]), resource)
    )
    return _OPERATORS[name.lower()](found, reads(written[name]))


def _counted(written: Mapping[str, object], resource: Mapping[str, object], reads: Reads) -> int:
    count = mapping(written["count"])
    items = _found(str(count["field"]), resource)
    listed = items if isinstance(items, list) else []
    where = count.get("where")
    return sum(where is None or holds(where, {**resource, _ITEM: each}, reads) for each in listed)


_ITEM: Final = "the item that is counted"


def _found(field: str, resource: Mapping[str, object]) -> object:
    if field.lower() in _PLAIN:
        return resource.get(field.lower())
    path = _path(field) or ""
    before, is_item, after = path.partition("[*].")
    if is_item and _ITEM in resource:
        return _at(resource[_ITEM], after)
    return _at(resource.get("properties"), before.removesuffix("[*]"))


def _at(value: object, path: str) -> object:
    for step in path.split("."):
        value = next((each for name, each in mapping(value).items() if name.lower() == step), None)
    return value


def _same(one: object, other: object) -> bool:
    return str(one).lower() == str(other).lower() if isinstance(one, str) else one == other


def _number(value: object) -> float:
    if not isinstance(value, int | float | str) or not re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
        raise ArmError(400, "InvalidPolicyRule", f"'{value}' is no number.")
    return float(value)


_OPERATORS: Final[Mapping[str, Callable[[object, object], bool]]] = {
    "equals": _same,
    "notequals": lambda one, other: not _same(one, other),
    "greater": lambda one, other: _number(one) > _number(other),
    "greaterorequals": lambda one, other: _number(one) >= _number(other),
    "less": lambda one, other: _number(one) < _number(other),
}
