"""Whatever is asked in whatever order: the answers keep the contract, and the state keeps Azure's limits."""

from itertools import combinations
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.azure.cloud import Cloud
from lab.azure.diagnostic_settings import LIMIT, categories_sent
from lab.azure.faults import FaultKind, SeededFaults
from lab.azure.front_door import FrontDoor
from lab.azure.log_categories import SUBSCRIPTION_CATEGORIES
from lab.azure.resource_id import ResourceId
from lab.azure.scenario import Scene, build_scene
from lab.customers import CUSTOMERS
from tests.lab_azure.caller import Caller
from tests.lab_azure.places import BLOBS, DISK, FRONT_DOOR, SUBSCRIPTION, VAULT, setting_path, settings_path

if TYPE_CHECKING:
    from tests.lab_azure.contract import Contract

TARGETS = (VAULT, BLOBS, FRONT_DOOR, DISK, SUBSCRIPTION)
NAMES = tuple(f"setting-{number}" for number in range(7))
LOGS = ("AuditEvent", "AzurePolicyEvaluationDetails", "StorageRead", "StorageWrite", "Administrative")
SWITCHES = st.one_of(
    st.fixed_dictionaries({"category": st.sampled_from(LOGS), "enabled": st.booleans()}),
    st.fixed_dictionaries({"categoryGroup": st.sampled_from(["allLogs", "audit"]), "enabled": st.booleans()}),
)
CALLS = st.one_of(
    st.tuples(
        st.just("PUT"),
        st.sampled_from(TARGETS),
        st.sampled_from(NAMES),
        st.sampled_from(("eastus", "uksouth")),
        st.sampled_from(("diagnostics", "RootManageSharedAccessKey", "extra-1", "extra-2", "absent")),
        st.lists(SWITCHES, max_size=2),
    ),
    st.tuples(
        st.sampled_from(("GET", "DELETE", "LIST")),
        st.sampled_from(TARGETS),
        st.sampled_from(NAMES),
        st.just(""),
        st.just(""),
        st.just([]),
    ),
)


def one_customer() -> Scene:
    scene = build_scene(Cloud(), CUSTOMERS[:1])
    for region in ("eastus", "uksouth"):
        rules = scene.cloud.rules[scene.namespace_id(region).lower()]
        rules.update({f"extra-{number}": rules["diagnostics"] for number in (1, 2)})
    return scene


def make(caller: Caller, scene: Scene, call: tuple[str, str, str, str, str, list[object]]) -> int:
    method, target, name, region, rule, logs = call
    if method == "LIST":
        return caller.ask("GET", settings_path(target)).status
    if method != "PUT":
        return caller.ask(method, setting_path(target, name)).status
    rule_id = f"{scene.namespace_id(region)}/authorizationRules/{rule}"
    properties = {"eventHubAuthorizationRuleId": rule_id, "eventHubName": "contoso", "logs": logs}
    return caller.ask("PUT", setting_path(target, name), {"properties": properties}).status


def check_limits(cloud: Cloud) -> None:
    for key, kept in cloud.settings.items():
        current = [setting for _, setting in kept.all_latest()]
        kind = ResourceId.parse(key)
        catalogue = cloud.catalogues.get(kind.type.lower(), SUBSCRIPTION_CATEGORIES)
        assert len(current) <= LIMIT
        for one, other in combinations(current, 2):
            shared = categories_sent(one, catalogue) & categories_sent(other, catalogue)
            assert not (shared and set(one.sinks) & set(other.sinks))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(CALLS, min_size=5, max_size=40))
def test_no_calls_break_a_limit_or_the_contract(
    contract: "Contract | None", calls: list[tuple[str, str, str, str, str, list[object]]]
) -> None:
    scene = one_customer()
    caller = Caller(FrontDoor(scene.cloud), scene.principal, contract)
    for call in calls:
        assert make(caller, scene, call) < 500
    check_limits(scene.cloud)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(CALLS, min_size=5, max_size=40), seed=st.integers(0, 10_000))
def test_with_faults_a_run_repeats_itself(
    contract: "Contract | None",
    calls: list[tuple[str, str, str, str, str, list[object]]],
    seed: int,
) -> None:

    def run() -> tuple[list[int], list[object]]:
        scene = one_customer()
        faults = SeededFaults(seed, dict.fromkeys(FaultKind, 0.1), slowest=2)
        caller = Caller(FrontDoor(scene.cloud, faults), scene.principal, contract)
        statuses = [make(caller, scene, call) for call in calls]
        check_limits(scene.cloud)
        return statuses, [sorted(kept.all_latest()) for _, kept in sorted(scene.cloud.settings.items())]

    assert run() == run()
