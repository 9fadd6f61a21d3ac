"""What the category policy decides about a target's logs."""

import csv
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.category_policy import (
    PACKAGED_POLICY,
    CategoryPolicy,
    Decision,
    Selection,
    TargetFacts,
)
from azmdr.reconcile.category_policy_file import CategoryPolicyError, PolicyFile
from azmdr.reconcile.customer_rules import CustomerRules
from azmdr.reconcile.log_catalogue import LogCatalogue
from azmdr.reconcile.verdict import Reason, Verdict
from lab.azure.log_categories import RESOURCE_CATEGORIES, SUBSCRIPTION_CATEGORIES, Catalogue
from tests.shared_samples import ABSENT, REPOSITORY, shared_folder

SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-Ledger"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/ledger"
BLOBS = f"{ACCOUNT}/blobServices/default"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/keys"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/ship"
REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/images"
UNLISTED = f"{GROUP}/providers/Contoso.Things/widgets/one"

NO_RULES = CustomerRules()
POLICY = CategoryPolicy.load()


def offered(lab: Catalogue) -> LogCatalogue:
    """The lab's catalogue in the product's words."""
    return LogCatalogue({each.name: each.groups for each in lab.logs})


LAB = {named: offered(lab) for named, lab in RESOURCE_CATEGORIES.items()}


def facts(text: str, **tags: str) -> TargetFacts:
    return TargetFacts(ResourceId.parse(text), tags=tags)


def selected(text: str, rules: CustomerRules = NO_RULES) -> Selection | Verdict:
    target = facts(text)
    return POLICY.selection(target, rules, LAB[target.id.type])


def categories(*names: str, **groups: tuple[str, ...]) -> LogCatalogue:
    """A catalogue of names, and of groups that hold some of them."""
    return LogCatalogue(
        {name: frozenset(group for group, held in groups.items() if name in held) for name in names}
    )


def _policy_file(types: dict[str, object], unlisted: str = "audit") -> PolicyFile:
    return PolicyFile.model_validate(
        {
            "unlisted": unlisted,
            "subscription": {"categories": ["Administrative"]},
            "entra_tables": {"wanted": ["AuditLogs"]},
            "types": types,
        }
    )


def _id_of(resource_type: str) -> str:
    """The id of some target of a type."""
    if resource_type == "microsoft.resources/subscriptions":
        return SUBSCRIPTION
    provider, *types = resource_type.split("/")
    return f"{GROUP}/providers/{provider}/" + "/".join(f"{each}/one" for each in types)


# --- what is sent -----------------------------------------------------------------------------------------


def test_a_vault_sends_its_audit_events_and_not_what_azure_policy_shows_itself() -> None:
    assert selected(VAULT) == Selection(categories=frozenset({"AuditEvent"}))


@pytest.mark.parametrize("service", ["blobServices", "fileServices", "queueServices", "tableServices"])
def test_a_storage_service_sends_deletions_and_neither_reads_nor_writes(service: str) -> None:
    assert selected(f"{ACCOUNT}/{service}/default") == Selection(categories=frozenset({"StorageDelete"}))


def test_a_storage_account_has_no_logs_but_children_that_have() -> None:
    settled = POLICY.settled_by_rules(facts(ACCOUNT), NO_RULES)
    assert settled is not None
    assert settled.reason is Reason.TYPE_WITHOUT_LOGS
    account = ResourceId.parse(ACCOUNT)
    children = [account.child(path) for path in POLICY.children_of("MICROSOFT.STORAGE/storageaccounts")]
    assert len(children) == 4
    assert all(POLICY.settled_by_rules(TargetFacts(child), NO_RULES) is None for child in children)


def test_a_group_is_sent_as_a_group_when_nothing_in_it_is_refused() -> None:
    assert selected(REGISTRY) == Selection(groups=frozenset({"audit"}))


def test_a_group_with_something_refused_in_it_is_written_out_without_it() -> None:
    rules = CustomerRules(categories={"Microsoft.ContainerService/managedClusters": "audit"})
    assert selected(CLUSTER, rules) == Selection(categories=frozenset({"kube-audit-admin"}))


