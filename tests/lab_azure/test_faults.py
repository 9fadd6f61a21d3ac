from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from lab.azure.cloud import Cloud
from lab.azure.diagnostic_settings import DiagnosticSetting
from lab.azure.faults import Fault, FaultKind, PlannedFaults, SeededFaults, Seen
from lab.azure.front_door import FrontDoor
from lab.azure.scenario import Scene
from tests.lab_azure.caller import Caller
from tests.lab_azure.places import SUBSCRIPTION, VAULT, setting_path, settings_path

RATES = dict.fromkeys(FaultKind, 0.1)


@given(st.integers(), st.lists(st.integers(0, 30), min_size=1))
def test_the_same_seed_gives_the_same_fate_in_whatever_order(seed: int, order: list[int]) -> None:
    requests = [Seen("GET", f"/subscriptions/{number % 5}", number % 2 == 0, number) for number in order]
    faults = SeededFaults(seed, RATES, slowest=3.0)
    fates = {seen: (faults.decide(seen), faults.latency(seen)) for seen in requests}
    again = SeededFaults(seed, RATES, slowest=3.0)
    assert all((again.decide(seen), again.latency(seen)) == fates[seen] for seen in reversed(requests))


def test_every_kind_comes_up_about_as_often_as_asked() -> None:
    faults = SeededFaults(7, RATES)
    fates = [faults.decide(Seen("GET", "/", True, number)) for number in range(5000)]
    seen = {kind: sum(fate is not None and fate.kind == kind for fate in fates) for kind in FaultKind}
    assert all(150 < count < 700 for count in seen.values())


def test_only_later_pages_of_a_listing_break_by_its_kind() -> None:
    faults = SeededFaults(7, {FaultKind.FAIL_NEXT_PAGE: 1.0})
    assert faults.decide(Seen("GET", "/", False, 0)) is None
    assert faults.decide(Seen("GET", "/", True, 0)) is not None


def test_failing_before_does_nothing_and_failing_after_does_it_all(azmdr: Caller, door: FrontDoor) -> None:
    for kind, left in ((FaultKind.FAIL_BEFORE, 200), (FaultKind.FAIL_AFTER, 204)):
        door.cloud.put_setting(VAULT.lower(), DiagnosticSetting("azmdr", workspace_id="/sinks/theirs"))
        asked = sum(each.method == "DELETE" for each in door.log)
        door.faults = PlannedFaults({("DELETE", "azmdr", asked): Fault(kind, 500)})
        assert azmdr.ask("DELETE", setting_path(VAULT)).status == 500
        assert azmdr.ask("DELETE", setting_path(VAULT)).status == left


def test_faults_of_the_wire_keep_the_answer_for_the_log(azmdr: Caller, door: FrontDoor) -> None:
    door.faults = PlannedFaults({("GET", "diagnosticsettings", 0): Fault(FaultKind.TRUNCATE)})
    azmdr.ask("GET", settings_path(VAULT))
    assert (door.log[-1].status, door.log[-1].fault) == (200, FaultKind.TRUNCATE)


def test_latency_passes_on_the_virtual_clock(azmdr: Caller, cloud: Cloud) -> None:
    azmdr.door.faults = PlannedFaults(seconds=2.5)
    before = cloud.clock.now()
    azmdr.ask("GET", settings_path(VAULT))
    assert (cloud.clock.now() - before).total_seconds() == 2.5


def test_an_expired_token_and_a_throttle_come_as_azure_sends_them(azmdr: Caller, door: FrontDoor) -> None:
    expired, throttled = Fault(FaultKind.EXPIRE_TOKEN), Fault(FaultKind.THROTTLE, retry_after=17)
    door.faults = PlannedFaults({("GET", "/resources", 0): expired, ("GET", "/resources", 1): throttled})
    assert azmdr.ask("GET", f"{SUBSCRIPTION}/resources").code == "ExpiredAuthenticationToken"
    reply = azmdr.ask("GET", f"{SUBSCRIPTION}/resources")
    assert (reply.status, reply.headers["Retry-After"]) == (429, "17")


def test_the_log_tells_who_wrote_what(azmdr: Caller, door: FrontDoor) -> None:
    azmdr.ask("GET", settings_path(VAULT))
    azmdr.ask("DELETE", setting_path(VAULT))
    writes = [(each.principal_id, each.method, each.path, each.status) for each in door.writes()]
    assert writes == [(azmdr.principal.object_id, "DELETE", setting_path(VAULT), 204)]


def test_a_bounded_log_keeps_the_last_requests_and_the_counts_keep_all(cloud: Cloud, scene: Scene) -> None:
    door = FrontDoor(cloud, log=deque(maxlen=2))
    azmdr = Caller(door, scene.principal)
    for _ in range(5):
        azmdr.ask("GET", settings_path(VAULT))
    azmdr.ask("GET", "/nowhere")
    assert [each.status for each in door.log] == [200, 404]
    assert door.counts == {("GET", "diagnosticSettings"): 5, ("GET", "unknown"): 1}
    assert door.statuses == {200: 5, 404: 1}


def test_request_ids_differ_though_nothing_is_logged(cloud: Cloud, scene: Scene) -> None:
    azmdr = Caller(FrontDoor(cloud, log=deque(maxlen=0)), scene.principal)
    ids = {azmdr.ask("GET", settings_path(VAULT)).headers["x-ms-request-id"] for _ in range(5)}
    assert len(ids) == 5
