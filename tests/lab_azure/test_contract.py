import json
from typing import TYPE_CHECKING

import pytest

from tests.lab_azure.caller import Caller
from tests.lab_azure.places import SUBSCRIPTION, VAULT, settings_path

if TYPE_CHECKING:
    from tests.lab_azure.contract import Contract


@pytest.fixture
def specs(contract: "Contract | None") -> "Contract":
    if contract is None:
        pytest.skip("needs Microsoft's specifications beside this repository, and jsonschema")
    return contract


def test_a_wrong_answer_is_a_breach(specs: "Contract") -> None:
    fine = {"value": [{"id": "x", "name": "azmdr", "type": "t", "properties": {"logs": [{"enabled": True}]}}]}
    misnamed = {"value": [{"id": "x", "name": 7, "type": "t", "properties": {}}]}
    unswitched = {"value": [{"id": "x", "name": "azmdr", "properties": {"logs": [{"category": "a"}]}}]}
    assert specs.breaches("GET", settings_path(VAULT), 200, fine) == []
    assert specs.breaches("GET", settings_path(VAULT), 200, misnamed)
    assert specs.breaches("GET", settings_path(VAULT), 200, unswitched)
    assert specs.breaches("GET", settings_path(VAULT), 200, None)
    assert specs.breaches("GET", f"{SUBSCRIPTION}/resources", 200, {"value": [{"tags": {"a": 1}}]})


def test_microsofts_own_examples_keep_the_contract(specs: "Contract") -> None:
    examples = [(each, file) for each in specs.operations for file in each.examples]
    broken = [
        breach
        for operation, file in examples
        for status, response in json.loads(file.read_text("utf-8-sig"))["responses"].items()
        for breach in specs.breaches_of(operation, int(status), response.get("body"))
    ]
    assert len(examples) > 50
    assert broken == []


def test_every_family_of_paths_is_described(azmdr: Caller, specs: "Contract") -> None:
    assert specs.operations
    azmdr.ask("GET", "/subscriptions")
    azmdr.ask("GET", f"{SUBSCRIPTION}/resources")
    azmdr.ask("GET", settings_path(VAULT))
    azmdr.ask("GET", settings_path(SUBSCRIPTION))
    assert azmdr.unchecked == []
