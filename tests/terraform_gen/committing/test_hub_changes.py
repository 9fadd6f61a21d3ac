"""What commits and pull requests say, whatever customers are called."""

import re

from hypothesis import given
from hypothesis import strategies as st

from azmdr.inventory.placements import NamespaceNames, Placement, Shard, Tier
from terraform_gen.hub_changes import MOST_ROWS, HubChange, changes_of, commit_body, commit_title, shown
from terraform_gen.mapping import HubMapping, MappingDiff

CHANGES = [
    HubChange("westeurope", "azure-log-ingest-westeurope-01", "fabrikam", "added"),
    HubChange("eastus", "azure-log-ingest-eastus-02", "contoso", "added"),
    HubChange("eastus", "azure-log-ingest-eastus-02", "oldcorp", "removed"),
]
ANY = st.lists(
    st.builds(
        HubChange,
        st.sampled_from(["eastus", "uksouth"]) | st.text(),
        st.text(),
        st.text(),
        st.sampled_from(["added", "removed", "grown", "resized"]),
    ),
    max_size=20,
)


def test_the_title_counts() -> None:
    assert commit_title(CHANGES) == "Add 2, remove 1 event hubs in 2 regions"
    assert commit_title(CHANGES[:1]) == "Add 1 event hub in 1 region"
    assert commit_title(CHANGES[2:]) == "Remove 1 event hub in 1 region"
    assert commit_title([]) == "Update the event hub mapping"


def test_the_body_shows_sums_and_hubs() -> None:
    assert commit_body(CHANGES).splitlines()[:11] == [
        "| region | namespace | added | removed |",
        "| --- | --- | --- | --- |",
        "| `eastus` | `azure-log-ingest-eastus-02` | 1 | 1 |",
        "| `westeurope` | `azure-log-ingest-westeurope-01` | 1 | 0 |",
        "",
        "| change | region | namespace | hub |",
        "| --- | --- | --- | --- |",
        "| added | `eastus` | `azure-log-ingest-eastus-02` | `contoso` |",
        "| removed | `eastus` | `azure-log-ingest-eastus-02` | `oldcorp` |",
        "| added | `westeurope` | `azure-log-ingest-westeurope-01` | `fabrikam` |",
        "",
    ]


def test_every_difference_of_two_mappings_is_told() -> None:
    shards = [Shard("eastus", 1, Tier.PREMIUM), Shard("uksouth", 1)]
    before = HubMapping.of(shards, [Placement("eastus", 1, "contoso", 4), Placement("uksouth", 1, "gone", 4)])
    grown = Shard("eastus", 1, Tier.PREMIUM, 2)
    after = HubMapping.of([grown], [Placement("eastus", 1, "contoso", 8), Placement("eastus", 1, "new", 4)])
    diff = MappingDiff.between(before, after)
    assert list(changes_of(diff, NamespaceNames("azure-log-ingest"))) == [
        HubChange("eastus", "azure-log-ingest-eastus-01", "new", "added"),
        HubChange("uksouth", "azure-log-ingest-uksouth-01", "gone", "removed"),
        HubChange("eastus", "azure-log-ingest-eastus-01", "contoso", "grown"),
        HubChange("eastus", "azure-log-ingest-eastus-01", "", "resized"),
    ]
    assert commit_title(changes_of(diff, NamespaceNames("azure-log-ingest"))) == (
        "Add 1, remove 1, grow 1 event hubs in 2 regions"
    )


def test_names_that_would_do_something_only_show() -> None:
    assert shown("contoso-1.a_b") == "`contoso-1.a_b`"
    assert shown("a|b") == "<code>a&#124;b</code>"
    assert shown("`x`") == "<code>&#96;x&#96;</code>"
    assert shown("@org/team") == "<code>&#64;org&#47;team</code>"
    assert shown("[skip ci]") == "<code>&#91;skip&#32;ci&#93;</code>"
    assert shown("a\nb\u202ec") == "<code>a&#92;u&#123;a&#125;b&#92;u&#123;202e&#125;c</code>"
    assert shown("<img src=x>") == "<code>&#60;img&#32;src&#61;x&#62;</code>"


def test_many_hubs_are_cut_and_counted() -> None:
    many = [HubChange("eastus", "ns", f"c{number:05}", "added") for number in range(5000)]
    body = commit_body(many)
    assert f"and {5000 - MOST_ROWS} more." in body
    assert len(body) < 60_000
    assert commit_title(many) == "Add 5000 event hubs in 1 region"


@given(ANY)
def test_whatever_names_hold_the_tables_keep_their_form(changes: list[HubChange]) -> None:
    title, body = commit_title(changes), commit_body(changes)
    assert len(title) <= 72
    assert "\n" not in title
    rows = [line for line in body.splitlines() if line.startswith("|")]
    assert all(line.count("|") == 5 for line in rows)
    if changes:
        spaces = {(change.region, change.namespace) for change in changes}
        assert len(rows) == 4 + len(set(changes)) + len(spaces)
    plain = re.sub(r"<code>[A-Za-z0-9&#;…]*</code>|`[A-Za-z0-9._-]*`", "", body)
    assert not set(plain) & set("<>`@[]#")


@given(ANY)
def test_the_order_and_repetition_of_changes_say_nothing(changes: list[HubChange]) -> None:
    turned = [*reversed(changes), *changes]
    assert (commit_title(turned), commit_body(turned)) == (commit_title(changes), commit_body(changes))
