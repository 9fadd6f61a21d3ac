"""The step event_hub_mapping on a real store: what is needed, what stays, what is removed and approved."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from azmdr.config import Settings
from azmdr.inventory.customers import CustomerState
from azmdr.store.database import Store
from azmdr.store.placements import UnknownRemovalError, all_placements, approve_removal, refused_removals
from terraform_gen.event_hub_mapping import (
    MappingReport,
    MappingSettings,
    Proposal,
    note_committed,
    planned_text,
    propose,
    update_placements,
)
from terraform_gen.mapping import HubMapping
from terraform_gen.mapping_file import MappingFileError, read, written
from terraform_gen.repository_files import starter_files
from tests.store.ledger_files import found as capture_file
from tests.store.ledger_files import record
from tests.terraform_gen.inventories import (
    DAY,
    NOW,
    SETTINGS,
    add,
    becomes,
    found,
    gone,
    listed,
    resource_id,
    standing,
    workspace_id,
)
from tests.terraform_gen.mappings import INGEST, hubs


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = Store.open(store_url)
    yield opened
    opened.close()


def places(report: MappingReport) -> set[tuple[str, str]]:
    return {each.need for each in report.mapping.placements}


def committed(store: Store, before: str | None, at: datetime) -> tuple[str, Proposal]:
    """A round: place, propose, commit."""
    update_placements(store, SETTINGS, at, before)
    proposal = propose(store, SETTINGS, at, before)
    note_committed(store, proposal, at)
    return proposal.text, proposal


def test_every_region_that_needs_a_hub_has_one(store: Store) -> None:
    add(store, "contoso", home="uksouth", workspace=workspace_id("contoso", "w"))
    found(store, "contoso", (resource_id("contoso", "a"), "eastus"), (resource_id("contoso", "b"), "global"))
    found(store, "contoso", (workspace_id("contoso", "w"), "northeurope"), logs=False)
    report = update_placements(store, SETTINGS, NOW)
    assert places(report) == {("contoso", region) for region in ("eastus", "uksouth", "northeurope")}
    assert report.gaps == {}


def test_a_region_azure_does_not_have_is_told_and_gets_nothing(store: Store) -> None:
    add(store, "contoso")
    found(
        store, "contoso", (resource_id("contoso", "a"), "${evil}"), (resource_id("contoso", "b"), "East US 2")
    )
    report = update_placements(store, SETTINGS, NOW)
    assert report.unknown_regions == {"contoso": {"${evil}"}}
    assert places(report) == {("contoso", "eastus"), ("contoso", "eastus2")}


def test_twice_is_as_good_as_once(store: Store) -> None:
    for number in range(12):
        add(store, f"c{number:02d}")
    first, _ = committed(store, None, NOW)
    second, proposal = committed(store, first, NOW)
    assert first == second
    assert not proposal.diff


def test_hubs_that_stand_are_adopted_at_the_first_run(store: Store) -> None:
    add(store, "contoso")
    add(store, "fabrikam")
    standing(store, "azure-log-ingest-eastus-04", "contoso", "eastus", "Premium")
    standing(store, "by-hand", "fabrikam", "eastus")
    report = update_placements(store, SETTINGS, NOW)
    assert report.mapping.placements[0].shard == 4
    assert report.mapping.shards[0].tier == "Premium"
    assert report.elsewhere == {("fabrikam", "eastus"): "by-hand"}


def test_a_lost_store_gives_no_hub_another_place(store: Store) -> None:
    add(store, "contoso")
    text = written(hubs(("eastus", 5, "contoso"), ("westeurope", 1, "other")), INGEST)
    after, proposal = committed(store, text, NOW)
    assert after == text
    assert proposal.verdict.allowed


def test_what_the_store_knows_nothing_of_is_not_removed(store: Store) -> None:
    """The commit runs though placing did not see the file: the guard stands on its own."""
    add(store, "contoso")
    text = written(hubs(("eastus", 1, "contoso"), ("westeurope", 1, "other")), INGEST)
    update_placements(store, SETTINGS, NOW)
    proposal = propose(store, SETTINGS, NOW, text)
    assert proposal.verdict.refusals == {"other in westeurope, shard 01": ["the store knows nothing of it"]}
    assert proposal.text == text


def test_a_placement_that_would_move_stops_the_whole_commit(store: Store) -> None:
    add(store, "contoso")
    add(store, "new")
    text = written(hubs(("eastus", 2, "contoso")), INGEST)
    update_placements(store, SETTINGS, NOW)
    proposal = propose(store, SETTINGS, NOW, text)
    assert proposal.verdict.final
    assert proposal.text == text


def with_two_regions(store: Store) -> str:
    add(store, "contoso")
    found(store, "contoso", (resource_id("contoso", "a"), "westeurope"))
    text, _ = committed(store, None, NOW)
    gone(store, "contoso", resource_id("contoso", "a"))
    update_placements(store, SETTINGS, NOW, text)
    return text


def test_a_hub_nothing_needs_stays_for_the_hold_down_and_is_then_removed(store: Store) -> None:
    text = with_two_regions(store)
    early = propose(store, SETTINGS, NOW + DAY - timedelta(seconds=1), text)
    assert (early.text, list(early.waiting)) == (text, ["contoso in westeurope, shard 01"])
    late = propose(store, SETTINGS, NOW + DAY, text)
    assert late.verdict.allowed
    assert [each.need for each in late.diff.removed] == [("contoso", "westeurope")]
    note_committed(store, late, NOW + DAY)
    assert places(update_placements(store, SETTINGS, NOW + DAY, late.text)) == {("contoso", "eastus")}


def test_a_file_read_before_a_removal_does_not_bring_the_hub_back(store: Store) -> None:
    text = with_two_regions(store)
    note_committed(store, propose(store, SETTINGS, NOW + DAY, text), NOW + DAY)
    assert places(update_placements(store, SETTINGS, NOW + DAY, text)) == {("contoso", "eastus")}


def test_where_a_hub_would_be_replaced_new_places_are_kept(store: Store) -> None:
    add(store, "contoso")
    moved = written(hubs(("eastus", 2, "contoso")), INGEST)
    update_placements(store, SETTINGS, NOW, written(hubs(("eastus", 1, "contoso")), INGEST))
    add(store, "fabrikam")
    update_placements(store, SETTINGS, NOW)
    doubtful = propose(store, SETTINGS, NOW, moved)
    assert doubtful.verdict.final
    note_committed(store, doubtful, NOW)
    assert ("fabrikam", "eastus") in places(update_placements(store, SETTINGS, NOW))


def test_a_removal_a_person_merged_later_is_forgotten_when_the_branch_has_it(store: Store) -> None:
    merged = propose(store, SETTINGS, NOW + DAY, with_two_regions(store)).text
    assert ("contoso", "westeurope") in places(update_placements(store, SETTINGS, NOW + 2 * DAY, merged))
    after = propose(store, SETTINGS, NOW + 2 * DAY, merged)
    assert (after.text, bool(after.diff)) == (merged, False)
    note_committed(store, after, NOW + 2 * DAY)
    assert places(update_placements(store, SETTINGS, NOW + 2 * DAY, merged)) == {("contoso", "eastus")}


def test_a_hub_needed_again_starts_anew(store: Store) -> None:
    text = with_two_regions(store)
    found(store, "contoso", (resource_id("contoso", "a"), "westeurope"))
    update_placements(store, SETTINGS, NOW + DAY / 2, text)
    gone(store, "contoso", resource_id("contoso", "a"))
    update_placements(store, SETTINGS, NOW + DAY / 2, text)
    assert not propose(store, SETTINGS, NOW + DAY, text).diff
    assert propose(store, SETTINGS, NOW + DAY * 1.5, text).diff.removed


def test_a_hub_from_which_something_arrives_stays(store: Store) -> None:
    text = with_two_regions(store)
    record(store, [capture_file(namespace="azure-log-ingest-westeurope-01", window=NOW + DAY)])
    assert "something arrived" in next(iter(propose(store, SETTINGS, NOW + DAY, text).waiting.values()))
    assert propose(store, SETTINGS, NOW + DAY + timedelta(hours=2, seconds=5), text).diff.removed


def test_nothing_is_removed_while_the_inventory_is_not_whole(store: Store) -> None:
    text = with_two_regions(store)
    listed(store, "contoso", problem="403 AuthorizationFailed")
    proposal = propose(store, SETTINGS, NOW + DAY, text)
    reasons = proposal.verdict.refusals["contoso in westeurope, shard 01"]
    assert "403 AuthorizationFailed" in reasons[0]
    assert proposal.text == text


def test_a_refused_removal_does_not_keep_others_from_being_added(store: Store) -> None:
    text = with_two_regions(store)
    listed(store, "contoso", problem="broke off")
    add(store, "new")
    update_placements(store, SETTINGS, NOW + DAY, text)
    proposal = propose(store, SETTINGS, NOW + DAY, text)
    assert not proposal.verdict.allowed
    assert [each.customer for each in proposal.diff.added] == ["new"]
    assert proposal.diff.removed == ()
    assert read(proposal.text).mapping == proposal.mapping


def test_an_entra_workspace_no_listing_has_shown_makes_the_inventory_incomplete(store: Store) -> None:
    add(store, "contoso", workspace=workspace_id("contoso", "w"))
    assert "Entra ID workspace" in update_placements(store, SETTINGS, NOW).gaps["contoso"][0]


def test_a_customer_that_leaves_keeps_its_hubs_until_it_is_gone(store: Store) -> None:
    text = with_two_regions(store)
    becomes(store, "contoso", CustomerState.LEAVING)
    update_placements(store, SETTINGS, NOW, text)
    assert not propose(store, SETTINGS, NOW + 9 * DAY, text).diff
    becomes(store, "contoso", CustomerState.GONE)
    update_placements(store, SETTINGS, NOW + 9 * DAY, text)
    assert not propose(store, SETTINGS, NOW + 9 * DAY, text).diff
    assert len(propose(store, SETTINGS, NOW + 10 * DAY, text).diff.removed) == 2


def all_gone(store: Store) -> str:
    for number in range(5):
        add(store, f"c{number}")
    text, _ = committed(store, None, NOW)
    for number in range(5):
        becomes(store, f"c{number}", CustomerState.GONE)
    update_placements(store, SETTINGS, NOW, text)
    return text


def test_removals_past_the_threshold_wait_for_an_approval_which_holds_once(store: Store) -> None:
    text = all_gone(store)
    refused = propose(store, SETTINGS, NOW + DAY, text)
    assert len(refused.verdict.refusals) == 5
    assert refused.text == text
    with store.write() as connection:
        (waiting,) = refused_removals(connection, NOW)
        assert sorted(waiting.hubs) == [f"c{number} in eastus, shard 01" for number in range(5)]
        approve_removal(connection, waiting.digest, NOW + DAY)
    allowed = propose(store, SETTINGS, NOW + DAY, text)
    assert allowed.verdict.approved
    assert len(allowed.diff.removed) == 5
    note_committed(store, allowed, NOW + DAY)
    with store.read() as connection:
        assert all_placements(connection) == []
        assert refused_removals(connection, NOW) == []
    assert not propose(store, SETTINGS, NOW + DAY, text).verdict.allowed


def test_an_approval_is_used_up_though_the_run_ended_right_after_its_commit(store: Store) -> None:
    text = all_gone(store)
    digest = propose(store, SETTINGS, NOW + DAY, text).verdict.digest
    with store.write() as connection:
        approve_removal(connection, digest, NOW + DAY)
    on_the_branch = propose(store, SETTINGS, NOW + DAY, text).text
    note_committed(store, propose(store, SETTINGS, NOW + DAY, on_the_branch), NOW + DAY)
    assert not propose(store, SETTINGS, NOW + DAY, text).verdict.allowed


def test_an_approval_is_not_used_up_by_a_commit_that_leaves_its_hubs(store: Store) -> None:
    text = all_gone(store)
    refused = propose(store, SETTINGS, NOW + DAY, text)
    with store.write() as connection:
        approve_removal(connection, refused.verdict.digest, NOW + DAY)
    note_committed(store, refused, NOW + DAY)
    assert propose(store, SETTINGS, NOW + DAY, text).verdict.approved


def test_an_approval_runs_out(store: Store) -> None:
    text = all_gone(store)
    digest = propose(store, SETTINGS, NOW + DAY, text).verdict.digest
    with store.write() as connection:
        approve_removal(connection, digest, NOW + DAY)
    assert propose(store, SETTINGS, NOW + 2 * DAY, text).verdict.approved
    assert not propose(store, SETTINGS, NOW + 2 * DAY + timedelta(seconds=1), text).verdict.allowed


def test_a_digest_nobody_refused_can_not_be_approved(store: Store) -> None:
    with store.write() as connection, pytest.raises(UnknownRemovalError, match="azmdr terraform refused"):
        approve_removal(connection, "0" * 16, NOW)


def test_a_file_changed_by_hand_is_not_written_over(store: Store) -> None:
    add(store, "contoso")
    text, _ = committed(store, None, NOW)
    for step in (update_placements, propose):
        with pytest.raises(MappingFileError, match="changed by hand"):
            step(store, SETTINGS, NOW, text + "# mine\n")


def test_partitions_of_a_hub_in_standard_stay_and_it_is_told_that_they_are_too_few(store: Store) -> None:
    add(store, "contoso")
    update_placements(store, SETTINGS, NOW)
    record(store, [capture_file(namespace="azure-log-ingest-eastus-01", size=300 * 2**30)])
    report = update_placements(store, SETTINGS, NOW)
    assert [each.partitions for each in report.mapping.placements] == [4]
    assert list(report.outgrown.values()) == [16]
    found(store, "contoso", (resource_id("contoso", "a"), "uksouth"))
    assert [each.partitions for each in update_placements(store, SETTINGS, NOW).given] == [16]


def test_showing_the_file_changes_nothing(store: Store) -> None:
    text = with_two_regions(store)
    assert planned_text(store, SETTINGS, NOW) == text
    assert '"westeurope"' not in planned_text(store, SETTINGS, NOW + DAY)
    with store.read() as connection:
        assert len(all_placements(connection)) == 2


def test_the_settings_of_a_deployment_make_those_of_the_mapping() -> None:
    settings = MappingSettings.of(
        Settings(namespace_prefix="x-logs", event_hub_tier="Premium", premium_units=2)
    )
    assert settings.ingest.names.prefix == "x-logs"
    assert (settings.new_shards.tier, settings.new_shards.units) == ("Premium", 2)


def test_the_files_by_hand_come_with_the_package() -> None:
    files = starter_files(INGEST)
    assert "main.tf" in files
    assert "modules/event_hubs/main.tf" in files
    assert "modules/event_hubs/tests/event_hubs.tftest.hcl" in files
    assert read(files["event_hub_mapping.tf"]).mapping == HubMapping()
