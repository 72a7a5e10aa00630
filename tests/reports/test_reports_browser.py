"""The page as a browser shows it: asks for nothing, fits a phone, works by keyboard, without its script and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from okrsync.reports import write
from reports.sample_report import many_unlinked, sample_report
from reports.test_reports_hostile import hostile_report

CHROMIUM = Path("/usr/bin/chromium")
REPORTS = {
    "quarter": sample_report,
    "failed": lambda: sample_report(failed=True),
    "hostile": hostile_report,
    "many": lambda: many_unlinked(20_000),
}


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
def addresses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("reports")
    return {name: write(report(), folder / name, ["html"])[0].as_uri() for name, report in REPORTS.items()}


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    yield page
    page.close()


def roots(page: Any) -> list[str]:
    return page.locator("#explorer tbody tr:not(.below) td:first-child a").all_inner_texts()


def wait_for(page: Any, words: str) -> None:
    """Until the page says how much it shows, in a sentence that begins with `words`."""
    playwright = pytest.importorskip("playwright.sync_api")
    playwright.expect(page.locator("#shown")).to_have_text(re.compile(f"^{re.escape(words)}"))


@pytest.mark.parametrize("name", ["quarter", "failed", "hostile"])
@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (390, "light"),
        (1440, "dark"),
        pytest.param(1440, "light", marks=pytest.mark.soak),
        pytest.param(390, "dark", marks=pytest.mark.soak),
    ],
)
def test_the_page_fits_asks_for_nothing_and_is_accessible(
    browser: Any, addresses: dict[str, str], name: str, width: int, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(addresses[name])
    assert page.evaluate("document.documentElement.scrollWidth") == width
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(251, 251, 249)" if scheme == "light" else "rgb(20, 23, 26)")
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    violations = axe.Axe().run(page).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in violations] == []
    assert asked == [addresses[name]]
    assert said == []
    page.close()


def test_no_word_of_a_table_and_no_id_is_broken_where_there_is_room(page: Any, addresses: dict[str, str]) -> None:
    page.goto(addresses["quarter"])
    page.evaluate(
        """for (const cell of document.querySelectorAll('#explorer td[data-label="Team"] bdi')) cell.innerText = 'Payments'
        for (const cell of document.querySelectorAll('#explorer td[data-label="Status"] bdi')) cell.innerText = 'In Progress'
        for (const id of document.querySelectorAll('.kr span.id')) id.innerText = 'INIT-KIP-1028-AND-SOME-MORE'"""
    )
    lines = """(where) => [...document.querySelectorAll(where)].map((e) => {
      const range = document.createRange(); range.selectNodeContents(e); return range.getClientRects().length })"""
    for where in ("#explorer td[data-label] bdi", "#explorer thead button", ".kr span.id"):
        counted = page.evaluate(lines, where)
        assert len(counted) >= 5
        assert set(counted) == {1}, where


def test_filter_and_sort_work_with_the_keyboard_alone(page: Any, addresses: dict[str, str]) -> None:
    page.goto(addresses["quarter"])
    assert page.inner_text("#shown") == "12 roots, 37 items"
    assert roots(page)[0] == "Rework the merchant settings"
    reached: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.innerText"))
        if reached[-1] == "words":
            break
    page.keyboard.type("BUNDLER")
    wait_for(page, "4 roots")
    assert page.inner_text("#shown") == "4 roots, 4 items of 12 roots, 37 items"
    for _ in "BUNDLER":
        page.keyboard.press("Backspace")
    wait_for(page, "12 roots, 37 items")
    page.keyboard.press("Tab")  # the choice of a team
    page.keyboard.press("ArrowDown")
    wait_for(page, "8 roots")
    page.keyboard.press("Tab")  # the first head of the table: by title
    page.keyboard.press("Enter")
    assert page.get_attribute("th[data-sort=title]", "aria-sort") == "ascending"
    assert roots(page) == sorted(roots(page), key=str.casefold)
    page.keyboard.press("Space")
    assert page.get_attribute("th[data-sort=title]", "aria-sort") == "descending"
    assert roots(page) == sorted(roots(page), key=str.casefold, reverse=True)
    assert page.locator("th[aria-sort]").count() == 1


def test_what_is_below_a_root_opens_by_keyboard_with_a_link_each(page: Any, addresses: dict[str, str]) -> None:
    page.goto(addresses["quarter"])
    button = page.locator("#explorer td button[aria-expanded]").first
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    links = page.locator("#explorer .below li a")
    assert links.count() == 25
    assert links.first.get_attribute("href") == "https://acme.example/WEB-2"
    page.keyboard.press("Enter")
    assert page.locator("#explorer .below:visible").count() == 0


def test_titles_show_as_text(page: Any, addresses: dict[str, str]) -> None:
    shown: list[str] = []
    page.on("dialog", lambda dialog: (shown.append(dialog.message), dialog.dismiss()))
    page.goto(addresses["hostile"])
    page.fill("#words", "<script>")
    wait_for(page, "1 root")
    assert page.inner_text("#explorer tbody tr td:first-child bdi") == "<script>alert(1)</script>"
    assert page.locator("main script, main img").count() == 0
    assert shown == []


def test_twenty_thousand_unlinked_items_come_a_page_at_a_time(page: Any, addresses: dict[str, str]) -> None:
    page.goto(addresses["many"])
    assert page.inner_text("#shown") == "10,000 roots, 20,000 items"
    assert len(roots(page)) == 50
    page.focus("#more")
    page.keyboard.press("Enter")
    assert len(roots(page)) == 100
    assert page.evaluate("document.activeElement.innerText") == roots(page)[50]
    page.fill("#words", "number 19999")  # below a root: its tree is shown
    wait_for(page, "1 root, 2 items")
    assert page.evaluate("document.querySelectorAll('*').length") < 5000


def test_the_page_works_without_its_script_and_on_paper(browser: Any, addresses: dict[str, str]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(addresses["quarter"])
    assert page.locator("#explorer:visible").count() == 0
    assert page.locator("#unlinked tr[data-row]:visible").count() == 12
    assert page.locator("text=67% of work in progress serves a goal").first.is_visible()
    page.emulate_media(media="print")
    assert page.locator("nav:visible").count() == 0
    assert page.locator("#unlinked tr[data-row]:visible").count() == 12
    context.close()


def test_paper_shows_the_summary_where_the_screen_has_controls(page: Any, addresses: dict[str, str]) -> None:
    page.goto(addresses["quarter"])
    assert page.locator("#explorer:visible").count() == 1
    assert page.locator("#unlinked tr[data-row]:visible").count() == 0
    page.emulate_media(media="print")
    assert page.locator("#explorer:visible").count() == 0
    assert page.locator("#unlinked tr[data-row]:visible").count() == 12
    assert page.pdf(format="A4").startswith(b"%PDF")
