"""What the rotation promises: every due target once and in its order, whatever is written down meanwhile."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, event

from azmdr.reconcile.verdict import Reason, Verdict
from azmdr.store.database import Store
from azmdr.store.tables import TARGET
from azmdr.store.targets import (
    DueTarget,
    JudgedTarget,
    TargetKind,
    count_ours,
    counts_by_reason,
    due_targets,
    front_for,
    judged_targets,
    note_judgements,
    put_targets,
    resource_targets,
    subscriptions_due,
    targets_of,
    targets_of_kind,
    types_due,
    unsettle,
)
from tests.store.azure_inventory import (
    IN_PLACE,
    NOON,
    ONE,
    TWO,
    at,
    facts,
    judged,
    list_resources,
    put,
    target,
    vault_id,
)

RESOURCE = TargetKind.RESOURCE
AN_HOUR_LATER = at(1)
VAULTS = [vault_id(f"kv-{number}") for number in range(6)]


def due(
    connection: Connection,
    *,
    before: datetime = AN_HOUR_LATER,
    after: tuple[datetime, str] | None = None,
    limit: int = 100,
    customer: str = "contoso",
    subscription_id: str = ONE,
) -> list[DueTarget]:
    return due_targets(
        connection, customer, RESOURCE, subscription_id, before=before, after=after, limit=limit
    )


def names(targets: list[DueTarget]) -> list[str]:
    return [each.target.id.rpartition("/")[2] for each in targets]


def judge(connection: Connection, *resource_ids: str, hours: float, **fields: Any) -> None:
    note_judgements(connection, "contoso", RESOURCE, judged(resource_ids, hours, **fields))


def judgement_of(store: Store, resource_id: str) -> JudgedTarget:
    with store.read() as connection:
        return next(each for each in judged_targets(connection, "contoso") if each.id == resource_id)


def test_a_new_target_is_due_at_once_and_not_read_yet(store: Store) -> None:
    with store.write() as connection:
        list_resources(connection, facts(VAULTS[0], kind="K", location="uksouth", tags={"a": "b"}))
        put(connection, VAULTS[0])
        (found,) = due(connection)
        assert found == DueTarget(
            target(VAULTS[0]),
            "K",
            "uksouth",
            {"a": "b"},
            ours=False,
            read_at=None,
            settled=False,
            tried_at=front_for(VAULTS[0].lower()),
        )
        assert [each.verdict for each in judged_targets(connection, "contoso")] == [
            Verdict(Reason.NOT_READ_YET)
        ]


def test_new_and_changed_come_first_and_then_those_untried_for_longest(store: Store) -> None:
    with store.write() as connection:
        put(connection, *VAULTS)
        for number, hours in ((3, 0.1), (1, 0.2), (0, 0.3), (5, 0.4)):
            judge(connection, VAULTS[number], hours=hours)
        put(connection, VAULTS[5])
        found = names(due(connection))
        assert sorted(found[:3]) == ["kv-2", "kv-4", "kv-5"]
        assert found[3:] == ["kv-3", "kv-1", "kv-0"]


def test_new_targets_are_mixed_whatever_their_type_and_always_in_one_way(store: Store) -> None:
    many = [vault_id(f"kv-{number:02}") for number in range(20)]
    with store.write() as connection:
        put(connection, *many)
        found = [each.target.id for each in due(connection)]
        assert sorted(found) == many
        assert found != many
        put(connection, *many)
        assert [each.target.id for each in due(connection)] == found


def test_what_was_tried_since_the_sweep_began_is_not_due(store: Store) -> None:
    with store.write() as connection:
        put(connection, *VAULTS[:3])
        judge(connection, VAULTS[0], hours=1)
        judge(connection, VAULTS[1], hours=2)
        assert names(due(connection, before=at(1))) == ["kv-2"]
        assert names(due(connection, before=at(3))) == ["kv-2", "kv-0", "kv-1"]


def test_what_is_settled_is_not_due_until_something_changes(store: Store) -> None:
    with store.write() as connection:
        put(connection, *VAULTS[:2])
        judge(connection, *VAULTS[:2], hours=0.1, settled=True)
        assert due(connection) == []
        put(connection, VAULTS[1])
        assert names(due(connection)) == ["kv-1"]
        unsettle(connection, "contoso")
        assert names(due(connection)) == ["kv-1", "kv-0"]


def test_a_target_put_again_keeps_its_verdict_and_takes_the_new_spelling(store: Store) -> None:
    with store.write() as connection:
        put(connection, VAULTS[0].lower())
        judge(connection, VAULTS[0], hours=0.1, read_at=NOON, ours=True)
        put(connection, VAULTS[0])
    found = judgement_of(store, VAULTS[0])
    assert (found.verdict, found.read_at, found.ours) == (IN_PLACE, NOON, True)


def test_targets_of_other_customers_kinds_and_subscriptions_are_not_due(store: Store) -> None:
    elsewhere = vault_id("kv-0", TWO)
    with store.write() as connection:
        put(connection, VAULTS[0], elsewhere)
        put(connection, VAULTS[1], customer="fabrikam")
        put_targets(connection, "contoso", [target(VAULTS[2], kind=TargetKind.DATA_EXPORT)], NOON)
        assert names(due(connection)) == ["kv-0"]
        assert [each.target.id for each in due(connection, subscription_id=TWO)] == [elsewhere]
        assert subscriptions_due(connection, "contoso", RESOURCE, at(1)) == [ONE, TWO]
        judge(connection, elsewhere, hours=1)
        assert subscriptions_due(connection, "contoso", RESOURCE, at(1)) == [ONE]
        unsettle(connection, "fabrikam")
        judge(connection, VAULTS[0], hours=0.5, settled=True)
        assert subscriptions_due(connection, "contoso", RESOURCE, at(1)) == []
        assert subscriptions_due(connection, "fabrikam", RESOURCE, at(1)) == [ONE]


def rotation(store: Store, page: int, judge_after: int, hours: float = 1) -> list[str]:
    """Hands out page after page and writes verdicts down in batches, as a sweep does."""
    started, after, handed_out, waiting = at(hours), None, list[str](), list[str]()
    while True:
        with store.read() as connection:
            some = due(connection, before=started, after=after, limit=page)
        for each in some:
            handed_out.append(each.target.id)
            waiting.append(each.target.id)
            if len(waiting) >= judge_after:
                with store.write() as connection:
                    judge(connection, *waiting, hours=hours + len(handed_out) / 1000)
                waiting = []
        if len(some) < page:
            break
        after = (some[-1].tried_at, some[-1].target.key)
    with store.write() as connection:
        judge(connection, *waiting, hours=hours + 0.9)
    return handed_out


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(
    tried=st.lists(st.sampled_from([None, 0.1, 0.2, 0.3]), max_size=12),
    page=st.integers(1, 5),
    judge_after=st.integers(1, 6),
)
def test_a_sweep_hands_out_each_due_target_once_whatever_is_judged_meanwhile(
    store: Store, tried: list[float | None], page: int, judge_after: int
) -> None:
    vaults = [vault_id(f"kv-{number:02}") for number in range(len(tried))]
    with store.write() as connection:
        connection.execute(delete(TARGET))
        put(connection, *vaults)
        for vault, hours in zip(vaults, tried, strict=True):
            if hours is not None:
                judge(connection, vault, hours=hours)
    places = [
        at(hours) if hours else front_for(vault.lower()) for vault, hours in zip(vaults, tried, strict=True)
    ]
    expected = [vault for _, vault in sorted(zip(places, vaults, strict=True))]
    assert rotation(store, page, judge_after) == expected
    assert Counter(rotation(store, page, judge_after, hours=3)) == Counter(vaults), "and the next sweep again"


def test_a_target_put_to_the_front_in_the_middle_of_a_sweep_waits_for_the_next(store: Store) -> None:
    with store.write() as connection:
        put(connection, *VAULTS)
        judge(connection, *VAULTS, hours=0.1)
        (first, second) = due(connection, limit=2)
        put(connection, VAULTS[0])
        rest = due(connection, after=(second.tried_at, second.target.key))
        assert names([first, second, *rest]) == [f"kv-{number}" for number in range(6)]
        assert names(due(connection, before=at(2)))[0] == "kv-0"


def test_a_verdict_without_reading_keeps_what_the_last_read_told(store: Store) -> None:
    with store.write() as connection:
        put(connection, VAULTS[0])
        judge(connection, VAULTS[0], hours=0.1, read_at=at(0.1), ours=True)
        judge(connection, VAULTS[0], hours=0.2, verdict=Verdict(Reason.READ_FAILED, "x" * 2000))
    found = judgement_of(store, VAULTS[0])
    assert (found.read_at, found.ours, found.verdict.reason) == (at(0.1), True, Reason.READ_FAILED)
    assert found.verdict.detail == "x" * 1000
    with store.write() as connection:
        judge(connection, VAULTS[0], hours=0.3, read_at=at(0.3), ours=False)
    found = judgement_of(store, VAULTS[0])
    assert (found.read_at, found.ours) == (at(0.3), False)


def test_a_verdict_on_what_is_gone_meanwhile_is_nobodys(store: Store) -> None:
    with store.write() as connection:
        put(connection, VAULTS[0], customer="fabrikam")
        judge(connection, VAULTS[0], hours=0.1)
        assert list(judged_targets(connection, "contoso")) == []
        assert [each.verdict.reason for each in judged_targets(connection, "fabrikam")] == [
            Reason.NOT_READ_YET
        ]


def test_targets_are_found_by_their_key_or_by_what_they_are_nested_in(store: Store) -> None:
    nested = f"{VAULTS[0]}/secrets/default"
    with store.write() as connection:
        put(connection, *VAULTS[:2])
        put_targets(connection, "contoso", [target(nested, VAULTS[0])], NOON)
        judge(connection, *VAULTS[:2], hours=0.1, settled=True)

        def found(*keys: str) -> list[str]:
            asked = [key.lower() for key in keys]
            return [each.target.id for each in targets_of(connection, "contoso", RESOURCE, asked)]

        assert found(VAULTS[0]) == [VAULTS[0], nested], "whether it is their turn or not"
        assert found(nested) == [nested]
        assert found(VAULTS[3]) == []
        assert [each.is_nested for each in judged_targets(connection, "contoso")] == [False, True, False]


def test_one_resource_of_a_subscription_stands_for_each_type_and_kind_that_is_due(store: Store) -> None:
    web = vault_id("web").replace("Microsoft.KeyVault/vaults", "Microsoft.Web/sites")
    function = web.replace("/web", "/function")
    with store.write() as connection:
        kinds = {web: "app", function: "functionapp"}
        list_resources(connection, *(facts(each, kind=kinds.get(each)) for each in (*VAULTS, web, function)))
        put(connection, *VAULTS, web, function)
        assert types_due(connection, "contoso", 2) == {
            ("microsoft.keyvault/vaults", None): [VAULTS[0]],
            ("microsoft.web/sites", "app"): [web],
            ("microsoft.web/sites", "functionapp"): [function],
        }
        told = Counter((one.type, one.variant) for one in resource_targets(connection, "contoso"))
        assert told["microsoft.keyvault/vaults", None] == len(VAULTS)
        judge(connection, web, VAULTS[0], hours=0.1, settled=True)
        assert types_due(connection, "contoso", 2) == {
            ("microsoft.keyvault/vaults", None): [VAULTS[1]],
            ("microsoft.web/sites", "functionapp"): [function],
        }


def test_counts_are_of_one_customer(store: Store) -> None:
    with store.write() as connection:
        put(connection, *VAULTS[:3])
        put(connection, VAULTS[3], customer="fabrikam")
        put_targets(connection, "contoso", [target(VAULTS[0], kind=TargetKind.DATA_EXPORT)], NOON)
        judge(connection, *VAULTS[:2], hours=0.1, ours=True)
        assert counts_by_reason(connection, "contoso") == {
            (RESOURCE, Reason.IN_PLACE): 2,
            (RESOURCE, Reason.NOT_READ_YET): 1,
            (TargetKind.DATA_EXPORT, Reason.NOT_READ_YET): 1,
        }
        assert (count_ours(connection, "contoso"), count_ours(connection, "fabrikam")) == (2, 0)
        (export,) = targets_of_kind(connection, "contoso", TargetKind.DATA_EXPORT)
        assert (export.target.kind, export.location) == (TargetKind.DATA_EXPORT, "global")


@pytest.mark.parametrize("after", [None, (NOON, "key")])
def test_the_rotation_goes_along_its_index_and_sorts_nothing(
    tmp_path: Path, after: tuple[datetime, str] | None
) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}")
    with store.write() as connection:
        put(connection, *VAULTS)
    plans: list[str] = []

    def explain(connection: Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            rows = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in rows)

    with store.read() as connection:
        event.listen(connection, "before_cursor_execute", explain)
        due(connection, after=after)
        subscriptions_due(connection, "contoso", RESOURCE, at(1))
    of_targets = [step for step in plans if "target" in step]
    assert of_targets
    assert all("USING" in step and "INDEX ix_target_customer" in step for step in of_targets), of_targets
    assert not any("SCAN" in step for step in plans), plans
    assert not any("ORDER BY" in step for step in plans), plans


def test_a_page_of_many_thousands_is_quick(store: Store) -> None:
    with store.write() as connection:
        put(connection, *(vault_id(f"kv-{number}") for number in range(3000)))
    begun = datetime.now(NOON.tzinfo)
    with store.read() as connection:
        for _ in range(20):
            assert len(due(connection, limit=50)) == 50
    assert datetime.now(NOON.tzinfo) - begun < timedelta(seconds=2)
