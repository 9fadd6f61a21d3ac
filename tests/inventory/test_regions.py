"""What the regions promise: every spelling of one is known, and an unknown one is helped along."""

import pytest

from azmdr.inventory.regions import GLOBAL, REGIONS, RegionError, known_region
from lab.customers import CUSTOMERS, REGION_NAMES


@pytest.mark.parametrize("text", ["westeurope", "West Europe", "WESTEUROPE", "west-europe", " west_europe "])
def test_a_region_is_known_however_it_is_spelled(text: str) -> None:
    assert known_region(text) == "westeurope"


def test_the_names_people_see_are_those_of_regions() -> None:
    assert {known_region(shown): name for name, shown in REGION_NAMES.items()} == {
        name: name for name in REGION_NAMES
    }
    assert {region for customer in CUSTOMERS for region in customer.regions} <= REGIONS


def test_every_region_is_its_own_name() -> None:
    assert {known_region(name) for name in REGIONS} == REGIONS
    assert GLOBAL not in REGIONS


@pytest.mark.parametrize("text", ["", "global", "eastus9", "../eastus", "${eastus}", "eastuś", "eastus\x00"])
def test_what_is_no_region_is_refused_and_quoted(text: str) -> None:
    with pytest.raises(RegionError) as refused:
        known_region(text)
    assert str(refused.value).startswith(f"{text!r} is no Azure region")


def test_a_mistyped_region_is_helped_along() -> None:
    with pytest.raises(RegionError, match=r"did you mean .*westeurope"):
        known_region("westeurop")
