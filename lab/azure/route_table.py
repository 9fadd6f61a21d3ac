"""The route table: which route a request takes, found without trying them all.

Every path ends in a word that is spelled out, or in such a word and a name. That word, the method and whether
a name follows lead to the few routes whose patterns are tried.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from lab.azure.arm_error import ArmError, not_found
from lab.azure.call import Route

_Candidate: TypeAlias = tuple[re.Pattern[str], Route]


class RouteTable:
    """Routes by how their paths end."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_ending: dict[tuple[str, bool], list[_Candidate]] = defaultdict(list)
        for route in routes:
            named = route.template.endswith("}")
            self._by_ending[route.kind.lower(), named].append((route.pattern(), route))

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """The route of a request, and what the placeholders of its path stand for.

        Raises:
            ArmError: 404 when no route has this path, 405 when none has it for this method.
        """
        path = path.rstrip("/")
        other_methods = False
        for pattern, route in self._candidates(path.lower()):
            if (found := pattern.fullmatch(path)) is not None:
                if route.method == method:
                    return route, found.groupdict()
                other_methods = True
        if other_methods:
            message = f"The requested resource does not support http method '{method}'."
            raise ArmError(405, "MethodNotAllowed", message)
        raise not_found(f"Nothing answers to '{path}' here.", "NotFound")

    def _candidates(self, path: str) -> Iterator[_Candidate]:
        before, _, last = path.rpartition("/")
        yield from self._by_ending.get((last, False), ())
        yield from self._by_ending.get((before.rpartition("/")[2], True), ())
