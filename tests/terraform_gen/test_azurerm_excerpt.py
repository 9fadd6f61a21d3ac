"""The excerpt of azurerm's schemas says nothing that azurerm doesn't say."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lab.terraform.azurerm_excerpt import PROVIDER_BLOCK, RESOURCES
from lab.terraform.provider import PROVIDER

FLAGS = ("type", "required", "optional", "computed")
BOUNDS = ("nesting_mode", "min_items", "max_items")


@pytest.fixture(scope="module")
def azurerm(shared: Path) -> Mapping[str, Any]:
    told = json.loads((shared / "azure-specs/terraform/azurerm-5.2.0-schema-subset.json").read_text())
    found: Mapping[str, Any] = told["provider_schemas"][PROVIDER]
    return found


def differences(path: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    attributes, blocks = theirs.get("attributes", {}), theirs.get("block_types", {})
    for name, told in ours["attributes"].items():
        real = {flag: value for flag, value in attributes.get(name, {}).items() if flag in FLAGS}
        if told != real:
            yield f"{path}.{name}: {told} is {real}"
    for name, told in ours["block_types"].items():
        real = {bound: value for bound, value in blocks.get(name, {}).items() if bound in BOUNDS}
        if {bound: told[bound] for bound in told if bound != "block"} != real:
            yield f"{path}.{name}: {told} is {real}"
        else:
            yield from differences(f"{path}.{name}", told["block"], blocks[name]["block"])
    needed = {name for name, told in attributes.items() if told.get("required")}
    needed |= {name for name, told in blocks.items() if told.get("min_items")}
    for name in needed - ours["attributes"].keys() - ours["block_types"].keys():
        yield f"{path}.{name}: is needed"


@pytest.mark.parametrize("kind", RESOURCES)
def test_a_resource_is_as_azurerm_has_it(azurerm: Mapping[str, Any], kind: str) -> None:
    assert not list(differences(kind, RESOURCES[kind], azurerm["resource_schemas"][kind]["block"]))


def test_the_provider_is_as_azurerm_has_it(azurerm: Mapping[str, Any]) -> None:
    assert not list(differences("provider", PROVIDER_BLOCK, azurerm["provider"]["block"]))
