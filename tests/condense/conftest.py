"""What the condenser's tests may ask for: a workbench on either database."""

from pathlib import Path

import pytest

from tests.condense.workbench import Workbench


@pytest.fixture
def bench(store_url: str, tmp_path: Path) -> Workbench:
    """A workbench on an empty store: the test runs once on each database the product supports."""
    return Workbench(store_url, tmp_path / "lake")
