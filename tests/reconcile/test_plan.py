"""What a plan promises: one verdict a target, nothing foreign touched, nothing left to do once it is done."""

from collections.abc import Sequence

import pytest
from hypothesis import given

from azmdr.reconcile.diagnostic_setting import LIMIT, DiagnosticSetting
from azmdr.reconcile.log_catalogue import LogCatalogue
from azmdr.reconcile.plan import Plan, Remove, Write, plan_setting
from azmdr.reconcile.verdict import Reason, Standing, Verdict
from tests.reconcile.settings import (
    CATALOGUE,
    OTHER_RULE,
    OURS,
    RULE,
    found_settings,
    of_categories,
    setting,
    verdicts,
    wanted_settings,
)

EXCLUDED = Verdict(Reason.EXCLUDED_TAG, "tag env=test")


def plan(
    wanted: DiagnosticSetting | Verdict,
    found: Sequence[DiagnosticSetting],
    catalogue: LogCatalogue = CATALOGUE,
) -> Plan[DiagnosticSetting]:
    return plan_setting(wanted, found, OURS, catalogue)


def foreign(number: int) -> list[DiagnosticSetting]:
    """So many settings of others, which send to their own namespace."""
    return [setting(f"their-{index}", rule_id=OTHER_RULE) for index in range(number)]


def done(
    action: Write[DiagnosticSetting] | Remove | None, found: Sequence[DiagnosticSetting]
) -> list[DiagnosticSetting]:
    """The settings as Azure has them once an action is done."""
    match action:
        case Write(thing):
            return [each for each in found if each.name.lower() != thing.name.lower()] + [thing]
        case Remove(name):
            return [each for each in found if each.name.lower() != name.lower()]
        case None:
            return list(found)


def test_what_is_as_it_should_be_is_left_alone() -> None:
    assert plan(setting(), [setting(), *foreign(2)]) == Plan(Verdict(Reason.IN_PLACE), ours=True)


def test_what_is_not_there_is_created() -> None:
    assert plan(setting(), foreign(2)) == Plan(Verdict(Reason.CREATED), Write(setting()))
    assert str(Write(setting())) == Write(setting()).verb == "create"


def test_what_has_drifted_is_replaced_as_a_whole() -> None:
    planned = plan(setting(), [setting(hub="fabrikam")])
    assert planned.verdict == Verdict(Reason.REPAIRED, "event hub fabrikam")
    assert planned.action == Write(setting(), ("event hub fabrikam",))
    assert planned.ours
    assert (str(planned.action), planned.action.verb) == ("repair: event hub fabrikam", "repair")


def test_what_should_not_be_there_is_removed_by_the_name_azure_gives_it() -> None:
    assert plan(EXCLUDED, [setting("AzMdr"), *foreign(2)]) == Plan(EXCLUDED, Remove("AzMdr"), ours=True)
    assert (str(Remove("azmdr")), Remove("azmdr").verb) == ("remove azmdr", "remove")


def test_what_should_not_be_there_and_is_not_needs_nothing() -> None:
    assert plan(EXCLUDED, foreign(5)) == Plan(EXCLUDED)


def test_a_full_target_is_a_verdict_that_names_the_settings() -> None:
    planned = plan(setting(), foreign(LIMIT))
    assert planned.action is None
    assert planned.verdict == Verdict(
        Reason.SETTING_LIMIT, "there are 5 settings already: their-0, their-1, their-2, their-3, their-4"
    )
    assert plan(setting(), foreign(LIMIT - 1)).verdict.reason is Reason.CREATED


def test_our_own_broken_setting_on_a_full_target_is_repaired() -> None:
    planned = plan(setting(), [*foreign(LIMIT - 1), setting(hub=None)])
    assert planned.verdict.reason is Reason.REPAIRED
    assert isinstance(planned.action, Write)


@pytest.mark.parametrize(
    "theirs",
    [
        setting("theirs", rule_id=RULE.upper(), hub="theirs"),
        setting("theirs", groups=frozenset({"allLogs"})),
        of_categories("LOGIN", name="theirs"),
    ],
)
def test_a_foreign_setting_with_our_sink_and_one_of_our_categories_stands_in_the_way(
    theirs: DiagnosticSetting,
) -> None:
    for found in ([theirs], [theirs, setting(hub="drifted")]):
        planned = plan(setting(), found)
        assert planned.action is None
        assert planned.verdict.reason is Reason.SINK_IN_USE
        assert planned.verdict.detail.startswith("setting theirs sends ")


def test_a_conflict_names_the_categories_both_would_send() -> None:
    planned = plan(of_categories("Audit", "Trace"), [setting("theirs", groups=frozenset({"allLogs"}))])
    assert planned.verdict.detail == "setting theirs sends audit, trace to the same namespace"


def test_groups_are_written_out_by_the_catalogue_of_the_target() -> None:
    theirs = of_categories("Trace", name="theirs")
    assert plan(setting(), [theirs]).verdict.reason is Reason.CREATED
    wider = LogCatalogue({**CATALOGUE.categories, "Trace": frozenset({"Audit"})})
    assert plan(setting(), [theirs], wider).verdict.reason is Reason.SINK_IN_USE


@pytest.mark.parametrize(
    "theirs",
    [
        setting("theirs", rule_id=OTHER_RULE),
        setting("theirs", rule_id=None, extras=frozenset({"also sends to /w"})),
        of_categories("Trace", name="theirs"),
        setting("theirs", groups=frozenset()),
    ],
)
def test_a_foreign_setting_with_another_sink_or_other_categories_is_nobodys_business(
    theirs: DiagnosticSetting,
) -> None:
    assert plan(setting(), [theirs]).verdict.reason is Reason.CREATED


@given(wanted_settings | verdicts, found_settings)
def test_whatever_is_found_there_is_one_verdict_and_only_ours_is_touched(
    wanted: DiagnosticSetting | Verdict, found: list[DiagnosticSetting]
) -> None:
    planned = plan(wanted, found)
    assert planned.ours == any(each.is_named(OURS) for each in found)
    match planned.action:
        case Write(thing):
            assert thing == wanted
            assert thing.is_named(OURS)
            assert planned.verdict.standing is Standing.COVERED
        case Remove(name):
            assert name.lower() == OURS
            assert planned.verdict == wanted
    theirs = [each for each in found if not each.is_named(OURS)]
    assert [each for each in done(planned.action, found) if not each.is_named(OURS)] == theirs


@given(wanted_settings | verdicts, found_settings)
def test_once_a_plan_is_done_nothing_is_left_to_do(
    wanted: DiagnosticSetting | Verdict, found: list[DiagnosticSetting]
) -> None:
    planned = plan(wanted, found)
    again = plan(wanted, done(planned.action, found))
    assert again.action is None
    if isinstance(planned.action, Write):
        assert again.verdict == Verdict(Reason.IN_PLACE)
    else:
        assert again.verdict == planned.verdict


@given(wanted_settings, found_settings)
def test_a_plan_never_brings_a_target_above_the_limit_or_two_settings_to_one_sink(
    wanted: DiagnosticSetting, found: list[DiagnosticSetting]
) -> None:
    planned = plan(wanted, found)
    if planned.action is None:
        return
    after = done(planned.action, found)
    assert len(after) <= max(LIMIT, len(found))
    ours = next(each for each in after if each.is_named(OURS))
    sent = CATALOGUE.sent_by(ours.categories, ours.groups)
    for other in after:
        if other is not ours and other.sends_with(ours.rule_id):
            assert not sent & CATALOGUE.sent_by(other.categories, other.groups)
