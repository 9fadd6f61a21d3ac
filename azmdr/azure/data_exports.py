"""Data export rules and tables of Log Analytics workspaces over Azure Resource Manager."""

from dataclasses import dataclass
from typing import Any

from azmdr.azure.arm import Arm
from azmdr.azure.dispatch import Call
from azmdr.azure.pacing import Kind, Lane
from azmdr.inventory.resource_id import ResourceId, region_name
from azmdr.reconcile.data_export import DataExport


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace: its region, in which its exports have to end."""

    id: str
    region: str


@dataclass(frozen=True, slots=True)
class WorkspaceExports:
    """Data export rules of workspaces."""

    arm: Arm

    def read(self, target: ResourceId) -> Call[list[DataExport]]:
        """All rules of a workspace, whoever made them."""
        client = self.arm.log_analytics(target.subscription_id).data_exports
        return Call(
            Lane(target.subscription_id, Kind.READS),
            f"reading the data export rules of {target.text}",
            lambda: [_export(each) for each in client.list_by_workspace(*_place(target))],
        )

    def write(self, target: ResourceId, export: DataExport) -> Call[object]:
        """Create a rule or replace it as a whole."""
        client = self.arm.log_analytics(target.subscription_id).data_exports
        # The client takes a body in the shape of the REST interface; its type hints know only its models.
        body: Any = {
            "properties": {
                "destination": {
                    "resourceId": export.namespace_id,
                    "metaData": {"eventHubName": export.hub},
                },
                "tableNames": sorted(export.tables),
                "enable": export.enabled,
            }
        }
        return Call(
            Lane(target.subscription_id, Kind.WRITES),
            f"writing data export rule {export.name} of {target.text}",
            lambda: client.create_or_update(*_place(target), export.name, body),
        )

    def remove(self, target: ResourceId, name: str) -> Call[object]:
        """Remove a rule."""
        client = self.arm.log_analytics(target.subscription_id).data_exports
        return Call(
            Lane(target.subscription_id, Kind.DELETES),
            f"removing data export rule {name} of {target.text}",
            lambda: client.delete(*_place(target), name),
        )

    def workspace(self, target: ResourceId) -> Call[Workspace]:
        """A workspace."""
        client = self.arm.log_analytics(target.subscription_id).workspaces
        return Call(
            Lane(target.subscription_id, Kind.READS),
            f"reading workspace {target.text}",
            lambda: _workspace(client.get(*_place(target))),
        )

    def tables(self, target: ResourceId) -> Call[frozenset[str]]:
        """The names of a workspace's tables."""
        client = self.arm.log_analytics(target.subscription_id).tables
        return Call(
            Lane(target.subscription_id, Kind.READS),
            f"reading the tables of {target.text}",
            lambda: frozenset(str(each.name) for each in client.list_by_workspace(*_place(target))),
        )


def _place(workspace: ResourceId) -> tuple[str, str]:
    return workspace.resource_group or "", workspace.names[0]


def _workspace(found: Any) -> Workspace:
    return Workspace(found.id, region_name(found.location))


def _export(found: Any) -> DataExport:
    destination = found.destination
    return DataExport(
        name=found.name,
        namespace_id=destination.resource_id if destination else "",
        hub=destination.event_hub_name if destination else None,
        tables=frozenset(found.table_names or ()),
        enabled=bool(found.enable),
    )
