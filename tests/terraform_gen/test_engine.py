"""The generated file and the modules on Terraform's real engine, with azurerm's schemas and value rules."""

import json
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import tfparse  # type: ignore[import-untyped]
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from azmdr.capture.names import TIME_FIRST
from lab.terraform.engine import Terraform, TerraformError
from terraform_gen.hcl import assignment
from terraform_gen.mapping import HubMapping
from terraform_gen.mapping_file import FILE_NAME, written
from terraform_gen.repository_files import starter_files
from tests.shared_samples import REPOSITORY
from tests.terraform_gen.mappings import INGEST, mapping_for

VARIABLES: Final = 'location             = "eastus"\nstorage_account_name = "azmdrcapture"\n'
REGIONS: Final = ("eastus", "germanywestcentral")
MODULES: Final = sorted(
    path.name for path in (REPOSITORY / "terraform_gen" / "modules").iterdir() if path.is_dir()
)
Places = set[tuple[str, int, str]]


def customers(number: int) -> HubMapping:
    """So many customers, all in one region, for the eleventh to need a shard; every tenth in another too."""
    first = [(f"customer-{at:04d}", REGIONS[0]) for at in range(number)]
    second = [(f"customer-{at:04d}", REGIONS[1]) for at in range(0, number, 10)]
    return mapping_for([*first, *second], partitions=8)


def repository(folder: Path, mapping: HubMapping) -> Path:
    """The infrastructure repository, as a deployment has it."""
    for path, text in (starter_files(INGEST) | {FILE_NAME: written(mapping, INGEST)}).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    (folder / "terraform.tfvars").write_text(VARIABLES)
    return folder


def places(mapping: HubMapping) -> Places:
    return {(each.region, each.shard, each.customer) for each in mapping.placements}


def planned(plan: Mapping[str, Any], kind: str, action: str = "create") -> list[dict[str, Any]]:
    changes = [each for each in plan["resource_changes"] if each["type"] == kind]
    which = "before" if action == "delete" else "after"
    return [each["change"][which] for each in changes if each["change"]["actions"] == [action]]


def planned_places(plan: Mapping[str, Any], action: str = "create") -> Places:
    """Region, shard and customer of each hub in a plan, by the namespace it is really in."""
    found = set()
    for hub in planned(plan, "azurerm_eventhub", action):
        _, region, number = (
            hub["namespace_id"].removeprefix("azurerm_eventhub_namespace/azure-log").split("-")[-3:]
        )
        found.add((region, int(number), hub["name"]))
    return found


