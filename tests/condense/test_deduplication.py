"""What repeated records come to: one row each, whichever file and day brings them again."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from azmdr.lake.layout import Table
from azmdr.lake.read import read_latest
from azmdr.store.ledger import CustomerDay
from tests.condense.capture_files import CUSTOMER, TODAY, CaptureFile, Event, capture_file
from tests.condense.records import (
    NOON,
    at,
    encoded,
    envelope,
    resource_log_bytes,
    sign_in_bytes,
    stage_bytes,
    stage_fields,
)
from tests.condense.workbench import Workbench

DAY = timedelta(days=1)
TOMORROW = CustomerDay(CUSTOMER, f"{NOON + DAY:%Y-%m-%d}")
SUCCESS = stage_bytes("success", 2)


def file_of(*records: bytes, days: int = 0, partition: int = 0) -> CaptureFile:
    """A file of one event that entered the hub so many days after noon."""
    return capture_file([Event(days, envelope(*records), NOON + days * DAY)], partition)


def days_later(*records: bytes) -> CaptureFile:
    return file_of(*records, days=1, partition=1)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(f"sqlite:///{tmp_path / 'store.db'}", tmp_path / "lake")


def condensed(bench: Workbench, *files: CaptureFile) -> list[tuple[int, int, int]]:
    """What became of each file's records: passed through, merged, duplicates."""
    bench.arrive(*files)
    for _ in range(2):
        bench.step().condense_waiting([TODAY, TOMORROW])
        bench.now += DAY
    bench.assert_conserved()
    return [(row.passed_through, row.merged, row.duplicates) for row in bench.ledger_rows()]


def rows(bench: Workbench) -> pl.DataFrame:
    """The records that count, as who reads one day alone sees them."""
    of_the_day = read_latest(bench.lake, CUSTOMER, Table.ACTIVITY_RECORDS, [NOON.date()])
    assert of_the_day.equals(bench.rows(Table.ACTIVITY_RECORDS)), "no other day has anything of it"
    return of_the_day


def as_given(files: list[CaptureFile]) -> list[CaptureFile]:
    return files


def turned_round(files: list[CaptureFile]) -> list[CaptureFile]:
    return files[::-1]


either_order = pytest.mark.parametrize("order", [as_given, turned_round])
Order = Callable[[list[CaptureFile]], list[CaptureFile]]


@either_order
def test_a_stage_that_comes_again_a_day_later_is_merged_once(bench: Workbench, order: Order) -> None:
    counts = condensed(bench, *order([file_of(SUCCESS), days_later(SUCCESS)]))
    assert sorted(counts) == [(0, 0, 1), (0, 1, 0)]
    assert bench.rows(Table.OPERATIONS)["revision"].to_list() == [1]


@either_order
def test_a_stage_with_its_fields_in_another_order_is_one_record(bench: Workbench, order: Order) -> None:
    turned = encoded(dict(reversed(stage_fields("success", 2).items())))
    condensed(bench, *order([file_of(SUCCESS), days_later(turned)]))
    (operation,) = bench.rows(Table.OPERATIONS)["operation"].to_list()
    told = json.loads(operation)
    assert told["azure_activity_administrative_condensed"]["num_correlated_records"] == 1


def test_stages_that_differ_in_one_value_are_two(bench: Workbench) -> None:
    other = stage_bytes("success", 2, level="Informational")
    assert condensed(bench, file_of(SUCCESS, other)) == [(0, 2, 0)]


@either_order
def test_a_log_that_comes_again_a_day_later_is_one_row(bench: Workbench, order: Order) -> None:
    log = resource_log_bytes("pod")
    counts = condensed(bench, *order([file_of(log, log), days_later(log)]))
    assert sorted(counts) == [(1, 0, 0), (1, 0, 1)], "within its file at once, across files by readers"
    assert rows(bench)["record"].to_list() == [log.decode()]


@either_order
def test_of_a_log_in_two_spellings_one_and_always_the_same_counts(bench: Workbench, order: Order) -> None:
    fields = json.loads(resource_log_bytes("pod"))
    spellings = [encoded(fields), encoded(dict(reversed(fields.items())))]
    condensed(bench, *order([file_of(spellings[0]), days_later(spellings[1])]))
    assert rows(bench)["record"].to_list() == [min(spellings).decode()]


def entra(category: str, **times: Any) -> dict[str, Any]:
    """An Entra ID event, as it is told first."""
    return {
        "time": at(0),
        "category": category,
        "operationName": "any",
        "properties": {"id": "e-1", **times},
    }


ENTRA = {
    "SignInLogs": entra("SignInLogs", createdDateTime=at(0)),
    "NonInteractiveUserSignInLogs": entra("NonInteractiveUserSignInLogs", createdDateTime=at(0)),
    "ServicePrincipalSignInLogs": entra("ServicePrincipalSignInLogs", createdDateTime=at(0)),
    "ManagedIdentitySignInLogs": entra("ManagedIdentitySignInLogs", createdDateTime=at(0)),
    "AuditLogs": entra("AuditLogs", activityDateTime=at(0)),
    "ProvisioningLogs": entra("ProvisioningLogs", activityDateTime=at(0)),
}


@either_order
@pytest.mark.parametrize("category", ENTRA)
def test_an_entra_event_sent_again_with_another_time_is_one_row_with_the_latest(
    bench: Workbench, category: str, order: Order
) -> None:
    first, again = (encoded({**ENTRA[category], "time": at(delivered)}) for delivered in (0, 86_400))
    condensed(bench, *order([file_of(first), days_later(again)]))
    assert rows(bench)["record"].to_list() == [again.decode()]


def test_an_export_s_event_sent_again_is_one_row_with_the_latest(bench: Workbench) -> None:
    def row(seconds: float) -> bytes:
        return encoded(
            {"TimeGenerated": at(seconds), "Type": "SigninLogs", "Id": "e-1", "CreatedDateTime": at(0)}
        )

    condensed(bench, file_of(row(0)), days_later(row(86_400)))
    assert rows(bench)["record"].to_list() == [row(86_400).decode()]


def test_each_record_of_a_risky_user_is_news(bench: Workbench) -> None:
    """Their id is the user's, not the event's."""
    told = (encoded({**entra("RiskyUsers"), "properties": {"id": "u", "state": n}}) for n in range(2))
    assert condensed(bench, file_of(*told)) == [(2, 0, 0)]
    assert rows(bench).height == 2


def test_the_same_id_in_another_category_is_another_event(bench: Workbench) -> None:
    condensed(bench, file_of(*(encoded(fields) for fields in ENTRA.values())))
    assert rows(bench).height == len(ENTRA)


def test_a_re_emission_within_one_file_is_one_row(bench: Workbench) -> None:
    """The published case: twice, 21.6 seconds apart, only the outer time differing."""
    again = sign_in_bytes("e-1", delivered=21.6)
    condensed(bench, file_of(sign_in_bytes("e-1"), again))
    assert rows(bench)["record"].to_list() == [again.decode()]
