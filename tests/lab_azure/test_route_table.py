import re

import pytest

from lab.azure.arm_error import ArmError
from lab.azure.call import Route
from lab.azure.front_door import ROUTES
from lab.azure.route_table import RouteTable
from tests.lab_azure.places import SUBSCRIPTION, VAULT

GROUP = f"{SUBSCRIPTION}/resourceGroups/here"
PLACES = {
    "subscription": SUBSCRIPTION,
    "group": GROUP,
    "scope": VAULT,
    "namespace": f"{GROUP}/providers/Microsoft.EventHub/namespaces/hubs-01",
    "workspace": f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs",
}


def path_of(route: Route) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: PLACES.get(found[1], "some-name"), route.template)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")
def test_every_route_is_found_by_its_own_path_in_whatever_case(route: Route) -> None:
    table = RouteTable(ROUTES)
    for path in (path_of(route), path_of(route).upper(), path_of(route) + "/"):
        found, _ = table.find(route.method, path)
        assert found.handle is route.handle


def test_a_path_without_a_route_and_a_route_without_the_method_differ() -> None:
    table = RouteTable(ROUTES)
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("GET", f"{SUBSCRIPTION}/nowhere", 404),
        ("PATCH", f"{SUBSCRIPTION}/resources", 405),
    ):
        with pytest.raises(ArmError) as refused:
            table.find(method, path)
        assert refused.value.status == status


def test_a_route_is_counted_by_the_last_word_of_its_path() -> None:
    kinds = {route.kind for route in ROUTES}
    assert {"diagnosticSettings", "listKeys", "namespaces", "workspaces", "subscriptions"} <= kinds
