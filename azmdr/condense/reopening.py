"""Re-opening: closed operations that get another record are read back from the lake.

The lake's row of an operation is lossless, so what is read back is what was closed, byte for byte, and the
next revision is the one there would have been had it never been closed. Read are only the files of the hours
in which the operations stand.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from azmdr.condense.members import rebuild_records
from azmdr.lake.read import read_operations
from azmdr.lake.storage import LakeStorage
from azmdr.store.closed_operations import ClosedOperation
from azmdr.store.operations import HeldRecord

ReadBack = dict[str, tuple[ClosedOperation, list[HeldRecord]]]
"""By operation: what was left of it in the store, and its records. None where its row is not in the lake."""


def read_back(lake: LakeStorage, customer: str, closed: Sequence[ClosedOperation]) -> ReadBack:
    """The records of closed operations, hour after hour of the lake."""
    by_hour: defaultdict[datetime, list[ClosedOperation]] = defaultdict(list)
    for one in closed:
        by_hour[one.hour].append(one)
    found: ReadBack = {one.operation_id: (one, []) for one in closed}
    for hour, some in sorted(by_hour.items(), key=lambda item: item[0]):
        for one, records in _of_hour(lake, customer, hour, {one.operation_id: one for one in some}):
            found[one.operation_id] = (one, records)
    return found


def _of_hour(
    lake: LakeStorage, customer: str, hour: datetime, wanted: dict[str, ClosedOperation]
) -> list[tuple[ClosedOperation, list[HeldRecord]]]:
    rows = read_operations(lake, customer, hour, wanted)
    return [
        (wanted[operation_id], wanted[operation_id].held(rebuild_records(operation, members)))
        for operation_id, revision, operation, members in rows.select(
            "operation_id", "revision", "operation", "members"
        ).iter_rows()
        # A row that is not the one that was closed tells only a part, so it is as good as none.
        if revision == wanted[operation_id].revision
    ]