def test_a_group_whose_costs_are_all_accepted_is_sent_as_a_group() -> None:
    rules = CustomerRules.model_validate(
        {
            "categories": {"microsoft.containerservice/managedclusters": "AUDIT"},
            "accepted_costs": ["kube-audit"],
        }
    )
    assert selected(CLUSTER, rules) == Selection(groups=frozenset({"audit"}))


def test_a_category_beside_the_group_makes_the_group_names() -> None:
    widgets = {"group": "audit", "refused": {"Chatter": "much"}}
    policy = CategoryPolicy.of(_policy_file({"Contoso.Things/widgets": widgets}))
    offer = categories("Logins", "Chatter", audit=("Logins",))
    rules = CustomerRules(accepted_costs=("chatter",))
    assert policy.selection(facts(UNLISTED), rules, offer) == Selection(
        categories=frozenset({"Logins", "Chatter"})
    )
    assert policy.selection(facts(UNLISTED), NO_RULES, offer) == Selection(groups=frozenset({"audit"}))


def test_a_group_is_spelled_as_azure_spells_it() -> None:
    offer = LogCatalogue({"Logins": frozenset({"AuDit"})})
    assert POLICY.selection(facts(UNLISTED), NO_RULES, offer) == Selection(groups=frozenset({"AuDit"}))


def test_a_type_nobody_named_sends_its_audit_group() -> None:
    offer = categories("Logins", "Chatter", audit=("Logins",), allLogs=("Logins", "Chatter"))
    assert POLICY.selection(facts(UNLISTED), NO_RULES, offer) == Selection(groups=frozenset({"audit"}))


def test_a_type_nobody_named_without_an_audit_group_is_not_wanted() -> None:
    verdict = POLICY.selection(facts(UNLISTED), NO_RULES, categories("Chatter", allLogs=("Chatter",)))
    assert isinstance(verdict, Verdict)
    assert verdict.reason is Reason.TYPE_NOT_WANTED
    assert "audit" in verdict.detail


def test_a_policy_that_takes_nothing_of_unnamed_types_settles_them_without_asking() -> None:
    policy = CategoryPolicy.of(_policy_file({}, unlisted="none"))
    assert policy.settled_by_rules(facts(UNLISTED), NO_RULES) == Verdict(
        Reason.TYPE_NOT_WANTED, "not in the category policy"
    )


def test_the_activity_log_sends_what_somebody_did() -> None:
    wanted = frozenset({"Administrative", "Security", "Policy", "Alert"})
    offer = offered(SUBSCRIPTION_CATEGORIES)
    assert POLICY.subscription_categories == wanted
    assert POLICY.selection(facts(SUBSCRIPTION), NO_RULES, offer) == Selection(categories=wanted)
    accepting = CustomerRules(accepted_costs=("serviceHEALTH",))
    assert POLICY.selection(facts(SUBSCRIPTION), accepting, offer) == Selection(
        categories=wanted | {"ServiceHealth"}
    )


def test_entra_tables_refused_for_cost_come_with_the_customers_acceptance() -> None:
    assert "SigninLogs" in POLICY.entra_tables
    assert "MicrosoftGraphActivityLogs" not in POLICY.entra_tables_for(NO_RULES)
    accepting = CustomerRules(accepted_costs=("microsoftgraphactivitylogs",))
    assert POLICY.entra_tables_for(accepting) == (*POLICY.entra_tables, "MicrosoftGraphActivityLogs")


def test_every_type_the_lab_offers_comes_to_a_decision() -> None:
    kinds = {
        named: type(POLICY.selection(facts(_id_of(named)), NO_RULES, offer)).__name__
        for named, offer in LAB.items()
    }
    nothing = {named for named, kind in kinds.items() if kind == "Verdict"}
    assert nothing == {
        "microsoft.storage/storageaccounts",
        "microsoft.logic/workflows",
        "microsoft.compute/virtualmachines",
        "microsoft.network/loadbalancers",
    }


# --- what nothing is sent of, and why ---------------------------------------------------------------------


def test_a_target_azure_has_no_logs_of_is_without_logs() -> None:
    verdict = POLICY.selection(facts(VAULT), NO_RULES, LogCatalogue({}))
    assert isinstance(verdict, Verdict)
    assert verdict.reason is Reason.TYPE_WITHOUT_LOGS


