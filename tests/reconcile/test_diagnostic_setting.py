"""What comparing settings promises: every kind of drift is told, and another spelling is none."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.reconcile.diagnostic_setting import DiagnosticSetting, differences
from tests.reconcile.settings import OTHER_RULE, OURS, RULE, of_categories, setting, settings_named


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (setting(rule_id=OTHER_RULE), f"authorization rule {OTHER_RULE}"),
        (setting(rule_id=None), "authorization rule None"),
        (setting(hub="fabrikam"), "event hub fabrikam"),
        (setting(hub=None), "event hub None"),
        (setting(groups=frozenset()), "category group audit is off"),
        (setting(groups=frozenset({"audit", "allLogs"})), "category group alllogs is on"),
        (setting(categories=frozenset({"Trace"})), "category trace is on"),
        (setting(extras=frozenset({"metric AllMetrics is on"})), "metric AllMetrics is on"),
        (setting(extras=frozenset({"also sends to /w"})), "also sends to /w"),
    ],
)
def test_each_kind_of_drift_is_told(found: DiagnosticSetting, told: str) -> None:
    assert differences(setting(), found) == (told,)


def test_a_category_that_is_off_is_told() -> None:
    found = of_categories("Audit")
    assert differences(of_categories("Audit", "Login"), found) == ("category login is off",)


def test_all_drift_is_told_at_once() -> None:
    found = of_categories("Trace", rule_id=None, hub=None, extras=frozenset({"metric AllMetrics is on"}))
    assert len(differences(setting(), found)) == 5


def _respelled(one: DiagnosticSetting) -> DiagnosticSetting:
    return replace(
        one,
        name=one.name.upper(),
        rule_id=one.rule_id and one.rule_id.swapcase(),
        hub=one.hub and one.hub.upper(),
        categories=frozenset(each.upper() for each in one.categories),
        groups=frozenset(each.swapcase() for each in one.groups),
    )


@given(settings_named(st.just(OURS)).filter(lambda each: each.rule_id is not None))
def test_another_spelling_is_no_difference(one: DiagnosticSetting) -> None:
    assert differences(one, one) == ()
    assert differences(one, _respelled(one)) == ()


anything = settings_named(st.just(OURS))


@given(anything, anything)
def test_no_difference_means_the_same_effect(wanted: DiagnosticSetting, found: DiagnosticSetting) -> None:
    if wanted.rule_id is None or differences(wanted, found):
        return
    folded = [
        {each.lower() for each in names}
        for names in (wanted.categories, found.categories, wanted.groups, found.groups)
    ]
    assert folded[0] == folded[1]
    assert folded[2] == folded[3]
    assert (found.rule_id or "").lower() == wanted.rule_id.lower()
    assert (found.hub or "").lower() == (wanted.hub or "").lower()
    assert found.extras <= wanted.extras


def test_a_name_is_ours_in_any_case_and_no_other_name_is() -> None:
    assert setting("AZMDR").is_named(OURS)
    assert not setting("azmdr-2").is_named(OURS)


def test_the_sink_is_the_rule_in_any_case_whatever_the_hub() -> None:
    assert setting(hub="fabrikam", rule_id=RULE.upper()).sends_with(RULE)
    assert not setting(rule_id=OTHER_RULE).sends_with(RULE)
    assert not setting(rule_id=None).sends_with(None)
