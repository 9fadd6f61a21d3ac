"""What emission promises the control plane: a change asks to be reconciled exactly when the lake has it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from azmdr.inventory.customers import Customer
from azmdr.inventory.resource_id import ResourceId
from azmdr.lake.layout import Table
from azmdr.reconcile.changes import ChangeKind
from azmdr.reconcile.verdict import Reason, Verdict
from azmdr.store.customers import add_customer
from azmdr.store.database import Store
from azmdr.store.requests import Request, forget_requests, requests_of
from azmdr.store.targets import Judgement, Target, TargetKind, note_judgements, put_targets
from tests.condense.capture_files import CUSTOMER, TODAY, file_of_bodies
from tests.condense.records import NOON, SUBSCRIPTION, envelope, stage_bytes
from tests.condense.workbench import Workbench

VAULT = ResourceId.parse(
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-1"
)
ENDED_AT = NOON + timedelta(seconds=2)


@pytest.fixture(autouse=True)
def contoso(bench: Workbench) -> None:
    customer = Customer.of(
        name=CUSTOMER, tenant_id="b1f0a8c2-0000-4000-8000-0000000000c1", home_region="eastus"
    )
    with bench.store.write() as connection:
        add_customer(connection, customer, NOON)


def deletion(stage: str, seconds: float, correlation: str = "c-1", target: str = VAULT.text) -> bytes:
    """A stage of deleting a target's setting."""
    return stage_bytes(
        stage,
        seconds,
        correlation,
        operationName="MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE",
        resourceId=f"{target}/providers/Microsoft.Insights/diagnosticSettings/azmdr".upper(),
    )


def arrive(bench: Workbench, *records: bytes) -> None:
    bench.arrive(file_of_bodies(envelope(*records)))


def requests(bench: Workbench) -> list[Request]:
    with bench.store.read() as connection:
        return list(requests_of(connection, CUSTOMER))


def read(bench: Workbench) -> None:
    """The target has been read since, and everything asked for was met."""
    target = Target(TargetKind.RESOURCE, VAULT.text, VAULT.key, VAULT.subscription_id, VAULT.key, VAULT.type)
    judgement = Judgement(VAULT.key, Verdict(Reason.CREATED), bench.now, bench.now, ours=True)
    with bench.store.write() as connection:
        put_targets(connection, CUSTOMER, [target], bench.now)
        note_judgements(connection, CUSTOMER, TargetKind.RESOURCE, [judgement])
        forget_requests(connection, list(requests_of(connection, CUSTOMER)))


def test_a_setting_deleted_asks_for_its_target_once_it_is_emitted(bench: Workbench) -> None:
    arrive(bench, deletion("start", 0), deletion("success", 2))
    bench.condense()
    assert requests(bench) == []
    bench.finish()
    (asked,) = requests(bench)
    assert (asked.key, asked.change, asked.changed_at) == (VAULT.key, ChangeKind.SETTING, ENDED_AT)


def test_many_operations_in_one_go_ask_for_each_target_once(bench: Workbench) -> None:
    targets = [f"{VAULT.text}-{number}" for number in range(30)]
    for number, target in enumerate(targets):
        bench.arrive(
            file_of_bodies(
                envelope(
                    *(deletion("start", again, f"c-{number}-{again}", target) for again in range(3)),
                    *(deletion("success", again, f"c-{number}-{again}", target) for again in range(3)),
                ),
                first=number,
            )
        )
    bench.finish()
    assert bench.rows(Table.OPERATIONS).height == 90
    assert sorted(each.key for each in requests(bench)) == sorted(target.lower() for target in targets)


def test_what_failed_or_changed_nothing_asks_for_nothing(bench: Workbench) -> None:
    arrive(bench, deletion("start", 0), deletion("failure", 2), stage_bytes("accept", 0, "c-2"))
    bench.finish()
    assert bench.rows(Table.OPERATIONS).height == 2
    assert requests(bench) == []


def test_a_backfill_asks_for_nothing_that_was_read_since(bench: Workbench) -> None:
    arrive(bench, deletion("start", 0), deletion("success", 2))
    bench.finish()
    read(bench)
    bench.step().condense_again([TODAY], redo="backfill-1")
    assert requests(bench) == []


def test_a_backfill_asks_for_what_was_not_read_since(bench: Workbench) -> None:
    arrive(bench, deletion("start", 0), deletion("success", 2))
    bench.finish()
    with bench.store.write() as connection:
        forget_requests(connection, list(requests_of(connection, CUSTOMER)))
    bench.step().condense_again([TODAY], redo="backfill-1")
    assert [each.key for each in requests(bench)] == [VAULT.key]


@dataclass
class Crash:
    """When a store gives up: at a commit, before or after it."""

    left: int = 0
    after: bool = False


class CrashingStore(Store):
    """Gives up at a chosen commit."""

    crash = Crash()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as connection:
            yield connection
            self.crash.left -= 1
            if self.crash.left == 0 and not self.crash.after:
                raise ConnectionAbortedError
        if self.crash.left == 0 and self.crash.after:
            raise ConnectionAbortedError


def is_emitted(bench: Workbench) -> bool:
    with bench.store.read() as connection:
        return bool(
            connection.exec_driver_sql(
                "SELECT count(*) FROM open_operation WHERE emitted_revision > 0"
            ).scalar()
        )


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("commit", range(1, 6))
def test_a_crash_at_any_commit_leaves_it_asked_for_exactly_when_it_is_emitted(
    bench: Workbench, commit: int, after: bool
) -> None:
    arrive(bench, deletion("start", 0), deletion("success", 2))
    bench.condense()
    bench.now += timedelta(days=1)
    sound = bench.store
    crashing = CrashingStore.open(bench.url)
    CrashingStore.crash = Crash(commit, after)
    bench.store = crashing
    with suppress(ConnectionAbortedError):
        bench.condense()
    crashing.close()
    bench.store = sound
    assert bool(requests(bench)) is is_emitted(bench)
    bench.now += timedelta(days=1)
    bench.condense()
    assert len(requests(bench)) == 1