def test_a_target_with_other_categories_only_says_what_was_wanted_and_what_is_there() -> None:
    verdict = POLICY.selection(facts(VAULT), NO_RULES, categories("Chatter"))
    assert verdict == Verdict(Reason.NO_WANTED_CATEGORY, "wanted: AuditEvent; Azure offers: Chatter")


def test_a_target_with_refused_categories_only_says_what_each_would_cost() -> None:
    verdict = POLICY.selection(facts(BLOBS), NO_RULES, categories("StorageRead", "StorageWrite"))
    assert isinstance(verdict, Verdict)
    assert verdict.reason is Reason.REFUSED_FOR_COST
    refused = POLICY.types["microsoft.storage/storageaccounts/blobservices"].refused
    assert verdict.detail == (
        f"StorageRead: {refused['StorageRead']}; StorageWrite: {refused['StorageWrite']}"
    )


def test_a_machine_is_not_wanted_and_a_disk_is_without_logs_before_azure_is_asked() -> None:
    for name, reason in (
        ("virtualMachines", Reason.TYPE_NOT_WANTED),
        ("disks", Reason.TYPE_WITHOUT_LOGS),
    ):
        settled = POLICY.settled_by_rules(facts(f"{GROUP}/providers/Microsoft.Compute/{name}/one"), NO_RULES)
        assert settled is not None
        assert settled.reason is reason
        assert settled.detail


@pytest.mark.parametrize("text", [VAULT.replace("keys", "schlüssel"), VAULT.replace("Ledger", "büro")])
def test_a_name_that_is_not_ascii_anywhere_in_the_id_is_left_alone(text: str) -> None:
    settled = POLICY.settled_by_rules(facts(text), NO_RULES)
    assert settled is not None
    assert settled.reason is Reason.NAME_NOT_ASCII
    assert POLICY.selection(facts(text), NO_RULES, categories("AuditEvent")) == settled


# --- the customer's rules ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", [SUBSCRIPTION, GROUP, ACCOUNT, GROUP.upper() + "/"])
@pytest.mark.parametrize("target", [ACCOUNT, BLOBS])
def test_an_excluded_scope_covers_all_below_it(scope: str, target: str) -> None:
    rules = CustomerRules(excluded_scopes=(scope,))
    assert POLICY.settled_by_rules(facts(target), rules) == Verdict(Reason.EXCLUDED_SCOPE, f"scope {scope}")


def test_an_excluded_scope_does_not_cover_a_name_that_only_begins_the_same() -> None:
    rules = CustomerRules(excluded_scopes=(GROUP,))
    assert POLICY.settled_by_rules(facts(VAULT.replace("rg-Ledger", "rg-Ledger-2")), rules) is None


@pytest.mark.parametrize("target", [ACCOUNT, BLOBS])
def test_an_excluded_type_covers_what_is_nested_in_it(target: str) -> None:
    rules = CustomerRules(excluded_types=("microsoft.STORAGE/storageAccounts",))
    assert POLICY.settled_by_rules(facts(target), rules) == Verdict(
        Reason.EXCLUDED_TYPE, "type microsoft.STORAGE/storageAccounts"
    )


@pytest.mark.parametrize("target", [ACCOUNT, BLOBS, VAULT])
def test_an_excluded_tag_is_named_in_the_verdict(target: str) -> None:
    rules = CustomerRules(excluded_tags={"environment": "dev"})
    assert POLICY.settled_by_rules(facts(target, Environment="DEV"), rules) == Verdict(
        Reason.EXCLUDED_TAG, "tag environment=dev"
    )
    other = POLICY.settled_by_rules(facts(target, environment="production"), rules)
    assert other is None or other.reason is not Reason.EXCLUDED_TAG


def test_an_excluded_tag_without_a_value_means_any_value() -> None:
    rules = CustomerRules(excluded_tags={"no-logs": None})
    assert POLICY.settled_by_rules(facts(VAULT, **{"no-logs": ""}), rules) == Verdict(
        Reason.EXCLUDED_TAG, "tag no-logs"
    )


