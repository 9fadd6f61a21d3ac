"""Paging: lists come in pages, with an absolute address of the next one."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from collections.abc import Callable, Mapping
from itertools import islice
from typing import TypeVar

from lab.azure.arm_error import bad_request
from lab.azure.wire import Request

Item = TypeVar("Item")


def page(
    request: Request,
    items: Mapping[str, Item],
    size: int,
    shape: Callable[[Item], dict[str, object]],
    keeps: Callable[[Item], bool] = lambda _: True,
) -> dict[str, object]:
    """One page of a list.

    A page begins after the last key of the one before, so what comes or goes between two pages neither
    doubles nor hides anything else.

    Args:
        request: names the page.
        items: all items by key, in any order.
        size: the most items on a page.
        shape: how an item is shown.
        keeps: which items belong to the list; asked of no more than the page needs.

    Raises:
        ArmError: 400 for a ``$skiptoken`` that is none of ours.
    """
    after = _key_of(request.query.get("$skiptoken"))
    ordered = sorted(key for key in items if after is None or key > after)
    keys = list(islice((key for key in ordered if keeps(items[key])), size + 1))
    shown: dict[str, object] = {"value": [shape(items[key]) for key in keys[:size]]}
    if len(keys) > size:
        shown["nextLink"] = request.link(skiptoken=urlsafe_b64encode(keys[size - 1].encode()).decode())
    return shown


def _key_of(token: str | None) -> str | None:
    if token is None:
        return None
    try:
        return urlsafe_b64decode(token.encode()).decode()
    except (NotBase64Error, UnicodeDecodeError) as error:
        raise bad_request(f"Invalid $skiptoken '{token}'.", "InvalidSkipToken") from error
