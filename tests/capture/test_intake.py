"""What the intake promises: every announced or listed file becomes a row, whatever fails on the way."""

import base64
import json
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from azmdr.azure.storage import blob_container, queue
from azmdr.capture.container import CaptureContainer, ListedBlob
from azmdr.capture.intake import Intake, Naming, prefixes_to_list, take_listing, take_messages
from azmdr.capture.names import AZURE_DEFAULT, TIME_FIRST, CaptureName
from azmdr.capture.queue import CaptureQueue, QueueMessage
from azmdr.store.database import Store
from azmdr.store.listing import complete_until
from azmdr.store.tables import CAPTURE_FILE
from lab.announcement import Announcement, announcement_of, blob_created, message
from lab.azurite import ACCOUNT_KEY, AzuriteServer

KEY = SecretStr(ACCOUNT_KEY)
CAPTURE_URL = "https://logs.blob.core.windows.net/capture"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HIDDEN_FOR = 1.0


@dataclass(frozen=True, slots=True)
class Queues:
    """The capture queue and its poison queue, seen by Azure and by the product."""

    messages: QueueClient
    poison: QueueClient

    @property
    def product(self) -> CaptureQueue:
        return CaptureQueue(self.messages, self.poison)

    def send(self, *contents: str) -> None:
        for content in contents:
            self.messages.send_message(content)

    def left(self) -> int:
        """Messages on the capture queue, hidden ones too."""
        return self.messages.get_queue_properties().approximate_message_count or 0

    def set_aside(self) -> list[dict[str, Any]]:
        return [json.loads(one.content) for one in self.poison.receive_messages()]


@pytest.fixture
def queues(azurite: AzuriteServer) -> Queues:
    """An empty capture queue and an empty poison queue."""
    name = f"files-{uuid.uuid4().hex}"
    both = Queues(
        queue(f"{azurite.queue_endpoint}/{name}", KEY), queue(f"{azurite.queue_endpoint}/{name}-poison", KEY)
    )
    both.messages.create_queue()
    both.poison.create_queue()
    return both