def test_an_exclusion_is_said_before_whatever_the_policy_would_say() -> None:
    rules = CustomerRules(excluded_tags={"environment": "dev"})
    settled = POLICY.settled_by_rules(facts(ACCOUNT, environment="dev"), rules)
    assert settled is not None
    assert settled.reason is Reason.EXCLUDED_TAG


def test_an_excluded_target_has_no_selection_even_when_azure_was_asked() -> None:
    rules = CustomerRules(excluded_scopes=(VAULT,))
    assert isinstance(POLICY.selection(facts(VAULT), rules, categories("AuditEvent")), Verdict)


def test_a_customer_who_wants_nothing_of_a_type_gets_nothing() -> None:
    rules = CustomerRules(categories={"Microsoft.KeyVault/vaults": "none"})
    assert POLICY.settled_by_rules(facts(VAULT), rules) == Verdict(
        Reason.TYPE_NOT_WANTED, "the customer's categories: none"
    )


def test_a_customers_categories_replace_the_policys() -> None:
    rules = CustomerRules(categories={"Microsoft.ContainerService/managedClusters": ("GUARD",)})
    assert selected(CLUSTER, rules) == Selection(categories=frozenset({"guard"}))


def test_a_customers_categories_are_asked_of_azure_even_where_the_policy_knows_of_no_logs() -> None:
    disk = f"{GROUP}/providers/Microsoft.Compute/disks/one"
    rules = CustomerRules(categories={"microsoft.compute/disks": ("New",)})
    assert POLICY.selection(facts(disk), rules, categories("New")) == Selection(categories=frozenset({"New"}))


def test_naming_a_refused_category_does_not_accept_its_cost() -> None:
    blobs = "Microsoft.Storage/storageAccounts/blobServices"
    verdict = selected(BLOBS, CustomerRules(categories={blobs: ("StorageRead",)}))
    assert isinstance(verdict, Verdict)
    assert verdict.reason is Reason.REFUSED_FOR_COST
    accepting = CustomerRules(categories={blobs: ("StorageRead",)}, accepted_costs=("StorageRead",))
    assert selected(BLOBS, accepting) == Selection(categories=frozenset({"StorageRead"}))


def test_a_customers_own_list_is_not_added_to_by_an_accepted_cost() -> None:
    blobs = "Microsoft.Storage/storageAccounts/blobServices"
    rules = CustomerRules(categories={blobs: ("StorageDelete",)}, accepted_costs=("StorageRead",))
    assert selected(BLOBS, rules) == Selection(categories=frozenset({"StorageDelete"}))


def test_an_accepted_cost_adds_the_category_everywhere_or_for_one_type() -> None:
    queues = BLOBS.replace("blobServices", "queueServices")
    both = Selection(categories=frozenset({"StorageDelete", "StorageRead"}))
    everywhere = CustomerRules(accepted_costs=("storageread",))
    assert (selected(BLOBS, everywhere), selected(queues, everywhere)) == (both, both)
    one = CustomerRules(accepted_costs=("microsoft.storage/storageaccounts/BLOBservices:StorageRead",))
    assert selected(BLOBS, one) == both
    assert selected(queues, one) == Selection(categories=frozenset({"StorageDelete"}))


def test_the_rules_shown_in_the_documentation_do_what_it_says() -> None:
    page = (REPOSITORY / "docs" / "category-policy.md").read_text(encoding="utf-8")
    rules = CustomerRules.model_validate_json(page.partition("```json")[2].partition("```")[0])
    site = f"{GROUP}/providers/Microsoft.Web/sites/shop"
    assert selected(site, rules) == Selection(categories=frozenset({"AppServiceHTTPLogs"}))
    assert selected(VAULT, rules) == Selection(groups=frozenset({"audit"}))
    assert selected(BLOBS, rules) == Selection(categories=frozenset({"StorageDelete", "StorageRead"}))


