"""The condensing step: from claimed capture files to rows in the lake.

One customer at a time, which no other run may condense meanwhile. The order of its acts is what makes it
safe to kill anywhere. A file's own rows are written first, under names that follow from the file; then one
transaction says that the file is done and adds its records to their operations, those that were closed
having been read back from the lake; operations that are due are written after that, and what has been quiet
for long is closed. Whatever is done twice replaces itself or is recognised.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from azure.core.exceptions import AzureError
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from azmdr.capture.avro import CapturedEvent, scan
from azmdr.capture.container import CaptureContainer, CaptureFileChangedError, CaptureFileGoneError
from azmdr.condense.attempts import Outcome
from azmdr.condense.classify import StageRecord
from azmdr.condense.contents import Contents, Span, read_contents
from azmdr.condense.counts import Counts
from azmdr.condense.emit import Emission
from azmdr.condense.holding import CustomerHeldError, Held, Holder, LeaseLostError
from azmdr.condense.reopening import read_back
from azmdr.lake.storage import LakeStorage
from azmdr.lake.write import write_contents
from azmdr.store import closed_operations, ledger, operations, spans
from azmdr.store.database import Store
from azmdr.store.ledger import CustomerDay, FileState, LedgerFile
from azmdr.store.operations import Brought, Patience
from azmdr.store.state_size import StateSize, state_sizes

OPERATIONS_CLOSED_AT_ONCE: Final = 1000
"""Operations closed in one transaction."""
TRANSACTIONS_OF_CLOSING: Final = 50
"""In one step, for each customer: should many have become quiet, following steps close the rest."""


@dataclass(frozen=True, slots=True)
class StepSettings:
    """What a deployment chooses of the step; see :class:`azmdr.config.Settings`."""

    patience: Patience
    budget: timedelta
    """After it a run claims no more files."""
    claim_lease: timedelta
    customer_wait: timedelta
    """How long a run waits for customers that other runs hold; a backfill waits as long as ``budget``."""
    keep_quiet: timedelta
    """How long the store keeps the records of an operation after the lake has all of it."""
    files_per_commit: int
    bytes_per_commit: int
    file_attempts: int
    max_body_bytes: int


@dataclass(frozen=True, slots=True)
class DoneFile:
    """A capture file the step has done, with what it held and the lake files made of it."""

    file: LedgerFile
    counts: Counts
    outputs: tuple[str, ...]
    merged_in_store: int
    """Its records of operations, counted one by one in the store after they were committed."""


@dataclass(frozen=True, slots=True)
class FileNotDone:
    """A capture file the step could not do, the state it was put in, and why."""

    file: LedgerFile
    state: FileState
    reason: str


@dataclass(slots=True)
class StepResult:
    """What a step came to."""

    done: list[DoneFile] = field(default_factory=list)
    not_done: list[FileNotDone] = field(default_factory=list)
    emitted: dict[str, Counter[Outcome]] = field(default_factory=dict)
    """Operations written to the lake, by customer and outcome."""
    leased: list[str] = field(default_factory=list)
    """Customers left to other runs that held them; what waits of them goes on waiting."""
    reopened: Counter[str] = field(default_factory=Counter)
    """Closed operations read back from the lake, by customer."""
    not_in_lake: list[str] = field(default_factory=list)
    """Closed operations whose rows were not where they should be; they begin anew."""
    closed: Counter[str] = field(default_factory=Counter)
    """Operations closed, by customer."""
    sizes: dict[str, StateSize] = field(default_factory=dict)
    """How much state is left, by customer."""

    @property
    def counts(self) -> Counts:
        """The sum over the files done."""
        return sum((done.counts for done in self.done), Counts())


@dataclass(frozen=True, slots=True)
class _ReadFile:
    """A file whose own rows are in the lake, and what is left to commit: nothing of those rows is kept."""

    file: LedgerFile
    counts: Counts
    """Without what became of the stage records; how many of them are merged, the store says."""
    staged: Sequence[StageRecord]
    spans: Sequence[Span]
    outputs: tuple[str, ...]

    def counts_with(self, merged: int) -> Counts:
        """Of the stage records, those that are not merged are duplicates."""
        duplicates = self.counts.duplicates + len(self.staged) - merged
        return replace(self.counts, merged=merged, duplicates=duplicates)


@dataclass(frozen=True, slots=True)
class CondensingStep:
    """Condenses capture files. ``run_id`` names the run for the ledger and holds its claims and customers."""

    store: Store
    container: CaptureContainer
    lake: LakeStorage
    settings: StepSettings
    run_id: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def condense_waiting(self, partitions: Sequence[CustomerDay], file_ids: Sequence[int] = ()) -> StepResult:
        """Condense what waits in some partitions, or only the files named, and emit what is due.

        When the time is used up the rest goes on waiting, so that a run under steady load comes to its end;
        what is due is emitted all the same. Customers that other runs hold are waited for a while, then left.
        """
        result = StepResult()
        end = self.clock() + self.settings.budget
        for held, days in self._customers(partitions, self.settings.customer_wait, result):
            with self._work_on(held, result):
                while self.clock() < end and (
                    files := self._claim_waiting(
                        held, days, file_ids, tried=[one.file.id for one in result.not_done]
                    )
                ):
                    self._condense(held, files, result)
                self._finish(held, result)
        return result

    def condense_again(
        self, partitions: Sequence[CustomerDay], *, redo: str, hours: Sequence[int] = ()
    ) -> StepResult:
        """Condense every file of some partitions once more: a backfill, named ``redo``.

        ``hours`` limits it to the files whose window ends in these hours of the day (UTC).

        Raises:
            CustomerHeldError: other runs held customers all the time. Run again, it goes on where it was.
        """
        result = StepResult()
        for held, days in self._customers(partitions, self.settings.budget, result):
            with self._work_on(held, result):
                with held.transaction() as connection:
                    files = ledger.claim_everything(
                        connection,
                        days,
                        owner=self.run_id,
                        redo=redo,
                        now=self.clock(),
                        lease=self.settings.claim_lease,
                        hours=hours,
                    )
                self._condense(held, files, result)
                self._finish(held, result)
        if result.leased:
            raise CustomerHeldError(f"held by other runs all the time: {', '.join(result.leased)}")
        return result

    def _customers(
        self, partitions: Sequence[CustomerDay], wait: timedelta, result: StepResult
    ) -> Iterator[tuple[Held, list[CustomerDay]]]:
        """Hold each customer in turn, the one whose file has waited longest first."""
        turn = {partition.customer: None for partition in self._longest_waiting_first(partitions)}
        holder = Holder(self.store, self.run_id, self.settings.claim_lease, self.clock)
        for held in holder.each(turn, wait, result.leased):
            result.emitted[held.customer] = Counter()
            yield held, [one for one in partitions if one.customer == held.customer]

    def _longest_waiting_first(self, partitions: Sequence[CustomerDay]) -> list[CustomerDay]:
        if len({partition.customer for partition in partitions}) < 2:
            return list(partitions)
        with self.store.read() as connection:
            waiting = ledger.waiting_by_day(connection, self.clock())
        place = {partition: number for number, partition in enumerate(waiting)}
        return sorted(partitions, key=lambda one: (place.get(one, len(place)), one))

    @contextmanager
    def _work_on(self, held: Held, result: StepResult) -> Iterator[None]:
        """Work on a customer; it is given back whatever happens, and with it what is still claimed of it.

        That another run has taken over is no failure: it does what this one leaves.
        """
        try:
            with self._claims_given_back():
                yield
        except LeaseLostError:
            result.leased.append(held.customer)
        finally:
            held.give_back()

    def _finish(self, held: Held, result: StepResult) -> None:
        """Emit what is due, close what has been quiet for long, and look how much is left."""
        result.emitted[held.customer] += Emission(held, self.lake).emit_due()
        for _ in range(TRANSACTIONS_OF_CLOSING):
            with held.transaction() as connection:
                closed = closed_operations.close_operations(
                    connection,
                    held.customer,
                    quiet_since=self.clock() - self.settings.keep_quiet,
                    limit=OPERATIONS_CLOSED_AT_ONCE,
                )
            result.closed[held.customer] += closed
            if closed < OPERATIONS_CLOSED_AT_ONCE:
                break
        with self.store.read() as connection:
            result.sizes |= state_sizes(connection, [held.customer])

    @contextmanager
    def _claims_given_back(self) -> Iterator[None]:
        """When the step fails, its files wait for another run now and not only when their lease runs out."""
        try:
            yield
        except BaseException as error:
            # Should the store be what failed, the lease ends in time.
            with suppress(SQLAlchemyError), self.store.write() as connection:
                ledger.give_back(connection, owner=self.run_id, untried=_no_fault_of_a_file(error))
            raise

    def _claim_waiting(
        self, held: Held, days: Sequence[CustomerDay], file_ids: Sequence[int], tried: Sequence[int]
    ) -> list[LedgerFile]:
        with held.transaction() as connection:
            return ledger.claim_waiting(
                connection,
                days,
                owner=self.run_id,
                now=self.clock(),
                lease=self.settings.claim_lease,
                limit=self.settings.files_per_commit,
                file_ids=file_ids,
                except_ids=tried,
            )

    def _batches(self, files: Sequence[LedgerFile]) -> Iterator[list[LedgerFile]]:
        batch: list[LedgerFile] = []
        size = 0
        for file in files:
            size += file.size
            if batch and (
                len(batch) == self.settings.files_per_commit or size > self.settings.bytes_per_commit
            ):
                yield batch
                batch, size = [], file.size
            batch.append(file)
        if batch:
            yield batch

    def _condense(self, held: Held, files: Sequence[LedgerFile], result: StepResult) -> None:
        for batch in self._batches(files):
            lease = self.settings.claim_lease
            with held.transaction() as connection:
                ledger.prolong(connection, owner=self.run_id, now=self.clock(), lease=lease)
            read = [self._read_or_put_aside(file, result) for file in batch]
            self._commit(held, [one for one in read if one is not None], result)

    def _read_or_put_aside(self, file: LedgerFile, result: StepResult) -> _ReadFile | None:
        """Read one file. One that can't be read costs only itself, and says why in the ledger.

        A service that does not answer is no fault of the file: then the whole step fails, visibly, and the
        file waits as if it had not been tried.
        """
        try:
            if file.attempts > self.settings.file_attempts:
                raise FileGivenUpError(file)
            return self._read(file)
        except _SERVICE_ERRORS:
            raise
        except CaptureFileGoneError as error:
            state, reason = FileState.GONE, str(error)
        except CaptureFileChangedError as error:
            state, reason = FileState.SUPERSEDED, str(error)
        except FileGivenUpError as error:
            state, reason = FileState.FAILED, str(error)
        except Exception as error:  # noqa: BLE001 (whatever it is, the other files go on)
            last = file.attempts >= self.settings.file_attempts
            state = FileState.FAILED if last else FileState.WAITING
            reason = f"capture file {file.path}: attempt {file.attempts}: {type(error).__name__}: {error}"
        if file.completions and state in (FileState.GONE, FileState.SUPERSEDED):
            # What it held is in the lake; that it can't be read once more takes nothing away.
            state = FileState.DONE
        self._put_aside(FileNotDone(file, state, reason), result)
        return None

    def _read(self, file: LedgerFile) -> _ReadFile:
        """Read a file and write what of it stands for itself."""
        contents = self._contents(file)
        outputs = write_contents(
            self.lake,
            contents,
            customer=file.customer,
            path=file.path,
            etag=file.etag,
            window=file.name.window,
        )
        counts = Counts(
            files=1,
            events=contents.events,
            records=contents.records,
            passed_through=len(contents.passed),
            duplicates=contents.duplicates,
            quarantined=len(contents.quarantined),
            bytes=file.size,
        )
        return _ReadFile(file, counts, contents.staged, contents.spans, tuple(outputs))

    def _contents(self, file: LedgerFile) -> Contents:
        data = self.container.read(file.path, file.etag)
        found = list(scan(data, self.settings.max_body_bytes))
        numbers = [event.sequence_number for event in found if isinstance(event, CapturedEvent)]
        seen: list[Span] = []
        own: list[Span] = []
        if numbers:
            with self.store.read() as connection:
                seen = spans.spans_of_others(connection, file, min(numbers), max(numbers))
                own = spans.spans_of(connection, file)
        return read_contents(found, data, window=file.name.window, seen=seen, own=own)

    def _put_aside(self, one: FileNotDone, result: StepResult) -> None:
        with self.store.write() as connection:
            ledger.put_aside(
                connection, one.file.id, one.state, one.reason, owner=self.run_id, now=self.clock()
            )
        result.not_done.append(one)

    def _commit(self, held: Held, read: Sequence[_ReadFile], result: StepResult) -> None:
        """One transaction: files are done, their events known, their records in their operations."""
        touched = {record.operation_id for one in read for record in one.staged}
        with self.store.read() as connection:
            closed = closed_operations.closed_among(connection, held.customer, touched)
        # Nobody else changes them before the transaction: it fails where the customer is no longer held.
        reopened = read_back(self.lake, held.customer, closed)
        merged: dict[int, int] = {}
        with held.transaction() as connection:
            closed_operations.open_again(connection, held.customer, reopened)
            now = self.clock()
            still = ledger.still_held(connection, [one.file.id for one in read], owner=self.run_id)
            read = [one for one in read if one.file.id in still]
            brought = [Brought(one.file, one.staged) for one in read]
            merged = operations.add_records(connection, held.customer, brought, self.settings.patience, now)
            for one in read:
                spans.replace_spans(connection, one.file, one.spans)
                counts = one.counts_with(merged[one.file.id])
                ledger.complete(connection, one.file.id, counts, one.outputs, run_id=self.run_id, now=now)
        result.reopened[held.customer] += len(reopened)
        result.not_in_lake += [name for name, (_, records) in reopened.items() if not records]
        with self.store.read() as connection:
            in_store = operations.records_of_files(connection, held.customer, touched)
        for one in read:
            for stale in set(one.file.outputs) - set(one.outputs):
                self.lake.delete(stale)
            counts = one.counts_with(merged[one.file.id])
            result.done.append(DoneFile(one.file, counts, one.outputs, in_store[one.file.id]))


_SERVICE_ERRORS: Final = (AzureError, OSError, OperationalError)
"""What says that a service did not answer, and nothing about the file."""


def _no_fault_of_a_file(error: BaseException) -> bool:
    """Whether a step ended by Ctrl-C, by being cancelled, overtaken, or by a service that did not answer."""
    return isinstance(error, (*_SERVICE_ERRORS, LeaseLostError)) or not isinstance(error, Exception)


class FileGivenUpError(RuntimeError):
    """A file every run that tried it died of."""

    def __init__(self, file: LedgerFile) -> None:
        tries = file.attempts - 1
        super().__init__(
            f"capture file {file.path}: given up after {tries} attempts whose runs ended without a word"
        )
