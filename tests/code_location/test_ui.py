"""What a person sees in Dagster's UI: the lineage, and green runs. Chromium looks at it."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.code_location.running_dagster import RunningDagster

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
SWITCHES: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    # Nothing but this machine can be found, whatever a page asks for.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
GROUPS: Final = ("capture", "collection", "infrastructure", "inventory")
WAIT: Final = 60_000
"""Milliseconds."""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser_path() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser on this machine: looked for {', '.join(BROWSERS)}")
    return found


@pytest.fixture
def page(browser_path: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=list(SWITCHES))
        context = browser.new_context(viewport={"width": 1600, "height": 1000})
        context.set_default_timeout(WAIT)
        expect.set_options(timeout=WAIT)
        yield context.new_page()
        browser.close()


def lineage_of(running: RunningDagster, group: str) -> str:
    location = "__repository__@azmdr"
    return f"{running.address}/locations/{location}/asset-groups/{group}/lineage"


def test_the_lineage_shows_the_groups_of_the_product(
    running: RunningDagster, page: Page, tmp_path: Path
) -> None:
    page.goto(f"{running.address}/asset-groups/")
    for name in GROUPS:
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    expect(page.get_by_text("Loading")).to_have_count(0)
    page.screenshot(path=tmp_path / "groups.png")


def test_the_lineage_of_captures_shows_what_becomes_of_them(
    running: RunningDagster, page: Page, tmp_path: Path
) -> None:
    page.goto(lineage_of(running, "capture"))
    for name in ("capture_files", "activity_records", "operations"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    # 0 when of two runs at the same time the one that materialized last was checked first.
    expect(page.get_by_text(re.compile("[01] / 1 Passed")).first).to_be_visible()
    page.screenshot(path=tmp_path / "capture.png")


def test_the_lineage_of_the_control_plane_shows_its_steps(
    running: RunningDagster, page: Page, tmp_path: Path
) -> None:
    page.goto(lineage_of(running, "collection"))
    for name in ("entra_data_exports", "coverage"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    page.screenshot(path=tmp_path / "collection.png")


def test_the_runs_page_shows_green_runs(running: RunningDagster, page: Page, tmp_path: Path) -> None:
    page.goto(f"{running.address}/runs/")
    (file,) = (row for row in running.deployment.ledger() if row.path == running.single.path)
    expect(page.get_by_text(f"azmdr/capture_file: {file.id}")).to_be_visible()
    expect(page.get_by_text("Success").nth(4)).to_be_visible()
    expect(page.get_by_text("Failure")).to_have_count(0)
    page.screenshot(path=tmp_path / "runs.png")


def test_a_table_shows_its_metadata(running: RunningDagster, page: Page, tmp_path: Path) -> None:
    page.goto(f"{running.address}/assets/operations?view=events")
    expect(page.get_by_text("merged into operations").first).to_be_visible()
    page.screenshot(path=tmp_path / "operations.png")
