"""The Bicep and the ARM JSON: each can be read, Microsoft's schemas take it, and both say the same.

No compiler of Microsoft's is at hand, so the JSON is kept by hand; what is compared here is all that keeps
them together.
"""

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from azmdr.config import Settings
from azmdr.onboarding import entra
from azmdr.onboarding.files import templates
from azmdr.onboarding.package import DEPLOYMENT, ENTRA_GROUP, ENTRA_WORKSPACE
from azmdr.onboarding.roles import LOG_ANALYTICS_CONTRIBUTOR, RoleSet
from azmdr.onboarding.verify import POLICY
from azmdr.reconcile.category_policy import CategoryPolicy
from azmdr.reconcile.customer_rules import CustomerRules
from tests.shared_samples import REPOSITORY, shared_folder

pycep = pytest.importorskip("pycep", reason="pycep reads the Bicep")
FOLDER: Final = REPOSITORY / "bicep"
BICEP: Final = sorted(each.relative_to(FOLDER).as_posix() for each in FOLDER.rglob("*.bicep"))
NESTED: Final = "Microsoft.Resources/deployments"
SCHEMAS: Final = {
    "managementGroup": "2019-08-01/managementGroupDeploymentTemplate.json",
    "subscription": "2018-05-01/subscriptionDeploymentTemplate.json",
    "resourceGroup": "2019-04-01/deploymentTemplate.json",
}
GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@cache
def bicep(path: str) -> Any:
    return pycep.BicepParser().parse(text=(FOLDER / path).read_text("utf-8"))


@cache
def arm() -> dict[str, Any]:
    """The ARM template of each Bicep file, wherever it is nested."""
    found: dict[str, Any] = {}
    for name in ("main", "subscription", "modules/delegation", "modules/resource-group"):
        template = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
        found[f"{name}.bicep"] = template
        _collect(f"{name}.bicep", template, found)
    return found


def _collect(path: str, template: Any, found: dict[str, Any]) -> None:
    nested = [each for each in template["resources"] if each["type"] == NESTED]
    modules = list(bicep(path).get("modules", {}).values())
    assert [each["name"] for each in nested] == [plain(each)["name"] for each in modules], path
    for resource, module in zip(nested, modules, strict=True):
        inner = resource["properties"]["template"]
        own = (Path(path).parent / module["detail"]["path"]).as_posix()
        assert found.setdefault(own, inner) == inner, f"{own} differs from one place to the other"
        _collect(own, inner, found)


def plain(declared: Any) -> Any:
    """A resource or a module without its condition or its loop."""
    config = declared["config"]
    return config.get("config", config)


def scope_of(path: str) -> str:
    return str(bicep(path)["globals"]["scope"]["value"])


def literals(value: Any) -> Counter[str]:
    """Every text in quotes of a Bicep file or in a JSON value that isn't a word of the language."""
    if isinstance(value, dict):
        return sum((literals(each) for each in value.values()), Counter())
    if isinstance(value, list):
        return sum((literals(each) for each in value), Counter())
    return Counter(GUID.findall(value)) if isinstance(value, str) else Counter()


def test_a_wheel_has_the_templates_beside_what_reads_them() -> None:
    # Hatch follows the link; a path rewritten by its settings would be copied into editable installs too.
    assert (REPOSITORY / "azmdr/onboarding/bicep").resolve() == FOLDER


def test_every_bicep_file_has_its_json_and_every_json_its_bicep() -> None:
    assert sorted(arm()) == BICEP
    assert all((FOLDER / f"{name}.json").with_suffix(".bicep").is_file() for name in ("main", "subscription"))


@pytest.mark.parametrize("path", BICEP)
def test_bicep_and_json_take_the_same_parameters(path: str) -> None:
    declared = bicep(path)["parameters"]
    written = arm()[path]["parameters"]
    assert list(declared) == list(written)
    for name, about in declared.items():
        decorators = {each["type"]: each["argument"] for each in about["decorators"]}
        assert about["type"] == written[name]["type"], name
        assert (about["default"] is None) == ("defaultValue" not in written[name]), name
        if about["default"] is not None:
            assert about["default"] == written[name]["defaultValue"], name
        assert decorators.get("max_length") == written[name].get("maxLength"), name
        assert decorators.get("allowed") == written[name].get("allowedValues"), name
        description = written[name].get("metadata", {}).get("description")
        assert (decorators.get("description") or "").replace("\\'", "'") == (description or ""), name


