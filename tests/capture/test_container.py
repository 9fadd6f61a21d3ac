"""What the capture container promises: the content that was announced, or a word why not; whole listings."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import ContainerClient
from pydantic import SecretStr

from azmdr.azure.storage import blob_container
from azmdr.capture import container as capture_container
from azmdr.capture.container import CaptureContainer, CaptureFileChangedError, CaptureFileGoneError
from azmdr.capture.messages import etag_text
from lab.azurite import ACCOUNT_KEY, AzuriteServer

PATH = "2026/11/24/09/azure-logs-westeurope-01/contoso/0/05/00.avro"


@pytest.fixture
def client(azurite: AzuriteServer) -> ContainerClient:
    """A new, empty container."""
    url = f"{azurite.blob_endpoint}/capture-{uuid.uuid4().hex}"
    made, _ = blob_container(url, SecretStr(ACCOUNT_KEY))
    made.create_container()
    return made


@pytest.fixture
def container(client: ContainerClient) -> CaptureContainer:
    """The same, as the product reads it."""
    return CaptureContainer(client)


def upload(client: ContainerClient, path: str, content: bytes = b"Obj\x01") -> str:
    """Write a blob; returns its bare etag."""
    return etag_text(client.upload_blob(path, content, overwrite=True).get_blob_properties().etag)


@pytest.mark.parametrize(
    "content", [b"Obj\x01content", b"", bytes(5 * 2**20)], ids=["small", "empty", "5 MiB"]
)
def test_a_file_reads_as_it_was_announced(
    client: ContainerClient, container: CaptureContainer, content: bytes
) -> None:
    assert container.read(PATH, upload(client, PATH, content)) == content


def test_a_file_written_anew_is_not_taken_for_the_one_announced(
    client: ContainerClient, container: CaptureContainer
) -> None:
    announced = upload(client, PATH, b"old")
    current = upload(client, PATH, b"new")
    with pytest.raises(CaptureFileChangedError) as changed:
        container.read(PATH, announced)
    assert PATH in str(changed.value)
    assert announced in str(changed.value)
    assert container.read(PATH, current) == b"new"


def test_an_empty_file_written_anew_is_not_taken_for_the_one_announced(
    client: ContainerClient, container: CaptureContainer
) -> None:
    announced = upload(client, PATH, b"old")
    upload(client, PATH, b"")
    with pytest.raises(CaptureFileChangedError):
        container.read(PATH, announced)


def test_a_file_that_is_gone_is_named(client: ContainerClient, container: CaptureContainer) -> None:
    etag = upload(client, PATH)
    client.delete_blob(PATH)
    with pytest.raises(CaptureFileGoneError, match=PATH):
        container.read(PATH, etag)


def test_a_listing_over_several_pages_is_whole(
    client: ContainerClient, container: CaptureContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture_container, "LISTING_PAGE", 3)
    etags = {
        f"2026/{number}.avro": upload(client, f"2026/{number}.avro", b"x" * number) for number in range(8)
    }
    listed = list(container.list(""))
    assert {blob.path: blob.etag for blob in listed} == etags
    assert [blob.size for blob in listed] == list(range(8))


def test_a_listing_takes_only_what_begins_with_its_prefix(
    client: ContainerClient, container: CaptureContainer
) -> None:
    for path in ("2026/11/24/09/a.avro", "2026/11/24/09/b/c.avro", "2026/11/24/10/a.avro", "2026/11/24/0"):
        upload(client, path)
    assert [blob.path for blob in container.list("2026/11/24/09/")] == [
        "2026/11/24/09/a.avro",
        "2026/11/24/09/b/c.avro",
    ]
    assert list(container.list("2027/")) == []


def test_a_listed_file_reads_by_the_etag_it_is_listed_with(
    client: ContainerClient, container: CaptureContainer
) -> None:
    upload(client, PATH, b"content")
    (blob,) = container.list("")
    assert container.read(blob.path, blob.etag) == b"content"
    assert abs(blob.modified - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_listing_that_can_not_be_had_is_an_error_and_not_an_empty_one(
    client: ContainerClient, container: CaptureContainer
) -> None:
    client.delete_container()
    with pytest.raises(HttpResponseError):
        list(container.list(""))


def test_name_and_url_say_which_container_it_is(client: ContainerClient, container: CaptureContainer) -> None:
    assert container.url.endswith(f"/{container.name}")
    assert client.container_name == container.name
    assert "?" not in container.url
