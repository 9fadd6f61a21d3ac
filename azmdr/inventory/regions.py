"""Azure's regions, by the names Azure Resource Manager uses.

Source: github.com/Azure/terraform-azurerm-avm-utl-regions, `modules/cached-data` (2026-08), without staging.
"""

from difflib import get_close_matches
from typing import Final

from azmdr.inventory.resource_id import region_name

GLOBAL: Final = "global"
"""The location of resources that are in no region."""

REGIONS: Final = frozenset(
    {
        "australiacentral",
        "australiacentral2",
        "australiaeast",
        "australiasoutheast",
        "austriaeast",
        "belgiumcentral",
        "brazilsouth",
        "brazilsoutheast",
        "canadacentral",
        "canadaeast",
        "centralindia",
        "centralus",
        "centraluseuap",
        "chilecentral",
        "denmarkeast",
        "eastasia",
        "eastus",
        "eastus2",
        "eastus2euap",
        "francecentral",
        "francesouth",
        "germanynorth",
        "germanywestcentral",
        "indonesiacentral",
        "israelcentral",
        "italynorth",
        "japaneast",
        "japanwest",
        "jioindiacentral",
        "jioindiawest",
        "koreacentral",
        "koreasouth",
        "malaysiawest",
        "mexicocentral",
        "newzealandnorth",
        "northcentralus",
        "northeurope",
        "norwayeast",
        "norwaywest",
        "polandcentral",
        "qatarcentral",
        "southafricanorth",
        "southafricawest",
        "southcentralus",
        "southeastasia",
        "southindia",
        "spaincentral",
        "swedencentral",
        "switzerlandnorth",
        "switzerlandwest",
        "uaecentral",
        "uaenorth",
        "uksouth",
        "ukwest",
        "westcentralus",
        "westeurope",
        "westindia",
        "westus",
        "westus2",
        "westus3",
    }
)


class RegionError(ValueError):
    """A text that names no region."""

    def __init__(self, text: str) -> None:
        near = get_close_matches(region_name(text), sorted(REGIONS), n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        super().__init__(f"{text!r} is no Azure region{hint}")


def known_region(text: str) -> str:
    """The name of a region, however it is spelled: ``East US`` is ``eastus``.

    Raises:
        RegionError: there is none of that name.
    """
    name = region_name(text)
    if name not in REGIONS:
        raise RegionError(text)
    return name