@pytest.mark.parametrize("path", BICEP)
def test_bicep_and_json_have_the_same_resources_in_the_same_versions(path: str) -> None:
    declared = [(each["type"], each["api_version"]) for each in bicep(path).get("resources", {}).values()]
    written = [each for each in arm()[path]["resources"] if each["type"] != NESTED]
    assert declared == [(each["type"], each["apiVersion"]) for each in written]
    for resource, about in zip(written, bicep(path).get("resources", {}).values(), strict=True):
        config = plain(about)
        loops = "loop_type" in about["config"]
        assert loops == ("copy" in resource)
        assert (config.keys() - {"dependsOn", "parent"}) == (
            resource.keys() - {"type", "apiVersion", "dependsOn", "copy"}
        )
        assert same_shape(config.get("properties"), resource.get("properties"))


def same_shape(declared: Any, written: Any) -> bool:
    """Whether two values have the same keys all the way down, and the same plain texts and numbers."""
    if isinstance(declared, dict) and isinstance(written, dict):
        keys = set(declared) == set(written)
        return keys and all(same_shape(declared[each], written[each]) for each in declared)
    if isinstance(declared, list) and isinstance(written, list):
        return len(declared) == len(written) and all(map(same_shape, declared, written))
    if isinstance(written, str) and written.startswith("["):
        return True
    return bool(declared == written)


@pytest.mark.parametrize("path", BICEP)
def test_bicep_and_json_pass_the_same_parameters_to_modules(path: str) -> None:
    nested = [each for each in arm()[path]["resources"] if each["type"] == NESTED]
    for resource, module in zip(nested, bicep(path).get("modules", {}).values(), strict=True):
        config = plain(module)
        passed = resource["properties"]["parameters"]
        assert list(config["params"]) == list(passed)
        for name, value in config["params"].items():
            if isinstance(value, str):
                source = "parameters" if value in bicep(path)["parameters"] else "variables"
                assert passed[name] == {"value": f"[{source}('{value}')]"}
        assert ("condition" in module["config"]) == ("condition" in resource)
        assert ("scope" in config) == bool(resource.keys() & {"subscriptionId", "resourceGroup"})
        assert resource["properties"]["expressionEvaluationOptions"] == {"scope": "Inner"}
        own = (Path(path).parent / module["detail"]["path"]).as_posix()
        assert SCHEMAS[scope_of(own)] in resource["properties"]["template"]["$schema"]


@pytest.mark.parametrize("path", BICEP)
def test_bicep_and_json_have_the_same_variables_outputs_and_ids(path: str) -> None:
    template, declared = arm()[path], bicep(path)
    variables = {**template.get("variables", {})}
    loops = [each["name"] for each in variables.pop("copy", ())]
    assert set(declared.get("variables", {})) == {*variables, *loops}
    for name, about in declared.get("variables", {}).items():
        if name in variables and isinstance(about["value"], str) and GUID.fullmatch(about["value"]):
            assert variables[name] == about["value"]
    assert list(declared.get("outputs", {})) == list(template.get("outputs", {}))
    without = {**template, "resources": [each for each in template["resources"] if each["type"] != NESTED]}
    assert set(literals(without)) == set(GUID.findall((FOLDER / path).read_text("utf-8")))


@pytest.mark.parametrize(
    ("path", "variable", "file"),
    [
        ("modules/delegation-policy.bicep", "delegation", "modules/delegation"),
        ("modules/resource-group-policy.bicep", "group", "modules/resource-group"),
    ],
)
def test_a_policy_carries_the_template_of_its_file_as_text(path: str, variable: str, file: str) -> None:
    source = (FOLDER / path).read_text("utf-8")
    assert f"var {variable} = loadJsonContent('{Path(file).name}.json')" in source
    kept = json.dumps(arm()[path]["variables"][variable]).replace('"[[', '"[')
    assert json.loads(kept) == arm()[f"{file}.bicep"]


