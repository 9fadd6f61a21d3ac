"""Terraform Cloud with auto-apply: plans what a repository holds and makes the event hubs of the plan stand.

The plan is Terraform's own, on azurerm's schemas. Of what it holds, namespaces, authorization rules and event
hubs come to be in the lab's Azure, over its API and under the limits Azure has; storage and Event Grid are
Azurite's part. What was made and not yet written into Terraform's state is planned again by the next run, and
made again, which changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from azure.core.exceptions import AzureError
from azure.identity import ClientSecretCredential
from azure.mgmt.eventhub import EventHubManagementClient

from lab.terraform.engine import Terraform, TerraformError

_NAMESPACE: Final = "azurerm_eventhub_namespace"
_RULE: Final = "azurerm_eventhub_namespace_authorization_rule"
_HUB: Final = "azurerm_eventhub"
_IN_ORDER: Final = (_NAMESPACE, _RULE, _HUB)
_TOKEN_SCOPE: Final = "https://management.azure.com/.default"  # noqa: S105 - no secret

Values = Mapping[str, Any]


def event_hubs_client(told: Mapping[str, Any]) -> EventHubManagementClient:
    """A client that signs in as the workspace does.

    Args:
        told: what ``lab azure`` says of itself, see :mod:`lab.azure.introduction`.
    """
    wiring = {"connection_verify": told["authority_file"]}
    credential = ClientSecretCredential(
        told["provider_tenant_id"],
        told["deployer_client_id"],
        told["client_secret"],
        authority=told["url"],
        disable_instance_discovery=True,
        **wiring,
    )
    return EventHubManagementClient(
        credential,
        told["ingest_subscription_id"],
        base_url=told["url"],
        credential_scopes=[_TOKEN_SCOPE],
        polling_interval=1,
        **wiring,
    )


@dataclass(slots=True)
class Run:
    """What a run came to."""

    made: list[str] = field(default_factory=list)
    """Namespaces as ``<name>``, rules and hubs as ``<namespace>/<name>``; what was there is made again."""
    removed: list[str] = field(default_factory=list)
    problem: str | None = None
    """Why it ended early: what Terraform or Azure said."""


@dataclass(frozen=True, slots=True)
class TerraformCloud:
    """A workspace. Its state is in the folder it runs in."""

    terraform: Terraform
    azure: EventHubManagementClient
    group: str
    """The resource group everything is in."""

    def run(self, folder: Path) -> Run:
        """Plan and apply what a folder holds."""
        run = Run()
        try:
            self.terraform.init(folder)
            plan = self.terraform.plan(folder)
            self._apply(plan.get("resource_changes", []), run)
            self.terraform.must(folder, "apply", "-input=false", "-no-color", "plan.bin")
        except (TerraformError, AzureError) as error:
            run.problem = str(error)
        return run

    def _apply(self, changes: Sequence[Mapping[str, Any]], run: Run) -> None:
        for kind in reversed(_IN_ORDER):
            for values in _of(changes, kind, "delete", "before"):
                run.removed.append(self._remove(kind, values))
        for kind in _IN_ORDER:
            for action in ("create", "update"):
                for values in _of(changes, kind, action, "after"):
                    run.made.append(self._make(kind, values))

    def _make(self, kind: str, values: Values) -> str:
        # The bodies are JSON as the API has it; the client's types want its own models.
        namespaces: Any = self.azure.namespaces
        hubs: Any = self.azure.event_hubs
        namespace, name = _place(kind, values)
        if kind == _NAMESPACE:
            namespaces.begin_create_or_update(self.group, namespace, _namespace(values)).result()
            return namespace
        if kind == _RULE:
            namespaces.create_or_update_authorization_rule(self.group, namespace, name, _rule(values))
        else:
            hubs.create_or_update(self.group, namespace, name, _hub(values))
        return f"{namespace}/{name}"

    def _remove(self, kind: str, values: Values) -> str:
        namespace, name = _place(kind, values)
        if kind == _NAMESPACE:
            self.azure.namespaces.begin_delete(self.group, namespace).result()
            return namespace
        if kind == _RULE:
            self.azure.namespaces.delete_authorization_rule(self.group, namespace, name)
        else:
            self.azure.event_hubs.delete(self.group, namespace, name)
        return f"{namespace}/{name}"


def _of(changes: Iterable[Mapping[str, Any]], kind: str, action: str, which: str) -> Iterable[Values]:
    """The values of what a plan does to resources of a kind; what is replaced is deleted and created."""
    for each in changes:
        if each["type"] == kind and action in each["change"]["actions"]:
            yield each["change"][which]


def _place(kind: str, values: Values) -> tuple[str, str]:
    """Namespace and name of what a plan speaks of."""
    name = str(values["name"])
    if kind == _NAMESPACE:
        return name, name
    namespace = values["namespace_name"] if kind == _RULE else values["namespace_id"]
    return str(namespace).rpartition("/")[2], name


def _namespace(values: Values) -> dict[str, object]:
    sku = {"name": values["sku"], "tier": values["sku"], "capacity": int(values["capacity"])}
    return {"location": values["location"], "sku": sku, "tags": values["tags"] or {}}


def _rule(values: Values) -> dict[str, object]:
    return {"properties": {"rights": [each for each in ("Listen", "Send", "Manage") if values[each.lower()]]}}


def _hub(values: Values) -> dict[str, object]:
    days = int(values["retention_description"][0]["retention_time_in_hours"]) // 24
    properties: dict[str, object] = {
        "partitionCount": int(values["partition_count"]),
        "messageRetentionInDays": days,
    }
    for capture in values["capture_description"]:
        properties["captureDescription"] = _capture(capture)
    return {"properties": properties}


def _capture(values: Values) -> dict[str, object]:
    destination = values["destination"][0]
    return {
        "enabled": values["enabled"],
        "encoding": values["encoding"],
        "intervalInSeconds": int(values["interval_in_seconds"]),
        "sizeLimitInBytes": int(values["size_limit_in_bytes"]),
        "skipEmptyArchives": values["skip_empty_archives"],
        "destination": {
            "name": destination["name"],
            "properties": {
                "storageAccountResourceId": destination["storage_account_id"],
                "blobContainer": destination["blob_container_name"],
                "archiveNameFormat": destination["archive_name_format"],
            },
        },
    }
