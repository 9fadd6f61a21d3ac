"""An open state store, on each database the product supports."""

from collections.abc import Iterator

import pytest

from azmdr.store.database import Store


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty, open store."""
    opened = Store.open(store_url)
    yield opened
    opened.close()