@pytest.fixture(scope="module")
def working(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of eleven customers, initialized."""
    folder = repository(tmp_path_factory.mktemp("repository"), customers(11))
    terraform.init(folder)
    return folder


@pytest.fixture(scope="module")
def plan_of(terraform: Terraform, working: Path) -> Callable[[int], dict[str, Any]]:
    """The plan for so many customers, made once."""
    return cache(lambda number: terraform.plan(repository(working, customers(number))))


def test_what_is_generated_and_what_is_by_hand_is_formatted(terraform: Terraform, working: Path) -> None:
    done = terraform.run(working, "fmt", "-check", "-recursive", "-diff", "-no-color")
    assert (done.code, done.said) == (0, "")


@pytest.mark.parametrize("number", [0, 1, 1000])
def test_the_file_is_formatted_whatever_its_size(terraform: Terraform, tmp_path: Path, number: int) -> None:
    for name, text in {FILE_NAME: written(customers(number), INGEST)}.items():
        (tmp_path / name).write_text(text)
    assert terraform.run(tmp_path, "fmt", "-check", "-diff", "-no-color").said == ""


def test_what_a_repository_begins_with_plans_no_event_hub(terraform: Terraform, tmp_path: Path) -> None:
    folder = repository(tmp_path, customers(0))
    terraform.init(folder)
    changes = terraform.plan(folder)["resource_changes"]
    assert "azurerm_storage_account" in {each["type"] for each in changes}
    assert not [each for each in changes if each["type"].startswith("azurerm_eventhub")]


def test_it_is_valid(terraform: Terraform, working: Path) -> None:
    verdict = json.loads(terraform.run(working, "validate", "-json").out)
    assert (verdict["valid"], verdict["diagnostics"]) == (True, [])


@pytest.mark.parametrize("number", [1, 11, 100, 1000])
def test_the_plan_has_exactly_the_hubs_of_the_mapping(
    plan_of: Callable[[int], dict[str, Any]], number: int
) -> None:
    mapping, plan = customers(number), plan_of(number)
    assert planned_places(plan) == places(mapping)
    assert len(planned(plan, "azurerm_eventhub")) == len(mapping.placements)
    namespaces = planned(plan, "azurerm_eventhub_namespace")
    assert {each["name"] for each in namespaces} == {INGEST.names.of(*shard.key) for shard in mapping.shards}
    assert all(each["name"].split("-")[3] == each["location"] for each in namespaces)
    assert len(planned(plan, "azurerm_eventhub_namespace_authorization_rule")) == len(mapping.shards)


def test_every_hub_is_captured_as_the_product_reads_it(plan_of: Callable[[int], dict[str, Any]]) -> None:
    plan = plan_of(11)
    for hub in planned(plan, "azurerm_eventhub"):
        assert hub["partition_count"] == 8
        (capture,) = hub["capture_description"]
        assert (capture["enabled"], capture["skip_empty_archives"]) == (True, True)
        (destination,) = capture["destination"]
        assert destination["archive_name_format"] == TIME_FIRST.text
        assert destination["storage_account_id"] == "azurerm_storage_account/azmdrcapture"
        assert (
            destination["storage_authentication_id"] == "azurerm_user_assigned_identity/azmdrcapture-capture"
        )
    for namespace in planned(plan, "azurerm_eventhub_namespace"):
        (identity,) = namespace["identity"]
        assert identity["identity_ids"] == ["azurerm_user_assigned_identity/azmdrcapture-capture"]
    (announced,) = planned(plan, "azurerm_eventgrid_system_topic_event_subscription")
    assert announced["storage_queue_endpoint"][0]["queue_name"] == "capture"


def test_once_applied_nothing_is_left_to_do_and_a_new_customer_only_adds(
    terraform: Terraform, tmp_path: Path
) -> None:
    before = customers(2)
    folder = repository(tmp_path, before)
    terraform.init(folder)
    terraform.must(folder, "apply", "-auto-approve", "-input=false", "-no-color")
    assert terraform.run(folder, "plan", "-detailed-exitcode", "-input=false", "-no-color").code == 0
    after = customers(3)
    plan = terraform.plan(repository(folder, after))
    assert planned_places(plan) == places(after) - places(before)
    assert planned_places(plan, "delete") == set()
    # A rule renamed, a prefix changed or a key moved would show here as something replaced.
    touched = {tuple(each["change"]["actions"]) for each in plan["resource_changes"]}
    assert touched <= {("no-op",), ("create",)}


@pytest.mark.parametrize("module", MODULES)
def test_the_modules_pass_their_own_tests(terraform: Terraform, working: Path, module: str) -> None:
    folder = working / "modules" / module
    terraform.init(folder)
    done = terraform.run(folder, "test", "-no-color")
    assert done.code == 0, done.said
    assert "0 failed" in done.out


WRONG: Final = {
    "an argument azurerm 5 does not have": (
        "event_hubs/main.tf",
        "namespace_id    = var.namespace_ids[each.value.namespace]",
        'namespace_name = "x"',
        "Unsupported argument",
    ),
    "a tier there is not": ("event_hub_namespaces/main.tf", "each.value.sku\n", '"Gold"\n', "'Gold'"),
    "an encoding there is not": ("event_hubs/main.tf", '"Avro"', '"Parquet"', "'Parquet'"),
    "a name no rule can have": (
        "event_hub_namespaces/main.tf",
        "= var.send_rule\n",
        '= "-x"\n',
        "invalid value for name",
    ),
    "an archive name without a token": (
        "event_hubs/main.tf",
        "= var.capture.archive_name_format",
        '= "{Year}"',
        "archive_name_format needs to contain",
    ),
    "a number of the wrong type": (
        "event_hubs/main.tf",
        "= var.retention_hours",
        '= "a week"',
        "a number is required",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_engine_would_notice(terraform: Terraform, tmp_path: Path, wrong: str) -> None:
    """The other tests prove something only if what is wrong fails them."""
    path, good, bad, said = WRONG[wrong]
    folder = repository(tmp_path, customers(1))
    file = folder / "modules" / path
    assert good in file.read_text()
    file.write_text(file.read_text().replace(good, bad))
    terraform.init(folder)
    with pytest.raises(TerraformError) as failed:
        terraform.must(folder, "validate", "-no-color")
    assert said in " ".join(str(failed.value).split())


def test_a_second_parser_finds_the_same_hubs(working: Path) -> None:
    mapping = customers(11)
    parsed = tfparse.load_from_path(str(repository(working, mapping)))
    found = {hub["name"] for hub in parsed["azurerm_eventhub"]}
    assert found == {each.customer for each in mapping.placements}
    assert len(parsed["azurerm_eventhub"]) == len(mapping.placements)
    assert {each["name"] for each in parsed["azurerm_eventhub_namespace"]} == {
        INGEST.names.of(*shard.key) for shard in mapping.shards
    }


TRAPS: Final = [
    "${file('x')}", "$${x}", "$$${x}", "%{if true}", "%%{", "%%%{", "$%{", "%${", "\\${x}", "\\", '\\"', '"',
    '"\n}', "\n", "\r\n", "\t", "\u2028", "\u202e", "\x00", "\x7f", "\ufeff", "\U0001f600", "e\u0301",
    "//", "#", "<<EOT\nx\nEOT", "/*", "${", "%{", "$", "%", "{", "}", "$" * 9 + "{", "../..", "a/b",
]  # fmt: skip


@settings(
    max_examples=4,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    texts=st.lists(
        st.one_of(
            st.text(max_size=30),
            st.text(alphabet='${}%"\\\n~ aé/', max_size=12),
            st.lists(st.sampled_from(TRAPS), max_size=4).map("".join),
        ),
        min_size=100,
        max_size=150,
    )
)
def test_any_text_is_to_terraform_the_text_it_is(
    terraform: Terraform, tmp_path: Path, texts: list[str]
) -> None:
    # Terraform puts all text in normal form C (developer.hashicorp.com/terraform/language/expressions/types).
    expected = {str(at): unicodedata.normalize("NFC", text) for at, text in enumerate([*TRAPS, *texts])}
    by_key = dict.fromkeys(expected.values(), 1)
    lines = [
        "locals {",
        *assignment("texts", dict(expected), depth=1),
        *assignment("keys", dict(by_key), depth=1),
        "}",
        'output "all" {',
        "  value = { texts = local.texts, keys = local.keys }",
        "}",
    ]
    (tmp_path / "hostile.tf").write_text("\n".join(lines) + "\n", "utf-8")
    plan = terraform.plan(tmp_path)
    assert plan["planned_values"]["outputs"]["all"]["value"] == {"texts": expected, "keys": by_key}
