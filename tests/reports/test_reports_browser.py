"""The page as a browser shows it: fits a phone, asks for nothing, filters, and reads well without its script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from okrsync.reports import write
from reports.sample_report import sample_report

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking"]
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    (path,) = write(sample_report(), tmp_path_factory.mktemp("reports"), ["html"])
    return path.as_uri()


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_asks_for_nothing(browser: Any, address: str, width: int, scheme: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(251, 251, 249)" if scheme == "light" else "rgb(20, 23, 26)")
    assert asked == [address]
    assert said == []
    page.close()


def test_the_filter_narrows_the_rows_and_gives_them_back(browser: Any, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    rows = page.locator("#unlinked tr[data-row]")
    assert rows.count() == 12
    page.fill("#unlinked input", "Merchant SETTINGS")
    assert page.locator("#unlinked tr[data-row]:visible").count() == 1
    assert page.locator("#unlinked details:visible").count() == 1
    assert page.inner_text("#unlinked output") == "1 of 12 shown"
    page.fill("#unlinked input", "")
    assert page.locator("#unlinked tr[data-row]:visible").count() == 12
    page.close()


def test_the_page_works_without_its_script_and_on_paper(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator(".filter:visible").count() == 0
    assert page.locator("#unlinked tr[data-row]:visible").count() == 12
    assert page.locator("text=59% of open work serves a goal").first.is_visible()
    page.emulate_media(media="print")
    assert page.locator("nav:visible").count() == 0
    context.close()
