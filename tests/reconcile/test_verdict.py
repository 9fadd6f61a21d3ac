"""What verdicts promise: every reason puts a target in exactly one place."""

from azmdr.reconcile import verdict
from azmdr.reconcile.verdict import Reason, Standing, Verdict


def test_every_reason_has_exactly_one_standing() -> None:
    listed = [reason for reasons in verdict._BY_STANDING.values() for reason in reasons]  # noqa: SLF001
    assert sorted(listed) == sorted(Reason)
    assert {Verdict(reason).standing for reason in Reason} == set(Standing)


def test_reasons_fit_their_column_in_the_store() -> None:
    assert max(len(reason) for reason in Reason) <= 32


def test_only_what_really_sends_is_covered() -> None:
    covered = {reason for reason in Reason if reason.standing is Standing.COVERED}
    assert covered == {Reason.IN_PLACE, Reason.CREATED, Reason.REPAIRED}
