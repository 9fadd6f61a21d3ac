from datetime import timedelta
from typing import Any

import pytest

from lab.azure.activity_events import ActivityLog
from lab.azure.cloud import Cloud
from lab.azure.happenings import Happenings
from lab.azure.in_process import URL
from lab.azure.scenario import Scene
from lab.customers import CUSTOMERS
from tests.lab_azure.caller import Caller
from tests.lab_azure.places import CONTOSO, DISK, SUBSCRIPTION, VAULT, setting_path

EVENTS = f"{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values"


@pytest.fixture
def log(cloud: Cloud) -> ActivityLog:
    cloud.activity = ActivityLog()
    return cloud.activity


def write(azmdr: Caller, scene: Scene, target: str = VAULT) -> None:
    logs = [{"categoryGroup": "audit", "enabled": True}]
    properties = {"eventHubAuthorizationRuleId": scene.rule_id("eastus"), "eventHubName": "contoso"}
    azmdr.ask("PUT", setting_path(target), {"properties": {**properties, "logs": logs}})


def events(azmdr: Caller, rest: str = "", **query: str) -> list[dict[str, Any]]:
    begin = azmdr.door.cloud.clock.now() - timedelta(days=1)
    asked = f"eventTimestamp ge '{begin.isoformat()}'{rest}"
    reply = azmdr.ask("GET", EVENTS, version="2015-04-01", filter=asked, **query)
    assert reply.status == 200, reply.body
    return list(reply.body["value"])


def test_nothing_is_written_down_unless_asked_for(azmdr: Caller, scene: Scene, cloud: Cloud) -> None:
    write(azmdr, scene)
    cloud.clock.advance(3600)
    assert events(azmdr) == []


@pytest.mark.usefixtures("log")
def test_a_write_is_two_events_seen_three_to_twenty_minutes_later(
    azmdr: Caller, scene: Scene, cloud: Cloud
) -> None:
    write(azmdr, scene)
    cloud.clock.advance(179)
    assert events(azmdr) == []
    cloud.clock.advance(1200 - 178)
    end, begin = events(azmdr)
    assert [each["status"]["value"] for each in (begin, end)] == ["Started", "Succeeded"]
    assert begin["correlationId"] == end["correlationId"]
    assert begin["caller"] == scene.principal.object_id
    assert end["operationName"]["value"] == "Microsoft.Insights/diagnosticSettings/write"
    assert end["resourceId"].lower() == setting_path(VAULT).lower()
    assert end["resourceProviderName"]["value"] == "Microsoft.Insights"
    assert end["subStatus"]["value"] == "OK"


@pytest.mark.usefixtures("log")
def test_what_azure_refuses_has_failed_and_reads_leave_no_trace(
    azmdr: Caller, scene: Scene, cloud: Cloud
) -> None:
    write(azmdr, scene, DISK)
    azmdr.ask("GET", setting_path(VAULT))
    cloud.clock.advance(1300)
    assert [each["status"]["value"] for each in events(azmdr)] == ["Failed", "Started"]
    assert events(azmdr)[0]["level"] == "Error"


@pytest.mark.usefixtures("log")
def test_an_action_is_told_of_the_thing_it_is_done_to(azmdr: Caller, scene: Scene, cloud: Cloud) -> None:
    azmdr.ask("POST", f"{scene.rule_id('eastus')}/listKeys")
    cloud.clock.advance(1300)
    log = cloud.activity
    assert log is not None
    seen = list(log.seen(scene.subscription_id, cloud.clock.now()))
    assert {each.operation.resource_id for each in seen} == {scene.rule_id("eastus")}