def test_rules_survive_their_json() -> None:
    rules = CustomerRules(
        excluded_types=("Microsoft.Compute/disks",),
        excluded_scopes=(GROUP,),
        excluded_tags={"environment": "dev", "no-logs": None},
        categories={"Microsoft.KeyVault/vaults": ("AuditEvent",), "Microsoft.Sql/servers": "allLogs"},
        accepted_costs=("StorageRead",),
    )
    assert CustomerRules.model_validate_json(rules.model_dump_json()) == rules


@pytest.mark.parametrize(
    "wrong",
    [
        {"excluded_scope": [GROUP]},
        {"excluded_scopes": ["rg-ledger"]},
        {"excluded_tags": {"Environment": "dev", "environment": None}},
        {"categories": {"Microsoft.KeyVault/vaults": []}},
        {"categories": {"Microsoft.KeyVault/vaults": "everything"}},
        {"categories": {"Microsoft.KeyVault/vaults": "none", "microsoft.keyvault/VAULTS": "audit"}},
    ],
    ids=json.dumps,
)
def test_rules_that_could_be_misread_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CustomerRules.model_validate(wrong)


# --- for every catalogue and all rules --------------------------------------------------------------------

_TYPES = [*sorted(POLICY.types), "contoso.things/widgets"]
_NAMES = sorted(
    {name for each in POLICY.types.values() for name in (*each.categories, *each.refused)} | {"Other"}
)
_SOME = st.lists(st.sampled_from(_NAMES), max_size=3, unique_by=str.lower)


@st.composite
def _situations(draw: st.DrawFn) -> tuple[TargetFacts, CustomerRules, LogCatalogue]:
    """A type, a catalogue that has some of its categories in some groups, and rules that touch them."""
    kind = draw(st.sampled_from(_TYPES))
    known = POLICY.types.get(kind)
    own = [*known.categories, *known.refused] if known else []
    names = draw(st.lists(st.sampled_from([*own, "Other", "Chatter"]), max_size=8, unique_by=str.lower))
    groups = st.frozensets(st.sampled_from(["audit", "allLogs"]))
    catalogue = LogCatalogue({name: draw(groups) for name in names})
    wanted = draw(
        st.none()
        | st.sampled_from(["audit", "allLogs", "none"])
        | st.lists(st.sampled_from([*own, "Other"]), min_size=1, max_size=3, unique_by=str.lower)
    )
    rules = CustomerRules.model_validate(
        {
            "categories": {} if wanted is None else {kind: wanted},
            "accepted_costs": draw(
                st.lists(st.sampled_from([*own, "Other", *(f"{kind}:{name}" for name in own)]), max_size=3)
            ),
            "excluded_types": draw(st.sampled_from([[], [], [kind]])),
        }
    )
    return facts(_id_of(kind)), rules, catalogue


@given(_situations())
def test_a_selection_is_some_of_what_azure_offers_and_never_group_and_categories(
    situation: tuple[TargetFacts, CustomerRules, LogCatalogue],
) -> None:
    target, rules, catalogue = situation
    selection = POLICY.selection(target, rules, catalogue)
    if isinstance(selection, Verdict):
        assert selection.detail
        return
    assert bool(selection.categories) != bool(selection.groups)
    assert selection.categories <= catalogue.categories.keys()
    assert selection.groups <= {group for each in catalogue.categories.values() for group in each}


@given(_situations())
def test_nothing_refused_is_ever_sent_unless_its_cost_is_accepted(
    situation: tuple[TargetFacts, CustomerRules, LogCatalogue],
) -> None:
    target, rules, catalogue = situation
    selection = POLICY.selection(target, rules, catalogue)
    if isinstance(selection, Verdict):
        return
    known = POLICY.types.get(target.id.type)
    refused = {name.lower() for name in known.refused} if known else set()
    accepted = {cost.rpartition(":")[2].lower() for cost in rules.accepted_costs}
    assert not catalogue.sent_by(selection.categories, selection.groups) & (refused - accepted)


@given(_situations())
def test_what_is_sent_is_what_is_decided_category_by_category(
    situation: tuple[TargetFacts, CustomerRules, LogCatalogue],
) -> None:
    target, rules, catalogue = situation
    selection = POLICY.selection(target, rules, catalogue)
    decided = POLICY.decisions(target.id.type, rules, catalogue)
    assert decided.keys() == catalogue.categories.keys()
    assert all(each.reason for each in decided.values())
    wanted = {name.lower() for name, each in decided.items() if each.decision is Decision.WANTED}
    sent = (
        set() if isinstance(selection, Verdict) else catalogue.sent_by(selection.categories, selection.groups)
    )
    assert sent == wanted