@pytest.fixture
def blobs(azurite: AzuriteServer) -> ContainerClient:
    """An empty capture container."""
    made, _ = blob_container(f"{azurite.blob_endpoint}/capture-{uuid.uuid4().hex}", KEY)
    made.create_container()
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty state store."""
    opened = Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}")
    yield opened
    opened.close()


def name(minute: int = 0, *, customer: str = "contoso", hour: datetime = NOON) -> CaptureName:
    return CaptureName("azure-logs-westeurope-01", customer, "0", hour + timedelta(minutes=minute))


def path(minute: int = 0) -> str:
    return TIME_FIRST.build(name(minute))


def announced(file: str, etag: str = "0x8DE0001", container_url: str = CAPTURE_URL) -> str:
    """The message that announces a file."""
    return message(announcement_of(file, 1000, NOON), container_url, etag)


def changed(**fields: Any) -> str:
    """A message that announces a file of ours, but for some fields."""
    event: dict[str, Any] = blob_created(Announcement("e-1", path(), 1000, NOON), CAPTURE_URL, "0x1")
    data = {**event.pop("data"), **fields.pop("data", {})}
    return base64.b64encode(json.dumps({**event, **fields, "data": data}).encode()).decode()


def take(store: Store, capture_queue: CaptureQueue, *, visibility: float = 60, attempts: int = 5) -> Intake:
    return take_messages(
        store,
        capture_queue,
        Naming("capture", TIME_FIRST),
        visibility_seconds=visibility,
        message_attempts=attempts,
        budget_seconds=30,
    )


def ledger(store: Store) -> list[tuple[str, str, str]]:
    """Every row of the ledger: path, etag and by what it was found, in order of the window."""
    with store.read() as connection:
        columns = (CAPTURE_FILE.c.path, CAPTURE_FILE.c.etag, CAPTURE_FILE.c.found_by)
        rows = connection.execute(select(*columns).order_by(CAPTURE_FILE.c.window, CAPTURE_FILE.c.id))
        return [(row.path, row.etag, row.found_by) for row in rows]


def wait_until_visible() -> None:
    time.sleep(HIDDEN_FOR + 0.1)


# Messages


def test_a_message_becomes_a_row_and_leaves_the_queue(store: Store, queues: Queues) -> None:
    queues.send(announced(path()))
    intake = take(store, queues.product)
    assert (intake.files, intake.new, intake.refused) == (1, 1, [])
    assert ledger(store) == [(path(), "0x8DE0001", "message")]
    assert queues.left() == 0


def test_a_file_named_in_azures_default_order_is_taken_too(store: Store, queues: Queues) -> None:
    queues.send(announced(AZURE_DEFAULT.build(name())))
    assert take(store, queues.product).new == 1


def test_a_file_belongs_to_the_customer_its_hub_is_named_after(store: Store, queues: Queues) -> None:
    queues.send(announced(TIME_FIRST.build(name(customer="ConToso"))))
    take(store, queues.product)
    with store.read() as connection:
        row = connection.execute(select(CAPTURE_FILE)).one()
    assert (row.customer, row.event_hub, row.day, row.uploaded_at) == (
        "contoso",
        "ConToso",
        "2026-11-24",
        NOON,
    )


def test_messages_twice_and_out_of_order_make_one_row_a_file(store: Store, queues: Queues) -> None:
    minutes = [3, 1, 2, 1, 3, 3, 0]
    queues.send(*(announced(path(minute)) for minute in minutes))
    intake = take(store, queues.product)
    assert (intake.files, intake.new) == (7, 4)
    assert [row[0] for row in ledger(store)] == [path(minute) for minute in range(4)]


def test_a_file_written_anew_is_a_row_of_its_own(store: Store, queues: Queues) -> None:
    queues.send(announced(path(), "0x1"), announced(path(), "0x2"))
    assert take(store, queues.product).new == 2


def test_more_messages_than_come_at_once_are_all_taken(store: Store, queues: Queues) -> None:
    queues.send(*(announced(path(minute)) for minute in range(40)))
    assert take(store, queues.product).new == 40
    assert queues.left() == 0


def test_a_crash_between_commit_and_delete_loses_and_adds_nothing(store: Store, queues: Queues) -> None:
    class Crashing(CaptureQueue):
        def delete(self, messages: Sequence[QueueMessage]) -> None:
            raise KeyboardInterrupt(f"before deleting {len(messages)} messages")

    queues.send(announced(path(0)), announced(path(1)))
    with pytest.raises(KeyboardInterrupt):
        take(store, Crashing(queues.messages, queues.poison), visibility=HIDDEN_FOR)
    assert (len(ledger(store)), queues.left()) == (2, 2)
    wait_until_visible()
    again = take(store, queues.product)
    assert (again.files, again.new, queues.left()) == (2, 0, 0)


def test_while_the_store_fails_every_message_stays_on_the_queue(store: Store, queues: Queues) -> None:
    queues.send(announced(path(0)), announced(path(1)))
    with store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE capture_file RENAME TO out_of_order")
    with pytest.raises(DBAPIError):
        take(store, queues.product, visibility=HIDDEN_FOR)
    assert queues.left() == 2
    with store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE out_of_order RENAME TO capture_file")
    wait_until_visible()
    assert take(store, queues.product).new == 2
    assert queues.left() == 0


def test_no_more_time_is_used_than_given(store: Store, queues: Queues) -> None:
    class NeverEmpty(CaptureQueue):
        def receive(self, visibility_seconds: float) -> list[QueueMessage]:
            queues.send(announced(path()))
            return super().receive(visibility_seconds)

    begin = time.monotonic()
    intake = take_messages(
        store,
        NeverEmpty(queues.messages, queues.poison),
        Naming("capture", TIME_FIRST),
        visibility_seconds=60,
        message_attempts=5,
        budget_seconds=0.3,
    )
    assert intake.files >= 1
    assert time.monotonic() - begin < 5


def test_without_time_no_message_is_touched(store: Store, queues: Queues) -> None:
    queues.send(announced(path()))
    intake = take_messages(
        store,
        queues.product,
        Naming("capture", TIME_FIRST),
        visibility_seconds=60,
        message_attempts=5,
        budget_seconds=0,
    )
    assert (intake.files, len(queues.product.receive(60))) == (0, 1)


UNUSABLE = {
    "no base64": ("<event/>", "base64"),
    "no JSON": (base64.b64encode(b"{").decode(), "the event can't be read"),
    "an empty text": ("", "the event can't be read"),
    "another event": (changed(eventType="Microsoft.Storage.BlobDeleted"), "eventType"),
    "another container": (announced(path(), container_url=CAPTURE_URL + "2"), "container 'capture2'"),
    "no blob": (changed(subject="/blobServices/default/containers/capture"), "subject"),
    "a size below zero": (changed(data={"contentLength": -1}), "contentLength"),
    "an etag no database keeps": (changed(data={"eTag": "0x1\x00"}), "eTag"),
    "no capture file": (announced("2026/11/24/readme.txt"), "readme.txt"),
    "an impossible date": (announced(path().replace("2026/11", "2026/13")), "date is impossible"),
    "a way out of the container": (announced(f"../{path()}"), "relative segment"),
    "a way out within the name": (announced(path().replace("contoso", "..")), "relative segment"),
    "a hub that is no customer": (announced(TIME_FIRST.build(name(customer="con..toso"))), "con..toso"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_message_nobody_can_use_is_set_aside_with_the_reason_and_the_others_go_on(
    store: Store, queues: Queues, kind: str
) -> None:
    content, reason = UNUSABLE[kind]
    queues.send(announced(path(0)), content, announced(path(1)))
    intake = take(store, queues.product)
    assert (intake.files, intake.new, len(intake.refused)) == (2, 2, 1)
    (kept,) = queues.set_aside()
    assert reason in kept["reason"]
    assert kept["content"] == content
    assert kept["message_id"] in intake.refused[0]
    assert queues.left() == 0


def test_what_a_message_may_say_any_database_takes(store_url: str, queues: Queues) -> None:
    store = Store.open(store_url)
    longest = TIME_FIRST.build(CaptureName("n" * 50, "c" * 256, "99999", NOON))
    queues.send(
        announced(longest, "0x" + "8" * 200),
        changed(data={"contentLength": 2**63 - 1, "eTag": "ü'%s\"\\ ?"}, eventTime="9999-12-31T23:59:59Z"),
        changed(data={"eTag": "0x\x00"}),
    )
    intake = take(store, queues.product)
    assert (intake.new, len(intake.refused), queues.left()) == (2, 1, 0)
    store.close()


def test_a_message_received_too_often_is_set_aside(store: Store, queues: Queues) -> None:
    queues.send(announced(path()))
    queues.product.receive(HIDDEN_FOR)
    wait_until_visible()
    intake = take(store, queues.product, attempts=1)
    assert (intake.files, ledger(store)) == (0, [])
    assert [one["reason"] for one in queues.set_aside()] == ["received 2 times without success"]


def test_a_message_received_as_often_as_allowed_is_used(store: Store, queues: Queues) -> None:
    queues.send(announced(path()))
    queues.product.receive(HIDDEN_FOR)
    wait_until_visible()
    assert take(store, queues.product, attempts=2).new == 1


# Listings


def list_files(store: Store, container: CaptureContainer, now: datetime = NOON + HOUR / 2) -> Intake:
    return take_listing(
        store,
        container,
        Naming("capture", TIME_FIRST),
        now=now,
        look_back=2 * HOUR,
        grace=HOUR / 4,
    )


def mark(store: Store, container: CaptureContainer) -> datetime | None:
    with store.read() as connection:
        return complete_until(connection, container.url)


def test_a_file_whose_message_was_lost_is_found(store: Store, queues: Queues, blobs: ContainerClient) -> None:
    etags = [blobs.upload_blob(path(minute), b"Obj\x01").get_blob_properties().etag for minute in range(3)]
    queues.send(announced(path(1), etags[1]))
    take(store, queues.product)
    container = CaptureContainer(blobs)
    intake = list_files(store, container)
    assert (intake.files, intake.new, intake.refused) == (3, 2, [])
    assert [row[2] for row in ledger(store)] == ["listing", "message", "listing"]
    assert [row[1] for row in ledger(store)] == [etag.strip('"') for etag in etags]
    assert mark(store, container) == NOON + HOUR / 4
    assert list_files(store, container).new == 0


def test_a_blob_that_is_no_capture_file_is_named_and_not_taken(store: Store, blobs: ContainerClient) -> None:
    blobs.upload_blob(path(0), b"Obj\x01")
    for foreign in (
        "2026/11/24/12/notes.txt",
        TIME_FIRST.build(name(1, customer="con..toso")),
        "other/x.avro",
    ):
        blobs.upload_blob(foreign, b"")
    intake = list_files(store, CaptureContainer(blobs))
    assert [row[0] for row in ledger(store)] == [path(0)]
    assert len(intake.refused) == 3
    again = list_files(store, CaptureContainer(blobs))
    assert len(again.refused) == 2, "the second listing begins with the hours, where only two of them are"
    assert "notes.txt" in "".join(intake.refused)
    assert "con..toso" in "".join(intake.refused)


def test_a_listing_that_fails_half_way_moves_no_mark_and_loses_nothing(
    store: Store, blobs: ContainerClient
) -> None:
    class SecondPageFails(CaptureContainer):
        def list(self, prefix: str) -> Iterator[ListedBlob]:
            for number, blob in enumerate(super().list(prefix)):
                if number == 2:
                    raise ServiceRequestError("the second page did not arrive")
                yield blob

    for minute in range(4):
        blobs.upload_blob(path(minute), b"Obj\x01")
    container = CaptureContainer(blobs)
    with pytest.raises(ServiceRequestError):
        list_files(store, SecondPageFails(blobs))
    assert mark(store, container) is None
    list_files(store, container)
    assert [row[0] for row in ledger(store)] == [path(minute) for minute in range(4)]
    with pytest.raises(ServiceRequestError):
        list_files(store, SecondPageFails(blobs), NOON + HOUR)
    assert mark(store, container) == NOON + HOUR / 4


def test_a_container_that_can_not_be_listed_moves_no_mark(store: Store, blobs: ContainerClient) -> None:
    blobs.delete_container()
    container = CaptureContainer(blobs)
    with pytest.raises(HttpResponseError):
        list_files(store, container)
    assert mark(store, container) is None


def test_what_arrived_of_a_long_listing_is_kept_when_the_rest_fails(
    store: Store, blobs: ContainerClient
) -> None:
    class Long(CaptureContainer):
        def list(self, prefix: str) -> Iterator[ListedBlob]:
            assert prefix == ""
            for second in range(1500):
                window = NOON + timedelta(seconds=second)
                yield ListedBlob(TIME_FIRST.build(name(hour=window)), "0x1", 1, NOON)
            raise ServiceRequestError("the next page did not arrive")

    with pytest.raises(ServiceRequestError):
        list_files(store, Long(blobs))
    assert len(ledger(store)) == 1000


# What to list


def test_the_first_listing_is_of_everything(store: Store, blobs: ContainerClient) -> None:
    assert prefixes_to_list(TIME_FIRST, None, NOON, HOUR) == [""]
    long_ago = TIME_FIRST.build(name(hour=NOON - 24 * 90 * HOUR))
    blobs.upload_blob(long_ago, b"Obj\x01")
    list_files(store, CaptureContainer(blobs))
    assert [row[0] for row in ledger(store)] == [long_ago]


def test_the_hours_since_the_mark_are_listed_and_always_those_looked_back_on() -> None:
    now = NOON + HOUR / 2
    assert prefixes_to_list(TIME_FIRST, NOON - 3 * HOUR, now, HOUR) == [
        "2026/11/24/09/",
        "2026/11/24/10/",
        "2026/11/24/11/",
        "2026/11/24/12/",
    ]
    assert prefixes_to_list(TIME_FIRST, now, now, HOUR) == ["2026/11/24/11/", "2026/11/24/12/"]


def test_hours_go_on_across_the_border_of_a_year() -> None:
    midnight = datetime(2027, 1, 1, 0, 5, tzinfo=UTC)
    assert prefixes_to_list(TIME_FIRST, midnight - HOUR, midnight, HOUR) == [
        "2026/12/31/23/",
        "2027/01/01/00/",
    ]


def test_hours_go_on_across_a_leap_day() -> None:
    begin = datetime(2028, 2, 28, 22, tzinfo=UTC)
    prefixes = prefixes_to_list(TIME_FIRST, begin, begin + 27 * HOUR, HOUR)
    assert (prefixes[0], prefixes[2], prefixes[-1]) == ("2028/02/28/22/", "2028/02/29/00/", "2028/03/01/01/")
    assert len(prefixes) == 28


def test_where_names_do_not_begin_with_the_time_everything_is_listed() -> None:
    assert prefixes_to_list(AZURE_DEFAULT, NOON, NOON, HOUR) == [""]


moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)


@given(
    now=moments,
    since_mark=st.timedeltas(timedelta(0), timedelta(days=3)),
    look_back=st.timedeltas(timedelta(0), timedelta(days=2)),
    age=st.timedeltas(timedelta(0), timedelta(days=3)),
)
def test_every_file_written_since_the_mark_begins_with_exactly_one_prefix(
    now: datetime, since_mark: timedelta, look_back: timedelta, age: timedelta
) -> None:
    prefixes = prefixes_to_list(TIME_FIRST, now - since_mark, now, look_back)
    file = TIME_FIRST.build(name(hour=now - age))
    matching = [prefix for prefix in prefixes if file.startswith(prefix)]
    assert len(matching) == 1 or (age > max(since_mark, look_back) and not matching)
