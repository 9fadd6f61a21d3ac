"""What commits and pull requests say, whatever customers are called."""

import re

from hypothesis import given
from hypothesis import strategies as st

from terraform_gen.hub_changes import MOST_ROWS, HubChange, commit_body, commit_title, shown

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
        st.sampled_from(["added", "removed"]),
    ),
    max_size=20,
)


def test_the_title_counts() -> None:
    assert commit_title(CHANGES) == "Add 2 event hubs and remove 1 event hub in 2 regions"
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