@pytest.mark.usefixtures("log")
def test_a_filter_narrows_by_time_and_one_thing_more(azmdr: Caller, scene: Scene, cloud: Cloud) -> None:
    write(azmdr, scene)
    cloud.clock.advance(3600)
    later = cloud.clock.now()
    cloud.clock.advance(1)
    write(azmdr, scene, SUBSCRIPTION)
    cloud.clock.advance(3600)
    assert len(events(azmdr)) == 4
    assert len(events(azmdr, f" and eventTimestamp le '{later.isoformat()}'")) == 2
    group = f" and eventTimestamp le '{cloud.clock.now().isoformat()}' and resourceGroupName eq "
    assert len(events(azmdr, f"{group}'CONTOSO-eastus'")) == 2
    assert events(azmdr, f"{group}'other'") == []
    assert len(events(azmdr, f" and resourceUri eq '{setting_path(VAULT).upper()}'")) == 2
    assert events(azmdr, f" and resourceUri eq '{VAULT}'") == []
    assert len(events(azmdr, " and resourceProvider eq 'microsoft.insights'")) == 4
    correlation = events(azmdr)[0]["correlationId"]
    assert len(events(azmdr, f" and correlationId eq '{correlation}'")) == 2


@pytest.mark.parametrize(
    "text",
    [
        None,
        "resourceUri eq 'x'",
        "eventTimestamp ge 'soon'",
        "eventTimestamp ge '2026-11-01T00:00:00Z' and caller eq 'x'",
        "eventTimestamp ge '2026-11-01T00:00:00Z' or resourceUri eq 'x'",
        "eventTimestamp ge '2026-11-02T00:00:00Z' and eventTimestamp le '2026-11-01T00:00:00Z'",
        "eventTimestamp ge '2026-07-01T00:00:00Z'",
    ],
)
def test_any_other_filter_is_refused(azmdr: Caller, text: str | None) -> None:
    query = {} if text is None else {"filter": text}
    assert azmdr.ask("GET", EVENTS, version="2015-04-01", **query).status == 400


@pytest.mark.usefixtures("log")
def test_events_come_in_pages_the_newest_first(azmdr: Caller, scene: Scene, cloud: Cloud) -> None:
    for _ in range(5):
        write(azmdr, scene)
        cloud.clock.advance(1300)
    cloud.page_size = 4
    shown = azmdr.ask("GET", EVENTS, version="2015-04-01", filter=_since(cloud)).body
    stamps = [each["eventTimestamp"] for each in shown["value"]]
    while "nextLink" in shown:
        shown = azmdr.ask("GET", shown["nextLink"].removeprefix(URL), version="2015-04-01").body
        stamps += [each["eventTimestamp"] for each in shown["value"]]
    assert len(stamps) == 10
    assert stamps == sorted(stamps, reverse=True)


@pytest.mark.usefixtures("log")
def test_only_what_is_selected_is_shown(azmdr: Caller, scene: Scene, cloud: Cloud) -> None:
    write(azmdr, scene)
    cloud.clock.advance(1300)
    assert {name for each in events(azmdr, select="status,caller") for name in each} == {"status", "caller"}
    reply = azmdr.ask("GET", EVENTS, version="2015-04-01", filter=_since(cloud), select="colour")
    assert reply.status == 400


def test_events_are_kept_for_90_days_and_no_more_than_fit(azmdr: Caller, scene: Scene, cloud: Cloud) -> None:
    cloud.activity = ActivityLog(kept=6)
    for _ in range(5):
        write(azmdr, scene)
    cloud.clock.advance(1300)
    assert len(events(azmdr)) == 6
    now = cloud.clock.now() + timedelta(days=90)
    assert list(cloud.activity.seen(CONTOSO.subscriptions[0].id, now)) == []


@pytest.mark.usefixtures("log")
def test_what_customers_do_is_told_as_well(cloud: Cloud) -> None:
    happening = Happenings(CUSTOMERS, 7).happen(cloud)
    cloud.clock.advance(1300)
    assert happening is not None
    assert cloud.activity is not None
    seen = list(cloud.activity.seen(happening.subscription.id, cloud.clock.now()))
    assert {each.operation.correlation_id for each in seen} == {happening.correlation_id}
    assert "@" in seen[0].operation.caller


def _since(cloud: Cloud) -> str:
    return f"eventTimestamp ge '{(cloud.clock.now() - timedelta(days=1)).isoformat()}'"
