"""What would be sent and billed for a customer, before it is switched on."""

from hypothesis import given
from hypothesis import strategies as st

from azmdr.reconcile.category_policy import CategoryPolicy, Decision
from azmdr.reconcile.customer_rules import CustomerRules
from azmdr.reconcile.estimate import EstimateRow, EstimateSummary, TypeAndKind, estimate, summary, unread
from azmdr.reconcile.log_catalogue import LogCatalogue
from lab.azure.log_categories import RESOURCE_CATEGORIES

POLICY = CategoryPolicy.load()
NO_RULES = CustomerRules()
BLOBS = "microsoft.storage/storageaccounts/blobservices"
VAULTS = "microsoft.keyvault/vaults"
SITES = "microsoft.web/sites"
CLUSTERS = "microsoft.containerservice/managedclusters"
DISKS = "microsoft.compute/disks"
LAB: dict[TypeAndKind, LogCatalogue] = {
    (named, None): LogCatalogue({each.name: each.groups for each in lab.logs})
    for named, lab in RESOURCE_CATEGORIES.items()
}


def rows_of(
    counted: dict[TypeAndKind, int],
    rules: CustomerRules = NO_RULES,
    catalogues: dict[TypeAndKind, LogCatalogue] | None = None,
) -> dict[tuple[str, str], EstimateRow]:
    rows = estimate(POLICY, rules, counted, LAB if catalogues is None else catalogues)
    return {(row.type, row.category): row for row in rows}


def named(*categories: str) -> LogCatalogue:
    return LogCatalogue({each: frozenset() for each in categories})


def test_each_category_says_how_many_resources_it_is_billed_for_and_why() -> None:
    rows = rows_of({(BLOBS, None): 7, (VAULTS, None): 2})
    reads = rows[BLOBS, "StorageRead"]
    assert (reads.resources, reads.billed, reads.decision) == (7, True, Decision.REFUSED_FOR_COST)
    assert "data lake" in reads.reason
    deletions = rows[BLOBS, "StorageDelete"]
    assert (deletions.resources, deletions.billed, deletions.decision) == (7, True, Decision.WANTED)
    audit = rows[VAULTS, "AuditEvent"]
    assert (audit.resources, audit.billed, audit.decision) == (2, False, Decision.WANTED)


def test_what_is_wanted_and_billed_comes_first_then_what_may_be_billed() -> None:
    offered: dict[TypeAndKind, LogCatalogue] = {
        (VAULTS, None): named("AuditEvent", "Other"),
        (BLOBS, None): LAB[BLOBS, None],
    }
    rules = CustomerRules(categories={VAULTS: ("AuditEvent", "Other")})
    rows = estimate(POLICY, rules, {(VAULTS, None): 9, (BLOBS, None): 1}, offered)
    assert [(row.category, row.billed) for row in rows[:3]] == [
        ("StorageDelete", True),
        ("Other", None),
        ("AuditEvent", False),
    ]
    assert {row.decision for row in rows[3:]} == {Decision.REFUSED_FOR_COST}


def test_of_what_is_billed_alike_the_most_resources_come_first() -> None:
    queues = "microsoft.storage/storageaccounts/queueservices"
    rows = estimate(POLICY, NO_RULES, {(BLOBS, None): 1, (queues, None): 5}, LAB)
    assert [row.type for row in rows[:2]] == [queues, BLOBS]


def test_kinds_of_one_type_are_counted_together_where_they_offer_the_same() -> None:
    catalogues: dict[TypeAndKind, LogCatalogue] = {
        (SITES, "app"): named("AppServiceAuditLogs", "AppServiceHTTPLogs"),
        (SITES, "functionapp"): named("AppServiceAuditLogs", "FunctionAppLogs"),
    }
    rows = rows_of({(SITES, "app"): 3, (SITES, "functionapp"): 4}, catalogues=catalogues)
    assert rows[SITES, "AppServiceAuditLogs"].resources == 7
    assert rows[SITES, "AppServiceHTTPLogs"].resources == 3
    assert rows[SITES, "FunctionAppLogs"].resources == 4


def test_a_type_spelled_two_ways_is_one_type() -> None:
    catalogues: dict[TypeAndKind, LogCatalogue] = {
        (VAULTS, None): named("AuditEvent"),
        ("Microsoft.KeyVault/vaults", None): named("AuditEvent"),
    }
    rows = rows_of(dict.fromkeys(catalogues, 1), catalogues=catalogues)
    assert rows[VAULTS, "AuditEvent"].resources == 2


def test_a_customers_rules_show_in_the_estimate() -> None:
    excluding = rows_of(
        {(BLOBS, None): 1}, CustomerRules(excluded_types=("Microsoft.Storage/storageAccounts",))
    )
    assert {row.decision for row in excluding.values()} == {Decision.EXCLUDED}
    accepting = rows_of({(BLOBS, None): 1}, CustomerRules(accepted_costs=("StorageRead",)))
    assert accepting[BLOBS, "StorageRead"].decision is Decision.WANTED


def test_a_type_not_wanted_shows_what_it_would_cost_all_the_same() -> None:
    balancers = "microsoft.network/loadbalancers"
    rows = rows_of({(balancers, None): 1}, catalogues={(balancers, None): named("LoadBalancerHealthEvent")})
    assert rows[balancers, "LoadBalancerHealthEvent"].decision is Decision.NOT_WANTED


def test_what_azure_has_not_been_asked_is_said_and_not_guessed() -> None:
    counted: dict[TypeAndKind, int] = {(VAULTS, None): 2, (BLOBS, None): 3, (DISKS, None): 4}
    catalogues: dict[TypeAndKind, LogCatalogue] = {(VAULTS, None): named("AuditEvent")}
    assert rows_of(counted, catalogues=catalogues).keys() == {(VAULTS, "AuditEvent")}
    assert unread(POLICY, NO_RULES, counted, catalogues) == {(BLOBS, None): 3}


def test_the_summary_counts_every_row_once() -> None:
    rules = CustomerRules(excluded_types=(SITES,))
    counted: dict[TypeAndKind, int] = dict.fromkeys(
        [(BLOBS, None), (VAULTS, None), (SITES, None), (CLUSTERS, None)], 3
    )
    assert summary(estimate(POLICY, rules, counted, LAB)) == EstimateSummary(
        wanted_billed=1,  # StorageDelete
        wanted_billing_unknown=0,
        wanted_free=3,  # AuditEvent, kube-audit-admin, guard
        refused_for_cost=5,  # StorageRead, StorageWrite, AzurePolicyEvaluationDetails, kube-audit, -apiserver
        not_wanted=3,  # what else a cluster tells
        excluded=4,  # all of a web site
    )


@given(st.dictionaries(st.sampled_from(sorted(LAB, key=str)), st.integers(1, 1000)))
def test_every_category_of_every_counted_type_has_one_row(counted: dict[TypeAndKind, int]) -> None:
    rows = estimate(POLICY, NO_RULES, counted, LAB)
    offered = {(each[0], category) for each in counted for category in LAB[each].categories}
    assert {(row.type, row.category) for row in rows} == offered
    assert len(rows) == len(offered)
    told = summary(rows)
    assert len(rows) == sum(getattr(told, name) for name in EstimateSummary.__dataclass_fields__)
