"""The storage queue on which Event Grid announces new blobs, and the one for messages nobody can use."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient, StorageErrorCode

RECEIVE_AT_ONCE: Final = 32
"""Messages in one answer, Azure's maximum."""
LONGEST_CONTENT: Final = 24 * 1024
"""Bytes of a message kept when it is set aside; escaped and with its reason it must fit into 64 KiB."""
_TAKEN_BY_ANOTHER: Final = StorageErrorCode.POP_RECEIPT_MISMATCH


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """A message as it was received: hidden from others until its visibility timeout ends."""

    id: str
    receipt: str
    content: str
    dequeue_count: int


class CaptureQueue:
    """The announcements, at least once each, in any order."""

    def __init__(self, messages: QueueClient, poison: QueueClient) -> None:
        self._messages = messages
        self._poison = poison

    def receive(self, visibility_seconds: float) -> list[QueueMessage]:
        """Up to 32 messages, hidden from other receivers for a time. Empty when there are none now."""
        page = self._messages.receive_messages(
            messages_per_page=RECEIVE_AT_ONCE,
            max_messages=RECEIVE_AT_ONCE,
            visibility_timeout=int(visibility_seconds),
        )
        return [
            QueueMessage(one.id, one.pop_receipt or "", one.content or "", one.dequeue_count or 0)
            for one in page
        ]

    def delete(self, messages: Sequence[QueueMessage]) -> None:
        """Remove messages for good. One that was meanwhile given to another receiver is left to it."""
        for message in messages:
            try:
                self._messages.delete_message(message.id, message.receipt)
            except ResourceNotFoundError:
                continue
            except HttpResponseError as error:
                if getattr(error, "error_code", None) != _TAKEN_BY_ANOTHER:
                    raise

    def set_aside(self, message: QueueMessage, reason: str) -> None:
        """Move a message to the poison queue, with the reason beside it; first there, then gone from here."""
        kept = message.content.encode()[:LONGEST_CONTENT].decode(errors="ignore")
        content = json.dumps(
            {"reason": reason, "message_id": message.id, "content": kept}, ensure_ascii=False
        )
        try:
            self._poison.send_message(content)
        except ResourceNotFoundError:
            self._make_poison_queue()
            self._poison.send_message(content)
        self.delete([message])

    def _make_poison_queue(self) -> None:
        try:
            self._poison.create_queue()
        except ResourceExistsError:
            return
