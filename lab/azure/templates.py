"""ARM templates: what one says when its parameters are given, resource by resource, in an order that works.

Source: learn.microsoft.com/azure/azure-resource-manager/templates/syntax. Conditions, copy loops of resources
and of variables, and dependencies are here; copy loops of properties, symbolic names and user-defined
functions and types are not.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from lab.azure.template_expressions import Function, Value, evaluate, id_below, invalid

_KINDS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "string": str,
    "securestring": str,
    "int": int,
    "bool": bool,
    "array": list,
    "object": Mapping,
}
DEPLOYMENTS: Final = "microsoft.resources/deployments"
_RESOURCE_GROUPS: Final = "microsoft.resources/resourcegroups"


def mapping(value: Value) -> Mapping[str, Value]:
    """A JSON object; an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Place:
    """The scope a template is deployed to, as an id, and what its functions tell of it."""

    id: str
    facts: Mapping[str, Mapping[str, Value]]
    """By the name of the function that tells them: ``subscription``, ``resourceGroup`` and so on."""

    def id_of(self, kind: str, names: list[str]) -> str:
        """The id of a resource of the template."""
        if kind.lower() == _RESOURCE_GROUPS:
            return f"{self.id}/resourceGroups/{names[0]}"
        return id_below(self.id, kind, names)


@dataclass(frozen=True, slots=True)
class TemplateResource:
    """A resource to be put; its properties are still expressions, which may ask for what comes before."""

    id: str
    kind: str
    api_version: str
    written: Mapping[str, Value]
    functions: Mapping[str, Function]
    needs: frozenset[str]
    """Lower-cased ids, names or names of copy loops that have to be there first."""
    known_as: frozenset[str]

    @property
    def is_deployment(self) -> bool:
        """Whether it is a template within the template."""
        return self.kind.lower() == DEPLOYMENTS

    def body(self) -> dict[str, Value]:
        """What is put, its expressions evaluated; a template in it is left as it is.

        Raises:
            ArmError: 400 when that can't be.
        """
        kept = {name: each for name, each in self.written.items() if name not in _ABOUT_IT}
        if not self.is_deployment:
            return dict(evaluate(kept, self.functions))
        properties = mapping(self.written.get("properties"))
        scope = mapping(properties.get("expressionEvaluationOptions")).get("scope")
        if str(scope).lower() != "inner":
            raise invalid(f"The nested deployment '{self.id}' has to be evaluated in its own scope.")
        template = properties.get("template")
        rest = {name: each for name, each in properties.items() if name != "template"}
        known = {name: each for name, each in kept.items() if name in ("location", "tags")}
        return {
            **evaluate(known, self.functions),
            "properties": {**evaluate(rest, self.functions), "template": template},
        }


_ABOUT_IT: Final = frozenset(
    {"type", "apiVersion", "name", "dependsOn", "condition", "copy", "scope", "comments", "metadata"}
)


