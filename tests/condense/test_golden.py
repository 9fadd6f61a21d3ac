"""What condensing promises on real records: the counts, found by hand, in the shared samples."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from azmdr.condense.classify import PassedRecord, RecordError, StageRecord, classify
from azmdr.condense.condensed import Operation, condense
from azmdr.condense.members import rebuild_records
from azmdr.condense.record_layout import ADDED
from azmdr.condense.split import split_body
from tests.condense.samples import activity_of_csv, bodies_of, correlation_of, lines_of

AZURE_CLI = "azure-cli/azure-cli-2019.derived-eventhub.jsonl.gz"
XPLAT_CLI = "azure-xplat-cli/xplat-2016-2017.derived-eventhub.jsonl.gz"
AZURE_CLI_REST = "azure-cli/azure-cli-2019.rest.jsonl.gz"
XPLAT_CLI_REST = "azure-xplat-cli/xplat-2016-2017.rest.jsonl.gz"
ACTIVITY_CSV = "sentinel-training-lab/azure_activity.csv"


def operations_of(contents: Iterable[bytes]) -> list[tuple[Operation, list[bytes]]]:
    """The operations among some records, each with its records; all of them are stages of operations."""
    grouped: defaultdict[str, list[StageRecord]] = defaultdict(list)
    for content in contents:
        record = classify(content)
        assert isinstance(record, StageRecord)
        grouped[record.operation_id].append(record)
    return [(condense(records), [record.content for record in records]) for records in grouped.values()]


@pytest.fixture(scope="module")
def samples(shared: Path) -> Path:
    return shared / "samples" / "azure"


@pytest.mark.parametrize(
    ("sample", "records", "outcomes"),
    [
        (AZURE_CLI, 4333, {"success": 962, "failure": 228, "accepted": 412, "started": 423}),
        (AZURE_CLI_REST, 4333, {"success": 962, "failure": 228, "accepted": 412, "started": 423}),
        (XPLAT_CLI, 279, {"success": 138, "started": 3}),
        (XPLAT_CLI_REST, 279, {"success": 138, "started": 3}),
    ],
)
def test_a_recording_condenses_to_its_operations(
    samples: Path, sample: str, records: int, outcomes: dict[str, int]
) -> None:
    contents = lines_of(samples / sample)
    operations = [operation for operation, _ in operations_of(contents)]
    assert len(contents) == records
    assert Counter(str(operation.outcome) for operation in operations) == outcomes
    assert sum(operation.revision for operation in operations) == records


def test_the_azure_cli_recording_has_2025_operations_and_no_contradiction(samples: Path) -> None:
    operations = [operation for operation, _ in operations_of(lines_of(samples / AZURE_CLI))]
    assert len(operations) == 2025
    assert not any(operation.conflict or operation.ambiguous for operation in operations)
    assert sum(operation.attempts > 1 for operation in operations) == 3


@pytest.mark.parametrize("sample", [AZURE_CLI, XPLAT_CLI, AZURE_CLI_REST, XPLAT_CLI_REST])
def test_every_record_of_a_recording_can_be_rebuilt(samples: Path, sample: str) -> None:
    for operation, contents in operations_of(lines_of(samples / sample)):
        assert sorted(rebuild_records(operation.operation, operation.members)) == sorted(contents)


class Worked(NamedTuple):
    records: int
    operations: int


@pytest.mark.parametrize(
    ("sample", "correlation", "expected"),
    [
        (ACTIVITY_CSV, "8c0ebf61", Worked(14, 12)),
        (ACTIVITY_CSV, "7452d335", Worked(12, 5)),
        (ACTIVITY_CSV, "e434aefc", Worked(18, 1)),
        (AZURE_CLI, "ea7092f6", Worked(34, 6)),
        (AZURE_CLI, "bdc63cd2", Worked(22, 10)),
        (AZURE_CLI, "5760dbe3", Worked(28, 12)),
        (AZURE_CLI, "b1be2d3e", Worked(96, 48)),
    ],
)
def test_one_correlation_id_holds_several_operations(
    samples: Path, sample: str, correlation: str, expected: Worked
) -> None:
    contents = correlated(samples, sample, correlation)
    assert Worked(len(contents), len(operations_of(contents))) == expected


def correlated(samples: Path, sample: str, correlation: str) -> list[bytes]:
    contents = activity_of_csv(samples / sample) if sample == ACTIVITY_CSV else lines_of(samples / sample)
    return [content for content in contents if correlation_of(content).startswith(correlation)]


def largest(samples: Path, sample: str, correlation: str, name: str) -> Operation:
    """The operation of this name with the most records."""
    found = [operation for operation, _ in operations_of(correlated(samples, sample, correlation))]
    named = [one for one in found if (one.operation_name or "").lower().endswith(name)]
    return max(named, key=lambda operation: operation.revision)


def test_a_group_delete_is_one_operation_though_its_records_spell_it_differently(samples: Path) -> None:
    deleted = largest(samples, ACTIVITY_CSV, "8c0ebf61", "resourcegroups/delete")
    assert (deleted.revision, deleted.outcome) == (3, "success")


def test_a_success_told_three_times_is_one_success(samples: Path) -> None:
    written = largest(samples, ACTIVITY_CSV, "7452d335", "virtualnetworks/write")
    assert (written.revision, written.outcome, written.conflict) == (5, "success", False)


def test_parallel_requests_that_share_a_key_are_ambiguous(samples: Path) -> None:
    checked = largest(samples, ACTIVITY_CSV, "e434aefc", "action")
    assert (checked.revision, checked.attempts, checked.ambiguous) == (18, 1, True)
    assert '"start":{"count":9,' in checked.operation.partition(f'"{ADDED}"')[2]


def test_23_accepts_without_an_end_are_one_accepted_operation(samples: Path) -> None:
    gateway = largest(samples, AZURE_CLI, "ea7092f6", "applicationgateways/write")
    assert (gateway.revision, gateway.outcome, gateway.attempts) == (24, "accepted", 1)


def test_an_accept_readable_after_its_success_changes_nothing(samples: Path) -> None:
    group = largest(samples, AZURE_CLI, "bdc63cd2", "networksecuritygroups/write")
    assert (group.revision, group.outcome) == (3, "success")


def test_a_request_repeated_after_it_failed_is_a_second_attempt(samples: Path) -> None:
    machine = largest(samples, AZURE_CLI, "5760dbe3", "virtualmachines/write")
    assert (machine.revision, machine.attempts, machine.outcome) == (6, 2, "accepted")


FOLDERS = {
    "datadog-forwarder": {"passed": 152, "not_json": 20},
    "elastic-beats": {"staged": 2, "passed": 15},
    "elastic-integrations": {"staged": 1, "passed": 118},
    "grafana-alloy": {"passed": 8, "not_json": 2, "no_records": 2, "record_not_an_object": 2},
    "ms-splunk-addon": {"passed": 1},
    "otel-azurelogs": {"passed": 26},
    "otrf": {"passed": 4},
    "plaso": {"passed": 6},
    "sentinel-sample-data": {"passed": 2},
    "sumologic": {"staged": 1, "passed": 20},
}
"""By folder: how many records are stages of operations, pass through, or are broken, by reason."""


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_every_record_of_the_wild_is_told_what_it_is(samples: Path, folder: str) -> None:
    told: Counter[str] = Counter()
    for body in bodies_of(samples / folder):
        for piece in split_body(body):
            assert piece.content in body
            told[piece.broken or verdict(piece.content)] += 1
    assert told == FOLDERS[folder]


def verdict(content: bytes) -> str:
    try:
        record = classify(content)
    except RecordError as refused:
        return refused.reason
    assert record.content == content
    return "passed" if isinstance(record, PassedRecord) else "staged"
