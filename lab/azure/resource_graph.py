"""Resource Graph: the few forms of its query language that an inventory needs, run over rows.

Known: a table (``resources``, ``resourcecontainers``), then ``where`` with comparisons joined by ``and``,
``project``, ``order by`` and ``count``. Anything else is refused, as a typing error would be.
Source: learn.microsoft.com/azure/governance/resource-graph/concepts/query-language.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from lab.azure.arm_error import ArmError, bad_request

Row = dict[str, object]
_Step = Callable[[list[Row]], list[Row]]

TABLES: Final = ("resources", "resourcecontainers")
_COMPARISON: Final = re.compile(r"([\w.]+)\s*(==|=~|!=|!~)\s*'([^']*)'", re.IGNORECASE)
_MEMBERSHIP: Final = re.compile(r"([\w.]+)\s+(in~|in)\s*\(([^)]*)\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was understood."""

    table: str
    steps: tuple[_Step, ...]

    def run(self, rows: Sequence[Row]) -> list[Row]:
        """What it finds among the rows of its table."""
        found = list(rows)
        for step in self.steps:
            found = step(found)
        return found


def parse(text: str) -> Query:
    """Understand a query.

    Raises:
        ArmError: 400 for what is not known here.
    """
    table, *steps = (part.strip() for part in text.split("|"))
    if table.lower() not in TABLES:
        raise _not_understood(table)
    return Query(table.lower(), tuple(_step(step) for step in steps))


def _step(text: str) -> _Step:
    verb, _, rest = text.partition(" ")
    match verb.lower():
        case "where":
            conditions = [
                _condition(each.strip()) for each in re.split(r"\s+and\s+", rest, flags=re.IGNORECASE)
            ]
            return lambda rows: [row for row in rows if all(holds(row) for holds in conditions)]
        case "project":
            names = [name.strip() for name in rest.split(",")]
            return lambda rows: [{name: row.get(name) for name in names} for row in rows]
        case "order" | "sort":
            return _ordered(rest)
        case "count" if not rest:
            return lambda rows: [{"Count": len(rows)}]
    raise _not_understood(text)


def _ordered(text: str) -> _Step:
    found = re.fullmatch(r"by\s+(\w+)(?:\s+(asc|desc))?", text.strip(), re.IGNORECASE)
    if found is None:
        raise _not_understood(f"order {text}")
    # Kusto sorts downwards unless told otherwise.
    downwards = (found[2] or "desc").lower() == "desc"
    return lambda rows: sorted(rows, key=lambda row: str(row.get(found[1], "")), reverse=downwards)


def _condition(text: str) -> Callable[[Row], bool]:
    if (compared := _COMPARISON.fullmatch(text)) is not None:
        name, operator, value = compared.groups()
        fold = "~" in operator
        return lambda row: (_folded(row.get(name), fold) == _folded(value, fold)) != operator.startswith("!")
    if (among := _MEMBERSHIP.fullmatch(text)) is not None:
        fold = "~" in among[2]
        values = {_folded(value, fold) for value in re.findall(r"'([^']*)'", among[3])}
        return lambda row: _folded(row.get(among[1]), fold) in values
    raise _not_understood(text)


def _folded(value: object, fold: bool) -> str:
    return str(value or "").lower() if fold else str(value or "")


def _not_understood(text: str) -> ArmError:
    return bad_request(f"Query is invalid near '{text}'.", "InvalidQuery")
