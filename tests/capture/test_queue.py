"""What the capture queue promises: at least once each, and nothing unusable thrown away."""

import json
import time
import uuid
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.queue import QueueClient
from pydantic import SecretStr

from azmdr.azure.storage import queue
from azmdr.capture.queue import CaptureQueue
from lab.azurite import ACCOUNT_KEY, AzuriteServer

KEY = SecretStr(ACCOUNT_KEY)
HIDDEN_FOR = 1.0


@pytest.fixture
def messages(azurite: AzuriteServer) -> QueueClient:
    """A new, empty queue."""
    client = queue(f"{azurite.queue_endpoint}/files-{uuid.uuid4().hex}", KEY)
    client.create_queue()
    return client


@pytest.fixture
def poison(azurite: AzuriteServer, messages: QueueClient) -> QueueClient:
    """The queue for what can't be used, which is not there yet."""
    return queue(f"{azurite.queue_endpoint}/{messages.queue_name}-poison", KEY)


@pytest.fixture
def capture_queue(messages: QueueClient, poison: QueueClient) -> CaptureQueue:
    """Both, as the product sees them."""
    return CaptureQueue(messages, poison)


def kept(poison: QueueClient) -> list[dict[str, Any]]:
    return [json.loads(message.content) for message in poison.receive_messages()]


def count(messages: QueueClient) -> int:
    """Messages on a queue, hidden ones too."""
    return messages.get_queue_properties().approximate_message_count or 0


def wait_until_visible() -> None:
    time.sleep(HIDDEN_FOR + 0.1)


def test_a_message_is_received_as_it_was_sent_and_hidden_then(
    messages: QueueClient, capture_queue: CaptureQueue
) -> None:
    messages.send_message("PGV2ZW50Lz4= <&> ü")
    (received,) = capture_queue.receive(60)
    assert (received.content, received.dequeue_count) == ("PGV2ZW50Lz4= <&> ü", 1)
    assert capture_queue.receive(60) == []


def test_no_more_than_32_come_at_once_and_none_is_lost(
    messages: QueueClient, capture_queue: CaptureQueue
) -> None:
    for number in range(40):
        messages.send_message(str(number))
    first, second = capture_queue.receive(60), capture_queue.receive(60)
    assert (len(first), len(second)) == (32, 8)
    assert {message.content for message in first + second} == {str(number) for number in range(40)}


def test_a_message_not_deleted_comes_again_and_is_counted(
    messages: QueueClient, capture_queue: CaptureQueue
) -> None:
    messages.send_message("again")
    (first,) = capture_queue.receive(HIDDEN_FOR)
    wait_until_visible()
    (second,) = capture_queue.receive(60)
    assert (second.id, second.dequeue_count) == (first.id, 2)


def test_a_deleted_message_is_gone_and_deleting_it_again_is_no_error(
    messages: QueueClient, capture_queue: CaptureQueue
) -> None:
    messages.send_message("done")
    received = capture_queue.receive(60)
    capture_queue.delete(received)
    capture_queue.delete(received)
    assert count(messages) == 0


def test_a_message_given_to_another_meanwhile_is_left_to_it(
    messages: QueueClient, capture_queue: CaptureQueue
) -> None:
    messages.send_message("slow")
    messages.send_message("slow too")
    stale = capture_queue.receive(HIDDEN_FOR)
    wait_until_visible()
    taken = capture_queue.receive(60)
    capture_queue.delete(stale)
    assert count(messages) == 2
    capture_queue.delete(taken)
    assert count(messages) == 0


def test_a_message_set_aside_makes_the_poison_queue_and_keeps_reason_and_content(
    messages: QueueClient, poison: QueueClient, capture_queue: CaptureQueue
) -> None:
    for content in ("bad", "worse"):
        messages.send_message(content)
        (received,) = capture_queue.receive(60)
        capture_queue.set_aside(received, f"it is {content}")
    assert [(one["reason"], one["content"]) for one in kept(poison)] == [
        ("it is bad", "bad"),
        ("it is worse", "worse"),
    ]
    assert count(messages) == 0


@pytest.mark.parametrize(
    "content", ["x" * 65_536, "ü" * 32_000, '"' * 65_000, "\\" * 65_000, "<" * 16_000, "日" * 21_000]
)
def test_the_largest_message_can_be_set_aside_whatever_it_is_made_of(
    messages: QueueClient, poison: QueueClient, capture_queue: CaptureQueue, content: str
) -> None:
    messages.send_message(content)
    (received,) = capture_queue.receive(60)
    capture_queue.set_aside(received, "r" * 1000)
    (one,) = kept(poison)
    assert content.startswith(one["content"])
    assert len(one["content"]) >= 8_000
    assert count(messages) == 0


def test_a_message_that_can_not_be_set_aside_stays_where_it_is(
    messages: QueueClient, azurite: AzuriteServer
) -> None:
    nowhere = queue(f"{azurite.queue_endpoint}/not_a_queue_name", KEY)
    capture_queue = CaptureQueue(messages, nowhere)
    messages.send_message("bad")
    (received,) = capture_queue.receive(60)
    with pytest.raises(HttpResponseError):
        capture_queue.set_aside(received, "why")
    assert count(messages) == 1


def test_a_queue_that_is_not_there_is_an_error_and_not_an_empty_one(
    messages: QueueClient, capture_queue: CaptureQueue
) -> None:
    messages.delete_queue()
    with pytest.raises(ResourceNotFoundError):
        capture_queue.receive(60)