@dataclass(slots=True)
class Template:
    """A template with its parameters, at a place.

    Args:
        written: the template.
        given: the parameters as a deployment brings them, ``{"name": {"value": ...}}``.
        place: where.
        deployment: what the function ``deployment`` tells.
        read: fetches a resource by id and API version, for ``reference``.
    """

    written: Mapping[str, Value]
    given: Mapping[str, Value]
    place: Place
    deployment: Mapping[str, Value]
    read: Callable[[str, str], Mapping[str, Value]]
    _parameters: dict[str, Value] = field(init=False)

    def __post_init__(self) -> None:
        self._parameters = {}
        declared = mapping(self.written.get("parameters"))
        if unknown := sorted(self.given.keys() - declared.keys()):
            raise invalid(f"The template has no parameter '{unknown[0]}'.")
        for name, about in declared.items():
            self._parameters[name] = self._parameter(name, mapping(about))

    def _parameter(self, name: str, about: Mapping[str, Value]) -> Value:
        given = mapping(self.given.get(name))
        if "value" in given:
            value = given["value"]
        elif "defaultValue" in about:
            value = evaluate(about["defaultValue"], self.functions())
        else:
            raise invalid(f"The value for the template parameter '{name}' is not provided.")
        kind = str(about.get("type")).lower()
        if kind not in _KINDS:
            raise invalid(f"The template parameter '{name}' has no known type.")
        if not isinstance(value, _KINDS[kind]) or (kind == "int" and isinstance(value, bool)):
            raise invalid(f"The value of the template parameter '{name}' is no {kind}.")
        if "allowedValues" in about and value not in about["allowedValues"]:
            raise invalid(f"The value of the template parameter '{name}' is none of the allowed ones.")
        return value

    def functions(self, index: Mapping[str, int] | None = None) -> Mapping[str, Function]:
        """The functions that know where the template stands, within copy loops at some indexes."""
        told: dict[str, Function] = {
            name.lower(): lambda facts=facts: facts for name, facts in self.place.facts.items()
        }
        return {
            **told,
            "deployment": lambda: self.deployment,
            "parameters": self._parameter_value,
            "variables": self._variable,
            "reference": self._reference,
            "copyindex": lambda loop="", offset=0: _index(index or {}, loop, offset),
            "resourceid": lambda *parts: self._resource_id(parts),
            "subscriptionresourceid": self._subscription_resource_id,
            "managementgroupresourceid": self._management_group_resource_id,
        }

    def _parameter_value(self, name: str) -> Value:
        found = {known.lower(): each for known, each in self._parameters.items()}
        if name.lower() not in found:
            raise invalid(f"The template parameter '{name}' is not found.")
        return found[name.lower()]

    def _variable(self, name: str) -> Value:
        written = mapping(self.written.get("variables"))
        if name in written:
            return evaluate(written[name], self.functions())
        for loop in written.get("copy", ()):
            if loop["name"] == name:
                count = evaluate(loop["count"], self.functions())
                return [
                    evaluate(loop["input"], self.functions({name: each, "": each})) for each in range(count)
                ]
        raise invalid(f"The template variable '{name}' is not found.")

    def _reference(self, resource: str, version: str = "", full: str = "") -> Value:
        found = self.read(resource, version)
        return found if full.lower() == "full" else found.get("properties", {})

    def _resource_id(self, parts: tuple[str, ...]) -> str:
        at = next(number for number, each in enumerate(parts) if "/" in each)
        scope = self.place.id
        if at == 1 and "resourceGroup" not in self.place.facts:
            scope = f"/subscriptions/{parts[0]}"
        elif at == 1:
            scope = f"{self._subscription_id()}/resourceGroups/{parts[0]}"
        elif at == 2:
            scope = f"/subscriptions/{parts[0]}/resourceGroups/{parts[1]}"
        return id_below(scope, parts[at], parts[at + 1 :])

    def _subscription_id(self) -> str:
        return str(self.place.facts["subscription"]["id"])

    def _subscription_resource_id(self, *parts: str) -> str:
        other = "/" not in parts[0]
        scope = f"/subscriptions/{parts[0]}" if other else self._subscription_id()
        return id_below(scope, parts[other], parts[other + 1 :])

    def _management_group_resource_id(self, *parts: str) -> str:
        other = "/" not in parts[0]
        own = str(self.place.facts.get("managementGroup", {}).get("id", ""))
        scope = f"/providers/Microsoft.Management/managementGroups/{parts[0]}" if other else own
        return id_below(scope, parts[other], parts[other + 1 :])

    def resources(self) -> list[TemplateResource]:
        """The resources it asks for, each behind those it depends on.

        Raises:
            ArmError: 400 for what can't be read, for what depends on something unknown, or in a circle.
        """
        written = self.written.get("resources")
        if not isinstance(written, list):
            raise invalid("The template has no list of resources.")
        every = [(each, wanted) for one in written for each, wanted in self._unrolled(mapping(one))]
        known = {name for each, _ in every for name in each.known_as}
        for each, _ in every:
            if missing := sorted(each.needs - known):
                raise invalid(f"The resource '{missing[0]}' is not defined in the template.")
        return list(_in_order([each for each, wanted in every if wanted]))

    def _unrolled(self, written: Mapping[str, Value]) -> Iterator[tuple[TemplateResource, bool]]:
        loop = mapping(written.get("copy"))
        if not loop:
            yield self._resource(written, self.functions(), "")
            return
        for number in range(evaluate(loop["count"], self.functions())):
            functions = self.functions({loop["name"]: number, "": number})
            yield self._resource(written, functions, loop["name"])

    def _resource(
        self, written: Mapping[str, Value], functions: Mapping[str, Function], loop: str
    ) -> tuple[TemplateResource, bool]:
        if not all(isinstance(written.get(each), str) for each in ("type", "apiVersion", "name")):
            raise invalid("A resource of the template has no type, apiVersion or name.")
        kind, name = written["type"], str(evaluate(written["name"], functions))
        place = self._place_of(written, functions)
        own = place.id_of(kind, name.split("/"))
        needs = {str(evaluate(each, functions)).strip("/").lower() for each in written.get("dependsOn", ())}
        # Templates refer to a resource group by an id in the shape of any other resource's, too.
        as_resource = id_below(place.id, kind, name.split("/"))
        known_as = {own.strip("/").lower(), as_resource.strip("/").lower(), name.lower(), loop.lower()} - {""}
        resource = TemplateResource(
            *(own, kind, written["apiVersion"], written, functions),
            *(frozenset(needs), frozenset(known_as)),
        )
        return resource, bool(evaluate(written.get("condition", True), functions))

    def _place_of(self, written: Mapping[str, Value], functions: Mapping[str, Function]) -> Place:
        named = {
            name: str(evaluate(written[name], functions))
            for name in ("scope", "subscriptionId", "resourceGroup")
            if name in written
        }
        if written["type"].lower() != DEPLOYMENTS:
            return Place(named["scope"], {}) if named else self.place
        if "scope" in named:
            return Place("/providers/" + named["scope"].removeprefix("/providers/"), {})
        if not named:
            return self.place
        subscription = named.get("subscriptionId")
        # A resource whose condition does not hold may name an empty one.
        base = self._subscription_id() if subscription is None else f"/subscriptions/{subscription}"
        group = named.get("resourceGroup")
        return Place(f"{base}/resourceGroups/{group}" if group else base, {})

    def outputs(self) -> dict[str, Value]:
        """The outputs, once all is there.

        Raises:
            ArmError: 400 when that can't be.
        """
        told = {}
        for name, about in mapping(self.written.get("outputs")).items():
            if evaluate(about.get("condition", True), self.functions()):
                told[name] = {"type": about["type"], "value": evaluate(about["value"], self.functions())}
        return told


def _index(index: Mapping[str, int], loop: str, offset: int) -> int:
    if loop not in index:
        raise invalid("The template function 'copyIndex' is not expected at this location.")
    return index[loop] + offset


def _in_order(resources: list[TemplateResource]) -> Iterator[TemplateResource]:
    waiting = list(resources)
    while waiting:
        unmet = {name for each in waiting for name in each.known_as}
        ready = [each for each in waiting if not each.needs & unmet]
        if not ready:
            raise invalid(f"Circular dependency detected on resource: '{waiting[0].id}'.")
        yield from ready
        waiting = [each for each in waiting if each not in ready]
