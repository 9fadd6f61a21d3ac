"""What is wanted on a target: it follows from the customer, the policy and what was observed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from azmdr.inventory.customers import Customer, CustomerState
from azmdr.reconcile.category_policy import CategoryPolicy
from azmdr.reconcile.data_export import DataExport
from azmdr.reconcile.diagnostic_setting import DiagnosticSetting
from azmdr.reconcile.log_catalogue import LogCatalogue
from azmdr.reconcile.verdict import Reason, Verdict
from azmdr.reconcile.wanted import (
    CustomerView,
    holds_by_itself,
    is_settled,
    needs_reading,
    wanted_export,
    wanted_on_resource,
    wanted_on_subscription,
)
from azmdr.steps.subscriptions import target_of
from azmdr.store.event_hubs import EventHub, HubFacts
from azmdr.store.targets import FIRST, DueTarget, Target, TargetKind
from tests.reconcile.settings import NAMESPACES, setting

NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
ID: Final = "6e0b1c2d-0000-4000-8000-00000000000a"
VAULTS: Final = "microsoft.keyvault/vaults"
CATALOGUE: Final = LogCatalogue({"AuditEvent": frozenset({"audit", "allLogs"})})
CUSTOMER: Final = Customer(
    name="contoso", tenant_id="b1f0a8c2-0000-4000-8000-0000000000c1", home_region="eastus"
)


def hub(region: str, *, rule: bool = True, missing: bool = False) -> EventHub:
    namespace = f"{NAMESPACES}/azure-log-ingest-{region}-01"
    rule_id = f"{namespace}/authorizationRules/diagnostics" if rule else None
    return EventHub("contoso", HubFacts(namespace, region, "Standard", rule_id), missing)


def view(**fields: Any) -> CustomerView:
    given: dict[str, Any] = {
        "customer": CUSTOMER,
        "policy": CategoryPolicy.load(),
        "own_name": "azmdr",
        "hubs": {region: hub(region) for region in ("eastus", "westeurope")},
        "catalogues": {(VAULTS, None): CATALOGUE},
        "subscription_states": {ID: "Enabled"},
    }
    return CustomerView(**given | fields)


def due(name: str = "kv-1", kind: str = "Microsoft.KeyVault/vaults", **fields: Any) -> DueTarget:
    resource_id = f"/subscriptions/{ID}/resourceGroups/rg/providers/{kind}/{name}"
    target = Target(
        TargetKind.RESOURCE, resource_id, resource_id.lower(), ID, resource_id.lower(), kind.lower()
    )
    given: dict[str, Any] = {
        "variant": None,
        "location": "westeurope",
        "tags": {},
        "ours": False,
        "read_at": None,
        "settled": False,
        "tried_at": FIRST,
    }
    return DueTarget(target, **given | fields)


def subscription() -> DueTarget:
    return replace(due(), target=target_of(ID), location="global")


def leaving(since: datetime = NOW) -> Customer:
    return CUSTOMER.model_copy(update={"state": CustomerState.LEAVING, "leaving_since": since})


def reason_of(wanted: object) -> Reason:
    assert isinstance(wanted, Verdict)
    return wanted.reason


def test_a_resource_sends_to_the_hub_of_its_region() -> None:
    wanted = wanted_on_resource(view(), due())
    assert isinstance(wanted, DiagnosticSetting)
    assert wanted.rule_id == f"{NAMESPACES}/azure-log-ingest-westeurope-01/authorizationRules/diagnostics"
    assert (wanted.name, wanted.hub) == ("azmdr", "contoso")
    assert wanted.categories == {"AuditEvent"}


def test_what_is_in_no_region_sends_to_the_home_region() -> None:
    for wanted in (
        wanted_on_resource(view(), due(location="global")),
        wanted_on_subscription(view(), subscription()),
    ):
        assert isinstance(wanted, DiagnosticSetting)
        assert "-eastus-" in (wanted.rule_id or "")


def test_a_subscription_sends_the_categories_of_the_policy() -> None:
    wanted = wanted_on_subscription(view(), subscription())
    assert isinstance(wanted, DiagnosticSetting)
    assert wanted.categories == {"Administrative", "Security", "Policy", "Alert"}
    assert wanted.groups == frozenset()


def test_without_a_hub_in_the_region_a_target_waits_for_it() -> None:
    wanted = wanted_on_resource(view(), due(location="uksouth"))
    assert wanted == Verdict(Reason.PENDING_HUB, "no event hub contoso in uksouth")
    assert reason_of(wanted_on_subscription(view(hubs={}), subscription())) is Reason.PENDING_HUB


def test_without_a_rule_to_send_with_a_target_waits_for_it() -> None:
    wanted = wanted_on_resource(view(hubs={"westeurope": hub("westeurope", rule=False)}), due())
    assert reason_of(wanted) is Reason.PENDING_HUB
    assert isinstance(wanted, Verdict)
    assert "no rule to send with" in wanted.detail


def test_a_hub_the_last_listing_did_not_show_takes_nothing_new_and_loses_nothing() -> None:
    missing = view(hubs={"westeurope": hub("westeurope", missing=True)})
    assert isinstance(wanted_on_resource(missing, due()), DiagnosticSetting)
    obstacle = missing.hub_obstacle("westeurope")
    assert obstacle is not None
    assert obstacle.reason is Reason.PENDING_HUB
    assert view().hub_obstacle("westeurope") is None


def test_the_rules_come_before_what_azure_offers() -> None:
    assert reason_of(wanted_on_resource(view(), due(kind="Microsoft.Compute/disks"))) is (
        Reason.TYPE_WITHOUT_LOGS
    )
    excluding = Customer.of(**CUSTOMER.model_dump() | {"rules": {"excluded_tags": {"env": "test"}}})
    tagged = due(kind="Microsoft.Unheard/of", tags={"Env": "TEST"})
    assert reason_of(wanted_on_resource(view(customer=excluding), tagged)) is Reason.EXCLUDED_TAG


def test_what_azure_offers_is_not_guessed() -> None:
    assert reason_of(wanted_on_resource(view(catalogues={}), due())) is Reason.NOT_READ_YET
    assert reason_of(wanted_on_resource(view(), due(variant="premium"))) is Reason.NOT_READ_YET


@pytest.mark.parametrize("state", [CustomerState.LEAVING, CustomerState.GONE])
def test_of_a_customer_that_leaves_nothing_is_wanted(state: CustomerState) -> None:
    of_it = view(customer=CUSTOMER.model_copy(update={"state": state}))
    for wanted in (
        wanted_on_resource(of_it, due()),
        wanted_on_subscription(of_it, subscription()),
        wanted_export(of_it, "eastus", frozenset({"AuditLogs"})),
    ):
        assert reason_of(wanted) is Reason.CUSTOMER_LEAVES


def test_an_export_takes_those_tables_of_entra_id_that_the_workspace_has_to_the_hub_of_its_region() -> None:
    wanted = wanted_export(view(), "westeurope", frozenset({"auditlogs", "SIGNINLOGS", "Heartbeat"}))
    assert wanted == DataExport(
        "azmdr",
        f"{NAMESPACES}/azure-log-ingest-westeurope-01",
        "contoso",
        frozenset({"AuditLogs", "SigninLogs"}),
    )


def test_an_export_without_tables_or_without_a_hub_is_a_verdict() -> None:
    assert reason_of(wanted_export(view(), "westeurope", frozenset({"Heartbeat"}))) is Reason.TABLES_MISSING
    assert reason_of(wanted_export(view(), "uksouth", frozenset({"AuditLogs"}))) is Reason.PENDING_HUB


@pytest.mark.parametrize(
    ("state", "stands_in_the_way"),
    [
        ("Enabled", False),
        ("Warned", False),
        ("PastDue", False),
        ("Disabled", True),
        ("Deleted", True),
        ("Expired", True),
    ],
)
def test_in_a_subscription_that_is_read_only_nothing_is_written(state: str, stands_in_the_way: bool) -> None:
    obstacle = view(subscription_states={ID: state}).obstacle(due())
    assert (obstacle is not None) is stands_in_the_way
    assert obstacle is None or obstacle == Verdict(
        Reason.SUBSCRIPTION_DISABLED, f"the subscription is {state}"
    )


EXCLUDED = Verdict(Reason.EXCLUDED_TAG)
LEAVES = Verdict(Reason.CUSTOMER_LEAVES)


@pytest.mark.parametrize(
    ("wanted", "target", "needed"),
    [
        (setting(), due(), True),
        (EXCLUDED, due(), True),
        (LEAVES, due(), True),
        (Verdict(Reason.NO_WANTED_CATEGORY), due(), True),
        (Verdict(Reason.TYPE_WITHOUT_LOGS), due(), False),
        (Verdict(Reason.TYPE_WITHOUT_LOGS), due(ours=True), True),
        (Verdict(Reason.NAME_NOT_ASCII), due(), False),
        (Verdict(Reason.PENDING_HUB), due(), False),
        (Verdict(Reason.NOT_READ_YET), due(), False),
        (Verdict(Reason.TABLES_MISSING), due(), False),
    ],
)
def test_what_should_have_nothing_of_ours_is_read_to_see_that_it_has_not(
    wanted: object, target: DueTarget, needed: bool
) -> None:
    assert needs_reading(wanted, target) is needed


def test_a_verdict_that_holds_until_something_changes_is_an_exclusion_or_a_lack_of_logs() -> None:
    assert {reason.standing for reason in Reason if holds_by_itself(Verdict(reason))} == {
        "excluded",
        "unsupported",
    }


TEN_MINUTES = timedelta(minutes=10)


@pytest.mark.parametrize(
    ("verdict", "target", "settled"),
    [
        (EXCLUDED, due(), False),
        (EXCLUDED, due(read_at=NOW - timedelta(minutes=9)), False),
        (EXCLUDED, due(read_at=NOW - TEN_MINUTES), True),
        (EXCLUDED, due(read_at=NOW - TEN_MINUTES, ours=True), False),
        (LEAVES, due(read_at=NOW - TEN_MINUTES), True),
        (Verdict(Reason.IN_PLACE), due(read_at=NOW - TEN_MINUTES), False),
    ],
)
def test_nothing_of_ours_is_there_when_two_reads_long_enough_apart_have_shown_none(
    verdict: Verdict, target: DueTarget, settled: bool
) -> None:
    assert is_settled(verdict, target, NOW, TEN_MINUTES) is settled
