"""Listing: all pages of something, each page a call of its own."""

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from azure.core.paging import ItemPaged

from azmdr.azure.dispatch import Call
from azmdr.azure.pacing import Lane

Item = TypeVar("Item")


def list_pages(
    lane: Lane, what: str, paged: ItemPaged[Any], read: Callable[[Any], Item], seen: list[Item]
) -> Generator[Call[Any], Any, None]:
    """Yield a call for each page; what has arrived is in ``seen``, also when the listing breaks off.

    Args:
        lane: the token bucket it draws on.
        what: the listing, for a person.
        paged: the client's answer to a ``list``.
        read: makes an item of what the client hands over.
        seen: takes the items.

    Raises:
        AzureError: a page did not come; the listing is not complete.
    """
    pages: Any = paged.by_page()
    while True:
        seen += yield Call(lane, what, lambda: [read(item) for item in next(pages)])
        if not pages.continuation_token:
            return