@given(_situations(), st.randoms(use_true_random=False))
def test_no_decision_regards_case(
    situation: tuple[TargetFacts, CustomerRules, LogCatalogue], chance: random.Random
) -> None:
    target, rules, catalogue = situation

    def respelled(text: str) -> str:
        return "".join(chance.choice((letter.lower(), letter.upper())) for letter in text)

    other_rules = CustomerRules.model_validate(
        {
            "categories": {
                respelled(kind): respelled(wanted)
                if isinstance(wanted, str)
                else list(map(respelled, wanted))
                for kind, wanted in rules.categories.items()
            },
            "accepted_costs": list(map(respelled, rules.accepted_costs)),
            "excluded_types": list(map(respelled, rules.excluded_types)),
        }
    )
    other = POLICY.selection(facts(respelled(target.id.text)), other_rules, catalogue)
    first = POLICY.selection(target, rules, catalogue)
    if isinstance(first, Selection) or isinstance(other, Selection):
        assert other == first
    else:
        assert other.reason is first.reason


@given(_SOME, _SOME)
def test_the_digest_is_one_for_each_set_of_rules(accepted: list[str], others: list[str]) -> None:
    first = CustomerRules(accepted_costs=tuple(accepted))
    second = CustomerRules(accepted_costs=tuple(others))
    assert (POLICY.digest(first) == POLICY.digest(second)) == (first == second)


def test_the_digest_changes_with_each_kind_of_rule_and_with_the_policy() -> None:
    digests = [
        POLICY.digest(rules)
        for rules in (
            NO_RULES,
            CustomerRules(excluded_types=("a/b",)),
            CustomerRules(excluded_scopes=(GROUP,)),
            CustomerRules(excluded_tags={"a": None}),
            CustomerRules(excluded_tags={"a": "b"}),
            CustomerRules(categories={"a/b": "none"}),
            CustomerRules(accepted_costs=("a",)),
        )
    ]
    digests += [
        CategoryPolicy.of(_policy_file({"a/b": {"refused": {"C": reason}}})).digest(NO_RULES)
        for reason in ("one", "two")
    ]
    assert len(set(digests)) == len(digests)
    assert CategoryPolicy.load().digest(NO_RULES) == POLICY.digest(NO_RULES)


# --- the file ---------------------------------------------------------------------------------------------