@pytest.mark.parametrize("path", BICEP)
def test_the_json_is_what_microsoft_s_schema_takes(path: str) -> None:
    shared = shared_folder()
    if shared is None:
        pytest.skip("needs Microsoft's template schemas beside this repository")
    pytest.importorskip("jsonschema")
    template = arm()[path]
    scope, folder = scope_of(path), shared / "azure-specs/arm-template-schema"
    assert template["$schema"].endswith(f"{SCHEMAS[scope]}#")
    for resource in template["resources"]:
        provider, _, kind = resource["type"].partition("/")
        place = "resourceDefinitions" if scope == "resourceGroup" else f"{scope}_resourceDefinitions"
        own = f"{resource['apiVersion']}/{provider}.json#/{place}/{kind.replace('/', '_')}"
        check = schema_validator(folder, own)
        assert breaches(check, resource) == []
        assert breaches(check, {**resource, "apiVersion": "1999-01-01"})
        assert breaches(check, {**resource, "properties": 3})
    # The schema of resource groups' templates came without the providers it refers to.
    if scope != "resourceGroup":
        assert breaches(schema_validator(folder, SCHEMAS[scope]), template) == []


def breaches(check: Any, value: Any) -> list[str]:
    return [f"{error.json_path} {error.message[-300:]}" for error in check.iter_errors(value)]


@cache
def schema_validator(folder: Path, name: str) -> Any:
    """What validates against a schema, with those it refers to at hand.

    Microsoft's schemas say that a value is one of an expression and anything, which an expression is both of;
    they mean at least one.
    """
    from jsonschema import Draft4Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT4

    def one(node: dict[str, Any]) -> dict[str, Any]:
        return {"anyOf" if name == "oneOf" else name: each for name, each in node.items()}

    registry: Registry[Any] = Registry().with_resources(
        (file.as_uri(), Resource.from_contents(json.loads(file.read_text("utf-8"), object_hook=one), DRAFT4))
        for file in folder.rglob("*.json")
    )
    file, at, pointer = name.partition("#")
    return Draft4Validator({"$ref": (folder / file).as_uri() + at + pointer}, registry=registry)


def test_the_roles_of_the_templates_are_those_the_product_asks_for() -> None:
    for path in ("main.bicep", "subscription.bicep"):
        variables = arm()[path]["variables"]
        for roles in RoleSet:
            assert variables[roles.value] == [role.id for role in roles.roles]
        assert arm()[path]["parameters"]["roles"]["allowedValues"] == [roles.value for roles in RoleSet]
    assert arm()["modules/entra.bicep"]["variables"]["roleId"] == LOG_ANALYTICS_CONTRIBUTOR.id
    assert RoleSet(Settings().delegated_roles) is RoleSet.LEAST_PRIVILEGE


def test_the_names_of_the_templates_are_those_the_product_looks_for() -> None:
    assert arm()["modules/delegation-policy.bicep"]["variables"]["assignmentName"] == POLICY
    assert len(POLICY) <= 24, "Azure takes no longer name at a management group"
    parameters = arm()["main.bicep"]["parameters"]
    assert parameters["entraResourceGroup"]["defaultValue"] == ENTRA_GROUP
    assert parameters["entraWorkspaceName"]["defaultValue"] == ENTRA_WORKSPACE
    assert f"--name {DEPLOYMENT} " not in (FOLDER / "README.customer.md").read_text("utf-8")


def test_the_workspace_has_the_tables_that_are_exported_and_the_setting_fills_them() -> None:
    tables = arm()["modules/entra-workspace.bicep"]["variables"]["tables"]
    wanted = CategoryPolicy.load().entra_tables_for(CustomerRules())
    assert tables == bicep("modules/entra-workspace.bicep")["variables"]["tables"]["value"]
    assert sorted(tables) == sorted(wanted) == sorted(entra.CATEGORIES)


def test_no_customer_s_data_is_in_the_templates() -> None:
    known = {role.id for roles in RoleSet for role in roles.roles}
    known |= {
        LOG_ANALYTICS_CONTRIBUTOR.id,
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
    }
    assert {each for text in templates().values() for each in GUID.findall(text)} == known
