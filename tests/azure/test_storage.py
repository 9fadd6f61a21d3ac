"""What an address of Azure Storage promises: a client for what it names, or an error without a secret."""

import traceback
import uuid
from collections.abc import Callable

import pytest
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient
from pydantic import SecretStr

from azmdr.azure.storage import StorageAddressError, blob_container, queue
from lab.azurite import ACCOUNT_KEY, AzuriteServer

KEY = SecretStr(ACCOUNT_KEY)

SECRET = "hunter2"
"""Stands where a wrong address may carry a secret."""


def test_a_container_of_azure_is_named_by_account_and_path() -> None:
    container, prefix = blob_container("https://logs.blob.core.windows.net/capture", KEY)
    assert (container.account_name, container.container_name, prefix) == ("logs", "capture", "")
    assert container.url == "https://logs.blob.core.windows.net/capture"


@pytest.mark.parametrize("path", ["lake/team/a", "lake/team/a/", "lake//team/a"])
def test_what_stands_behind_a_container_is_a_prefix_that_ends_in_a_slash(path: str) -> None:
    container, prefix = blob_container(f"https://logs.blob.core.windows.net/{path}", KEY)
    assert (container.container_name, prefix) == ("lake", "team/a/")


def test_a_queue_of_azure_is_named_by_account_and_path() -> None:
    client = queue("https://logs.queue.core.windows.net/capture-files", KEY)
    assert (client.account_name, client.queue_name) == ("logs", "capture-files")


@pytest.mark.parametrize("host", ["127.0.0.1:10000", "localhost:10000", "[::1]:10000"])
def test_an_emulators_account_is_the_first_part_of_the_path(host: str) -> None:
    container, prefix = blob_container(f"http://{host}/devstoreaccount1/lake/team", KEY)
    assert (container.container_name, prefix) == ("lake", "team/")
    assert container.url == f"http://{host}/devstoreaccount1/lake"
    assert queue(f"http://{host}/devstoreaccount1/files", KEY).queue_name == "files"


def test_the_emulator_takes_what_is_addressed_so(azurite: AzuriteServer) -> None:
    name = f"address-{uuid.uuid4().hex}"
    container, _ = blob_container(f"{azurite.blob_endpoint}/{name}", KEY)
    container.create_container()
    assert container.exists()
    client = queue(f"{azurite.queue_endpoint}/{name}", KEY)
    client.create_queue()
    client.send_message("as it is <&> ü")
    assert [message.content for message in client.receive_messages()] == ["as it is <&> ü"]


def test_without_a_key_the_identity_of_the_machine_is_used() -> None:
    container, _ = blob_container("https://logs.blob.core.windows.net/capture", None)
    assert type(container.credential).__name__ == "DefaultAzureCredential"


def address_container(url: str) -> ContainerClient:
    return blob_container(url, KEY)[0]


def address_queue(url: str) -> QueueClient:
    return queue(url, KEY)


@pytest.mark.parametrize("address", [address_container, address_queue])
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://logs.blob.core.windows.net", "names no container|does not name one queue"),
        ("https://logs.blob.core.windows.net/", "names no container|does not name one queue"),
        ("http://127.0.0.1:10000", "names no account"),
        ("http://127.0.0.1:10000/devstoreaccount1", "names no container|does not name one queue"),
        ("capture", "must begin with https:// and a host"),
        ("ftp://logs.blob.core.windows.net/capture", "must begin with https:// and a host"),
        ("https:///capture", "must begin with https:// and a host"),
        ("https://[::1/capture", "must begin with https:// and a host"),
        ("", "must begin with https:// and a host"),
        ("https://logs.blob.core.windows.net/capture?sig=hunter2", "must not carry a credential"),
        ("https://logs.blob.core.windows.net/capture#sig=hunter2", "must not carry a credential"),
        ("https://logs:hunter2@logs.blob.core.windows.net/capture", "must not carry a credential"),
        ("DefaultEndpointsProtocol=https;AccountName=logs;AccountKey=hunter2", "must begin with https://"),
        ("hunter2://logs/capture", "must begin with https://"),
    ],
)
def test_a_wrong_address_is_refused_with_the_reason_and_without_a_secret(
    address: Callable[[str], object], url: str, reason: str
) -> None:
    with pytest.raises(StorageAddressError, match=reason) as refused:
        address(url)
    assert SECRET not in "".join(traceback.format_exception(refused.value)) + repr(refused.value)


def test_an_address_of_two_names_is_no_queue() -> None:
    with pytest.raises(
        StorageAddressError, match=r"https://logs\.queue\.core\.windows\.net/a/b: does not name one"
    ):
        queue("https://logs.queue.core.windows.net/a/b", KEY)


def test_a_client_does_not_show_its_key() -> None:
    container, _ = blob_container("https://logs.blob.core.windows.net/capture", KEY)
    for client in (container, queue("https://logs.queue.core.windows.net/files", KEY)):
        assert ACCOUNT_KEY not in f"{client!r} {client} {client.url} {client.credential!r}"
