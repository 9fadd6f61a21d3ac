"""The destroy guard: what stops a removal, and what an approval lets through."""

from datetime import UTC, datetime, timedelta

import pytest

from azmdr.inventory.placements import Placement, Shard, Tier
from terraform_gen.guard import Evidence, Patience, Verdict, judge, why_waiting
from terraform_gen.mapping import HubMapping, MappingDiff
from tests.terraform_gen.mappings import hubs, mapping_for

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PATIENCE = Patience(timedelta(hours=24), timedelta(hours=2))
CONTOSO = Placement("eastus", 1, "contoso")
BOTH = hubs(("eastus", 1, "contoso"), ("westeurope", 1, "fabrikam"))
WITHOUT_CONTOSO = BOTH.without([CONTOSO])
DUE = Evidence(unneeded_since=NOW - timedelta(days=2))


def judged(diff: MappingDiff, evidence: dict[Placement, Evidence], approved: tuple[str, ...] = ()) -> Verdict:
    return judge(diff, evidence, most=2, approved=approved, now=NOW, patience=PATIENCE)


REMOVAL = MappingDiff.between(BOTH, WITHOUT_CONTOSO)


def test_a_removal_with_all_evidence_is_allowed() -> None:
    assert judged(REMOVAL, {CONTOSO: DUE}).allowed


def test_an_addition_needs_no_evidence() -> None:
    assert judged(MappingDiff.between(HubMapping(), BOTH), {}).allowed


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (None, "knows nothing of it"),
        (Evidence(), "is needed"),
        (Evidence(NOW - timedelta(hours=23)), "held down until 2026-11-24 13:00 UTC"),
        (Evidence(NOW - timedelta(days=2), last_arrival=NOW - timedelta(hours=1)), "silent until"),
        (Evidence(NOW - timedelta(days=2), gaps=("the last listing broke off",)), "broke off"),
    ],
)
def test_a_removal_without_evidence_is_refused_and_the_hub_named(
    evidence: Evidence | None, said: str
) -> None:
    verdict = judged(REMOVAL, {} if evidence is None else {CONTOSO: evidence})
    assert not verdict.allowed
    assert list(verdict.refusals) == ["contoso in eastus, shard 01"]
    assert said in verdict.refusals["contoso in eastus, shard 01"][0]
    assert "contoso in eastus, shard 01" in verdict.markdown()


def test_the_time_has_come_exactly_at_its_end() -> None:
    since = NOW - PATIENCE.hold_down
    assert why_waiting(Evidence(since, last_arrival=NOW - PATIENCE.silence), NOW, PATIENCE) is None
    assert why_waiting(Evidence(since + timedelta(seconds=1)), NOW, PATIENCE) is not None


def test_too_many_removals_are_refused_and_each_hub_is_named() -> None:
    before = mapping_for((f"c{number}", "eastus") for number in range(4))
    diff = MappingDiff.between(before, before.without(before.placements[:3]))
    verdict = judged(diff, dict.fromkeys(before.placements, DUE))
    assert len(verdict.refusals) == 3
    assert all("one of 3" in reasons[0] for reasons in verdict.refusals.values())


def test_an_approval_lets_through_this_removal_and_no_other() -> None:
    verdict = judged(REMOVAL, {})
    assert judged(REMOVAL, {}, (verdict.digest,)).approved
    other = MappingDiff.between(BOTH, HubMapping())
    assert not judged(other, {}, (verdict.digest,)).allowed


def test_what_is_added_meanwhile_does_not_take_an_approval_away() -> None:
    more = HubMapping.of(
        [Shard("eastus", 1), *BOTH.shards], [*WITHOUT_CONTOSO.placements, Placement("eastus", 1, "new")]
    )
    assert MappingDiff.between(BOTH, more).digest == REMOVAL.digest


MOVED = hubs(("eastus", 2, "contoso"), ("westeurope", 1, "fabrikam"))
SMALLER = HubMapping.of(
    BOTH.shards, [Placement("eastus", 1, "contoso", 2), Placement("westeurope", 1, "fabrikam")]
)
LARGER = HubMapping.of(
    BOTH.shards, [Placement("eastus", 1, "contoso", 8), Placement("westeurope", 1, "fabrikam")]
)
OTHER_TIER = HubMapping.of([Shard("eastus", 1, Tier.PREMIUM), Shard("westeurope", 1)], BOTH.placements)


@pytest.mark.parametrize("after", [MOVED, SMALLER, LARGER, OTHER_TIER])
def test_what_would_make_terraform_replace_a_hub_is_never_let_through(after: HubMapping) -> None:
    diff = MappingDiff.between(BOTH, after)
    verdict = judged(diff, {CONTOSO: DUE}, (diff.digest,))
    assert verdict.final
    assert list(verdict.refusals) == ["contoso in eastus, shard 01"]


def test_a_premium_hub_may_grow_where_it_is() -> None:
    shard = Shard("eastus", 1, Tier.PREMIUM)
    before = HubMapping.of([shard], [CONTOSO])
    diff = MappingDiff.between(before, HubMapping.of([shard], [Placement("eastus", 1, "contoso", 8)]))
    assert judged(diff, {}).allowed
    assert [each.after.partitions for each in diff.grown] == [8]


def test_not_even_a_premium_hub_may_shrink() -> None:
    shard = Shard("eastus", 1, Tier.PREMIUM)
    before = HubMapping.of([shard], [Placement("eastus", 1, "contoso", 8)])
    diff = MappingDiff.between(before, HubMapping.of([shard], [CONTOSO]))
    assert judged(diff, {}).refusals == {
        "contoso in eastus, shard 01": ["its partitions can't shrink from 8 to 4"]
    }


def test_what_azure_said_can_not_break_out_of_the_table() -> None:
    evidence = Evidence(NOW - timedelta(days=2), gaps=("a|b\n| c | <script> `x`",))
    assert judged(REMOVAL, {CONTOSO: evidence}).markdown().count("\n") == 3
