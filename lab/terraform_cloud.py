"""Terraform Cloud with auto-apply: plans what a repository holds and makes the event hubs of the plan stand.

The plan is Terraform's own, on azurerm's schemas. Of what it holds, namespaces, authorization rules and event
hubs come to be in the lab's Azure, under the limits Azure has; storage and Event Grid are Azurite's part.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from lab.azure.arm_error import ArmError
from lab.azure.cloud import Cloud
from lab.azure.event_hubs import AuthorizationRule, EventHub, Tier, check_hub, check_namespace, check_rule
from lab.azure.resource_id import ResourceId
from lab.terraform.engine import Terraform, TerraformError

_NAMESPACE: Final = "azurerm_eventhub_namespace"
_RULE: Final = "azurerm_eventhub_namespace_authorization_rule"
_HUB: Final = "azurerm_eventhub"
_IN_ORDER: Final = (_NAMESPACE, _RULE, _HUB)

Values = Mapping[str, Any]


@dataclass(slots=True)
class Run:
    """What a run came to."""

    made: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    problem: str | None = None
    """Why it ended early: what Terraform or Azure said."""


@dataclass(frozen=True, slots=True)
class TerraformCloud:
    """A workspace. Its state is in the folder it runs in."""

    terraform: Terraform
    cloud: Cloud
    subscription_id: str

    def run(self, folder: Path) -> Run:
        """Plan and apply what a folder holds."""
        run = Run()
        try:
            self.terraform.init(folder)
            plan = self.terraform.plan(folder)
            self._apply(plan["resource_changes"], run)
            self.terraform.must(folder, "apply", "-input=false", "-no-color", "plan.bin")
        except TerraformError as error:
            run.problem = str(error)
        except ArmError as error:
            run.problem = f"{error.code}: {error.message}"
        return run

    def _apply(self, changes: Iterable[Mapping[str, Any]], run: Run) -> None:
        listed = list(changes)
        for kind in reversed(_IN_ORDER):
            for values in _of(listed, kind, "delete", "before"):
                run.removed.append(self._remove(kind, values))
        for kind in _IN_ORDER:
            for action in ("create", "update"):
                for values in _of(listed, kind, action, "after"):
                    run.made.append(self._make(kind, values))

    def _make(self, kind: str, values: Values) -> str:
        if kind == _NAMESPACE:
            return self._make_namespace(values)
        namespace_id = self._namespace_of(kind, values)
        key = ResourceId.parse(namespace_id).key
        if kind == _RULE:
            rights = {"Listen": values["listen"], "Send": values["send"], "Manage": values["manage"]}
            rule = AuthorizationRule(values["name"], tuple(right for right, has in rights.items() if has))
            check_rule(rule, list(self.cloud.rules[key].values()))
            self.cloud.rules[key][rule.name.lower()] = rule
            return f"{namespace_id}/authorizationRules/{rule.name}"
        days = int(values["retention_description"][0]["retention_time_in_hours"]) // 24
        hub = EventHub(values["name"], int(values["partition_count"]), days, _capture(values))
        hubs = self.cloud.hubs[key]
        others = [each for name, each in hubs.items() if name != hub.name.lower()]
        check_hub(hub, others, self._tier(namespace_id))
        hubs[hub.name.lower()] = hub
        return f"{namespace_id}/eventhubs/{hub.name}"

    def _make_namespace(self, values: Values) -> str:
        namespace_id = self._namespace_id(values["resource_group_name"], values["name"])
        parsed, tier = ResourceId.parse(namespace_id), Tier(values["sku"], int(values["capacity"]))
        check_namespace(values["name"], tier)
        if self.cloud.resource(parsed) is None:
            self.cloud.add_event_hub_namespace(namespace_id, values["location"], tier.name)
        sku = {"name": tier.name, "tier": tier.name, "capacity": tier.units}
        self.cloud.put_resource(replace(self.cloud.existing(parsed), sku=sku))
        return namespace_id

    def _remove(self, kind: str, values: Values) -> str:
        if kind == _NAMESPACE:
            namespace_id = self._namespace_id(values["resource_group_name"], values["name"])
            self.cloud.remove_resource(namespace_id)
            return namespace_id
        namespace_id = self._namespace_of(kind, values)
        kept: dict[str, Any] = (self.cloud.rules if kind == _RULE else self.cloud.hubs)[
            ResourceId.parse(namespace_id).key
        ]
        kept.pop(values["name"].lower(), None)
        return f"{namespace_id}/{'authorizationRules' if kind == _RULE else 'eventhubs'}/{values['name']}"

    def _namespace_of(self, kind: str, values: Values) -> str:
        if kind == _RULE:
            return self._namespace_id(values["resource_group_name"], values["namespace_name"])
        name = values["namespace_id"].rpartition("/")[2]
        found = next(
            (
                each.id.text
                for _, each in self.cloud.resources[self.subscription_id].all_latest()
                if each.id.type.lower() == "microsoft.eventhub/namespaces" and each.id.name == name
            ),
            None,
        )
        if found is None:
            raise ArmError(404, "ParentResourceNotFound", f"There is no namespace {name}.")
        return found

    def _namespace_id(self, group: str, name: str) -> str:
        place = f"/subscriptions/{self.subscription_id}/resourceGroups/{group}"
        return f"{place}/providers/Microsoft.EventHub/namespaces/{name}"

    def _tier(self, namespace_id: str) -> Tier:
        sku = self.cloud.existing(ResourceId.parse(namespace_id)).sku or {}
        return Tier(str(sku["tier"]), int(str(sku["capacity"])))


def _of(changes: Iterable[Mapping[str, Any]], kind: str, action: str, which: str) -> Iterable[Values]:
    """The values of what a plan does to resources of a kind; what is replaced is deleted and created."""
    for each in changes:
        if each["type"] == kind and action in each["change"]["actions"]:
            yield each["change"][which]


def _capture(values: Values) -> dict[str, object] | None:
    """The capture description as ARM has it."""
    for capture in values["capture_description"]:
        destination = capture["destination"][0]
        return {
            "enabled": capture["enabled"],
            "encoding": capture["encoding"],
            "intervalInSeconds": int(capture["interval_in_seconds"]),
            "sizeLimitInBytes": int(capture["size_limit_in_bytes"]),
            "skipEmptyArchives": capture["skip_empty_archives"],
            "destination": {
                "name": destination["name"],
                "properties": {
                    "storageAccountResourceId": destination["storage_account_id"],
                    "blobContainer": destination["blob_container_name"],
                    "archiveNameFormat": destination["archive_name_format"],
                },
            },
        }
    return None