_HEAD = """\
unlisted: audit
subscription: {categories: [Administrative]}
entra_tables: {wanted: [AuditLogs]}
types:
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("types: [", "line 1"),
        ("", "the file"),
        (_HEAD + "  a/b: {group: audit}\n  a/b: {group: audit}\n", "a/b: said twice"),
        (_HEAD + "  a/b: {group: audit}\n  A/B: {group: audit}\n", "said twice: a/b"),
        (_HEAD + "  a/b: {group: audit, group: allLogs}\n", "group: said twice"),
        (_HEAD + "  a/b: {categories: [C, c]}\n", "types > a/b: Value error, categories and refused"),
        (_HEAD + "  a/b: {categories: [C], refused: {c: dear}}\n", "said twice: c"),
        (_HEAD + "  a/b: {categories: [C], free: [C], billed: [c]}\n", "free and billed: said twice: c"),
        (_HEAD + "  a/b: {categories: [C], group: audit}\n", "categories and group together"),
        (_HEAD + "  a/b: {no_logs: none, refused: {C: dear}}\n", "no_logs and refused together"),
        (_HEAD + "  a/b: {free: [C]}\n", "types > a/b: Value error, says nothing"),
        (_HEAD + "  a/b: {categories: [C], because: x}\n", "types > a/b > because"),
        (_HEAD + "  a/b: {group: most}\n", "types > a/b > group"),
        (_HEAD + "  a/b: {categories: [no]}\n", "types > a/b > categories > 0"),
        (_HEAD + "  a/b: {no_logs: x, children: [blobServices]}\n", "'blobServices' is no path"),
        (_HEAD + "  Microsoft.Resources/subscriptions: {group: audit}\n", "types and subscription"),
        (_HEAD.replace("audit", "allLogs") + "  a/b: {group: audit}\n", "unlisted"),
        (_HEAD.replace("[Administrative]", "[]") + "  a/b: {group: audit}\n", "subscription > categories"),
    ],
)
def test_a_policy_that_can_not_be_used_says_file_key_and_problem(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(CategoryPolicyError) as error:
        CategoryPolicy.load(path)
    assert str(path) in str(error.value)
    assert said in str(error.value)


def test_a_policy_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(CategoryPolicyError, match=r"no\.yaml"):
        CategoryPolicy.load(tmp_path / "no.yaml")


def test_whether_an_export_is_billed_is_yes_no_or_unknown() -> None:
    blobs = "MICROSOFT.storage/storageAccounts/blobServices"
    assert POLICY.billed(blobs, "STORAGEread") is True
    assert POLICY.billed("microsoft.keyvault/vaults", "auditEVENT") is False
    assert POLICY.billed("microsoft.keyvault/vaults", "Other") is None
    assert POLICY.billed("contoso.things/widgets", "AuditEvent") is None


# --- Microsoft's table ------------------------------------------------------------------------------------

_NEWER = {
    (
        "microsoft.web/sites",
        "appserviceauthenticationlogs",
    ): "learn.microsoft.com/azure/azure-monitor/reference/tables",
    ("microsoft.web/sites/slots", "appserviceauthenticationlogs"): "as for sites",
    (
        "microsoft.cognitiveservices/accounts",
        "azureopenairequestusage",
    ): "its page under .../reference/supported-logs",
}
"""Categories the table of 2023-01-10 does not have yet, and where they are from."""

_NOT_IN_TABLE = {"microsoft.containerinstance/containergroups", "microsoft.web/serverfarms"}
"""Types that got their logs later; the policy names no category of them."""


@pytest.fixture(scope="module")
def microsofts_table() -> list[dict[str, str]]:
    folder = shared_folder()
    if folder is None:
        pytest.skip(ABSENT)
    with (folder / "azure-specs" / "resource-log-categories.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_category_named_is_one_azure_has_and_is_billed_as_azure_says(
    microsofts_table: list[dict[str, str]],
) -> None:
    costs = {
        (row["resource_type"].lower(), row["category"].lower()): row["costs_to_export"] == "yes"
        for row in microsofts_table
        if row["category"]
    }
    named = {
        (kind, name.lower())
        for kind, wanted in POLICY.types.items()
        if kind != "microsoft.resources/subscriptions"
        for name in (*wanted.categories, *wanted.refused, *wanted.free, *wanted.billed)
    }
    assert named - costs.keys() == _NEWER.keys()
    wrong = {
        each: POLICY.billed(*each) for each in named & costs.keys() if POLICY.billed(*each) != costs[each]
    }
    assert not wrong


def test_a_type_said_to_have_no_logs_has_none_in_azures_table(
    microsofts_table: list[dict[str, str]],
) -> None:
    logging = {row["resource_type"].lower() for row in microsofts_table}
    assert not {kind for kind, wanted in POLICY.types.items() if wanted.no_logs} & logging
    silent = {kind for kind, wanted in POLICY.types.items() if wanted.not_wanted}
    assert silent - logging <= _NOT_IN_TABLE


def test_a_group_is_only_wanted_of_types_that_have_it(microsofts_table: list[dict[str, str]]) -> None:
    with_audit = {
        row["resource_type"].lower()
        for row in microsofts_table
        if row["in_builtin_audit_initiative"] == "yes"
    }
    assert {kind for kind, wanted in POLICY.types.items() if wanted.group} <= with_audit


def test_children_are_named_with_what_is_wanted_of_them() -> None:
    for kind, wanted in POLICY.types.items():
        for path in wanted.children:
            nested = f"{kind}/{path.partition('/')[0]}".lower()
            assert nested in POLICY.types


def test_the_policy_lies_in_the_package() -> None:
    assert PACKAGED_POLICY.is_file()
