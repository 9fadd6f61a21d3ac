"""What planning a data export rule promises: limits are verdicts, drift is told, foreign rules are safe."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.reconcile.data_export import RULE_LIMIT, DataExport, differences
from azmdr.reconcile.plan import Plan, Remove, Write, plan_export
from azmdr.reconcile.verdict import Reason, Verdict
from tests.reconcile.settings import NAMESPACES, OURS

HOME, OTHER = f"{NAMESPACES}/one", f"{NAMESPACES}/two"
LEAVES = Verdict(Reason.CUSTOMER_LEAVES)


def export(name: str = OURS, **fields: Any) -> DataExport:
    given = {
        "namespace_id": HOME,
        "hub": "contoso",
        "tables": frozenset({"AuditLogs", "SigninLogs"}),
    } | fields
    return DataExport(name, **given)


def foreign(number: int, *, enabled: bool = True) -> list[DataExport]:
    return [export(f"their-{index}", hub=f"theirs-{index}", enabled=enabled) for index in range(number)]


def plan(wanted: DataExport | Verdict, *found: DataExport) -> Plan[DataExport]:
    return plan_export(wanted, found, OURS)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (export(namespace_id=OTHER), f"destination {OTHER} contoso"),
        (export(hub=None), f"destination {HOME} None"),
        (export(tables=frozenset({"AuditLogs"})), "table signinlogs is missing"),
        (export(tables=frozenset({"AuditLogs", "SigninLogs", "Heartbeat"})), "table heartbeat is too many"),
        (export(enabled=False), "switched off"),
    ],
)
def test_each_kind_of_drift_is_told_and_repaired(found: DataExport, told: str) -> None:
    assert differences(export(), found) == (told,)
    planned = plan(export(), found, *foreign(3))
    assert planned == Plan(Verdict(Reason.REPAIRED, told), Write(export(), (told,)), ours=True)


def test_another_spelling_is_no_difference() -> None:
    found = export(
        "AZMDR", namespace_id=HOME.upper(), hub="CONTOSO", tables=frozenset({"AUDITLOGS", "signinlogs"})
    )
    assert plan(export(), found) == Plan(Verdict(Reason.IN_PLACE), ours=True)


def test_a_rule_that_is_not_there_is_created() -> None:
    assert plan(export(), *foreign(3)) == Plan(Verdict(Reason.CREATED), Write(export()))


def test_a_foreign_rule_with_our_destination_stands_in_the_way() -> None:
    theirs = export("theirs", namespace_id=HOME.upper(), hub="Contoso", enabled=False)
    for found in ([theirs], [theirs, export(hub=None)]):
        planned = plan(export(), *found)
        assert planned.action is None
        assert planned.verdict == Verdict(
            Reason.DESTINATION_IN_USE, "rule theirs exports to the same destination"
        )


def test_the_limit_of_enabled_rules_is_a_verdict() -> None:
    planned = plan(export(), *foreign(RULE_LIMIT))
    assert planned.action is None
    assert planned.verdict == Verdict(Reason.EXPORT_RULE_LIMIT, "there are 10 enabled rules already")


def test_rules_that_are_off_do_not_count() -> None:
    full_but_for_one = [*foreign(RULE_LIMIT - 1), export("off", hub="off", enabled=False)]
    assert plan(export(), *full_but_for_one).verdict.reason is Reason.CREATED


def test_our_own_rule_is_repaired_in_a_full_workspace_unless_switching_it_on_would_be_one_too_many() -> None:
    broken = export(tables=frozenset({"AuditLogs"}))
    assert plan(export(), broken, *foreign(RULE_LIMIT - 1)).verdict.reason is Reason.REPAIRED
    assert (
        plan(export(), export(enabled=False), *foreign(RULE_LIMIT)).verdict.reason is Reason.EXPORT_RULE_LIMIT
    )


def test_a_rule_that_should_not_be_there_is_removed_and_a_foreign_one_is_not() -> None:
    assert plan(LEAVES, *foreign(2), export("AZMDR")) == Plan(LEAVES, Remove("AZMDR"), ours=True)
    assert plan(LEAVES, *foreign(2)) == Plan(LEAVES)


tables = st.frozensets(st.sampled_from(["AuditLogs", "SigninLogs", "Heartbeat"]), min_size=1)
found_exports = st.lists(
    st.builds(
        DataExport,
        st.sampled_from([OURS, "AZMDR", *(f"their-{index}" for index in range(11))]),
        st.sampled_from([HOME, OTHER]),
        st.sampled_from(["contoso", "CONTOSO", "fabrikam", "tailwind", None]),
        tables,
        st.booleans(),
    ),
    max_size=13,
    unique_by=lambda each: each.name.lower(),
)
wanted_exports = tables.map(lambda chosen: export(tables=chosen))


def done(action: Write[DataExport] | Remove | None, found: Sequence[DataExport]) -> list[DataExport]:
    match action:
        case Write(thing):
            return [each for each in found if each.name.lower() != thing.name.lower()] + [thing]
        case Remove(name):
            return [each for each in found if each.name.lower() != name.lower()]
        case None:
            return list(found)


@given(wanted_exports | st.just(LEAVES), found_exports)
def test_once_a_plan_is_done_nothing_is_left_to_do_and_foreign_rules_are_as_they_were(
    wanted: DataExport | Verdict, found: list[DataExport]
) -> None:
    planned = plan(wanted, *found)
    after = done(planned.action, found)
    again = plan(wanted, *after)
    assert again.action is None
    assert again.verdict == (
        Verdict(Reason.IN_PLACE) if isinstance(planned.action, Write) else planned.verdict
    )
    theirs = [each for each in found if not each.is_named(OURS)]
    assert [each for each in after if not each.is_named(OURS)] == theirs
    assert sum(each.enabled for each in after) <= max(RULE_LIMIT, sum(each.enabled for each in found))
