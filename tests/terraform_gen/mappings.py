"""Mappings the tests speak of."""

from collections.abc import Iterable
from typing import Final

from azmdr.capture.names import TIME_FIRST
from azmdr.inventory.placements import NamespaceNames, Placement, Shard
from terraform_gen.mapping import HubMapping, Need
from terraform_gen.mapping_file import IngestSettings
from terraform_gen.placement import NewShards, place

NAMES: Final = NamespaceNames("azure-log-ingest")
INGEST: Final = IngestSettings(NAMES, TIME_FIRST, "diagnostics")


def mapping_for(needs: Iterable[Need], partitions: int = 4) -> HubMapping:
    """The mapping an empty store comes to."""
    placing = place(dict.fromkeys(needs, partitions), HubMapping(), [], NAMES, NewShards())
    return HubMapping.of(placing.shards.values(), placing.given)


def hubs(*told: tuple[str, int, str]) -> HubMapping:
    """A mapping of these hubs: region, shard, customer."""
    return HubMapping.of(
        (Shard(region, number) for region, number, _ in told), (Placement(*each) for each in told)
    )
