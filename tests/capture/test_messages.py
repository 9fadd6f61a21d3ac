"""What decoding a queue message promises: one blob, or an error that says which field is wrong."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.capture.messages import BlobCreated, MessageError, decode_blob_created, etag_text

PATH = "2026/11/24/09/azure-log-ingest-01/logs/3/05/07.avro"
DATA: dict[str, Any] = {
    "api": "PutBlockList",
    "requestId": "831e1650-001e-001b-66ab-eeb76e000000",
    "eTag": "0x8D4BCC2E4835CD0",
    "contentType": "application/octet-stream",
    "contentLength": 524288,
    "blobType": "BlockBlob",
    "url": f"https://mdrcapture.blob.core.windows.net/captures/{PATH}",
    "sequencer": "00000000000004420000000000028963",
    "storageDiagnostics": {"batchId": "b68529f3-68cd-4744-baa4-3c0498ec19f0"},
}
EVENT: dict[str, Any] = {
    "topic": "/subscriptions/0/resourceGroups/mdr/providers/Microsoft.Storage/storageAccounts/mdrcapture",
    "subject": f"/blobServices/default/containers/captures/blobs/{PATH}",
    "eventType": "Microsoft.Storage.BlobCreated",
    "eventTime": "2026-11-24T09:05:08.9584103Z",
    "id": "831e1650-001e-001b-66ab-eeb76e069631",
    "data": DATA,
    "dataVersion": "",
    "metadataVersion": "1",
}
ABSENT = object()


def message(content: Any) -> str:
    return b64encode(json.dumps(content).encode()).decode()


def event_with(field: str, value: Any) -> dict[str, Any]:
    """The event with one field changed, or left out; ``data.`` reaches into its data."""
    outer, _, inner = field.rpartition(".")
    changed = {**(DATA if outer else EVENT), inner: value}
    kept = {name: content for name, content in changed.items() if content is not ABSENT}
    return {**EVENT, "data": kept} if outer else kept


EXPECTED = BlobCreated(
    event_id="831e1650-001e-001b-66ab-eeb76e069631",
    container="captures",
    path=PATH,
    etag="0x8D4BCC2E4835CD0",
    size=524288,
    created=datetime(2026, 11, 24, 9, 5, 8, 958410, tzinfo=UTC),
)


@pytest.mark.parametrize(
    "content", [message(EVENT), message(EVENT).encode(), message([EVENT]), f"{message(EVENT)}\n"]
)
def test_an_event_says_which_blob_was_written(content: str | bytes) -> None:
    assert decode_blob_created(content) == EXPECTED


@pytest.mark.parametrize(
    "path", ["a b/ü?#%2f+.avro", "x", "a/blobs/b", "/containers/other/blobs/x", "line\nbreak"]
)
def test_the_path_is_the_blobs_name_as_it_is(path: str) -> None:
    event = event_with("subject", f"/blobServices/default/containers/captures/blobs/{path}")
    assert decode_blob_created(message(event)).path == path


@pytest.mark.parametrize("container", ["abc", "a-1", "$root", "$logs", "c" * 63])
def test_every_container_name_azure_allows_is_read(container: str) -> None:
    event = event_with("subject", f"/blobServices/default/containers/{container}/blobs/x")
    assert decode_blob_created(message(event)).container == container


def test_the_time_is_in_utc_whatever_its_zone() -> None:
    created = decode_blob_created(message(event_with("eventTime", "2026-11-24T10:05:08+01:00"))).created
    assert created == datetime(2026, 11, 24, 9, 5, 8, tzinfo=UTC)
    assert created.tzinfo is UTC


def test_the_etag_is_bare_in_every_way_azure_writes_it() -> None:
    for etag in ("0x8D4BCC2E4835CD0", '"0x8D4BCC2E4835CD0"', 'W/"0x8D4BCC2E4835CD0"'):
        assert etag_text(etag) == "0x8D4BCC2E4835CD0"
        assert decode_blob_created(message(event_with("data.eTag", etag))).etag == "0x8D4BCC2E4835CD0"


@given(st.text("0123456789ABCDEFx", min_size=1))
def test_a_bare_etag_stays_as_it_is(etag: str) -> None:
    assert etag_text(etag) == etag == etag_text(f'"{etag}"') == etag_text(f'W/"{etag}"')


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[(field, ABSENT) for field in ("id", "eventType", "subject", "eventTime", "data")],
        *[(field, 5) for field in ("id", "eventType", "subject", "eventTime", "data")],
        *[(f"data.{field}", ABSENT) for field in ("eTag", "contentLength", "url")],
        *[(f"data.{field}", None) for field in ("eTag", "contentLength", "url")],
        ("id", ""),
        ("eventType", "Microsoft.Storage.BlobDeleted"),
        ("eventTime", "2026-11-24T09:05:08"),
        ("eventTime", "yesterday"),
        ("eventTime", "0001-01-01T00:00:00+14:00"),
        ("subject", ""),
        ("subject", "/blobServices/default/containers/captures"),
        ("subject", "/blobServices/default/containers/captures/blobs/"),
        ("subject", "/blobServices/default/containers//blobs/x"),
        ("subject", "/blobServices/default/containers/../blobs/x"),
        ("subject", "/blobServices/default/containers/Captures/blobs/x"),
        ("subject", "/blobServices/default/containers/a--b/blobs/x"),
        ("subject", "/blobServices/default/containers/ab/blobs/x"),
        ("subject", f"/blobServices/default/containers/{'c' * 64}/blobs/x"),
        ("subject", "/queueServices/default/containers/captures/blobs/x"),
        ("subject", "x/blobServices/default/containers/captures/blobs/x"),
        ("data.eTag", ""),
        ("data.eTag", '""'),
        ("data.contentLength", -1),
        ("data.contentLength", "12"),
        ("data.contentLength", 1.5),
        ("data.contentLength", True),
        ("data.url", ""),
    ],
)
def test_a_field_that_is_missing_or_wrong_is_named(field: str, value: Any) -> None:
    with pytest.raises(MessageError) as caught:
        decode_blob_created(message(event_with(field, value)))
    assert field.rpartition(".")[2] in caught.value.reason
    assert str(caught.value) == caught.value.reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "can't be read"),
        ("{not base64}", "not base64"),
        ("é", "not base64"),
        (json.dumps(EVENT), "not base64"),
        (message(EVENT)[:40] + "!" + message(EVENT)[40:], "not base64"),
        (b64encode(b"{"), "can't be read"),
        (b64encode(b'"\xff"'), "can't be read"),
        (b64encode(b'{"id":"\xff"}'), "can't be read"),
        (b64encode(b"[" * 100_000), "can't be read"),
        (b64encode(b'{"x":' + b"[" * 100_000), "can't be read"),
        (message("text"), "can't be read"),
        (message([]), "array of 0"),
        (message([EVENT, EVENT]), "array of 2"),
    ],
)
def test_a_message_that_is_no_event_is_refused_with_the_reason(content: str | bytes, reason: str) -> None:
    with pytest.raises(MessageError, match=reason):
        decode_blob_created(content)


@given(st.one_of(st.text(), st.binary(), st.binary().map(b64encode)))
def test_no_content_raises_anything_but_a_message_error(content: str | bytes) -> None:
    with pytest.raises(MessageError):
        decode_blob_created(content)


@given(st.text(min_size=1, max_size=500))
def test_an_error_never_repeats_the_whole_content(secret: str) -> None:
    content = {"id": "1", "secret": f"<{secret}>"}
    with pytest.raises(MessageError) as caught:
        decode_blob_created(message(content))
    assert json.dumps(content) not in caught.value.reason
    assert len(caught.value.reason) < 400


def test_an_error_about_a_long_field_stays_short() -> None:
    with pytest.raises(MessageError) as caught:
        decode_blob_created(message(event_with("eventType", "x" * 100_000)))
    assert len(caught.value.reason) < 400
