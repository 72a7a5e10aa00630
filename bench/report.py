"""The page in a browser: `python bench/report.py [FILE...] [--pictures DIR]`.

Opens each report (okrsync.html of `make demo`, of `make replay`) in Debian's Chromium on a phone and on a desktop,
light and dark, and prints what it asked for, said and violates (axe-core, all rules). Then a made-up report of 20,000
unlinked items: seconds to render, megabytes, seconds until the browser shows its first page, filters and sorts.
With --pictures also screenshots and a PDF. Needs the development dependencies and /usr/bin/chromium.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
ITEMS = 20_000
# Until the next frame is painted: what a reader waits for.
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))"


def look(browser: Any, file: Path, width: int, scheme: str, pictures: Path | None) -> int:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.goto(file.resolve().as_uri())
    overflow = page.evaluate("document.documentElement.scrollWidth") - width
    if pictures:
        page.screenshot(path=pictures / f"{file.parent.parent.name}-{width}-{scheme}.png", full_page=True)
        if width > 1000 and scheme == "light":
            page.pdf(path=pictures / f"{file.parent.parent.name}.pdf", format="A4")
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    violations = [f"{v['impact']} {v['id']} ({len(v['nodes'])})" for v in Axe().run(page).response["violations"]]
    page.close()
    troubles = len(asked) - 1 + len(said) + len(violations) + (overflow > 0)
    print(
        f"  {width:>4} {scheme:<5} requests besides itself {len(asked) - 1}, console {said or 'silent'}, "
        f"axe {violations or 'no violation'}, {'too wide' if overflow > 0 else 'fits'}"
    )
    return troubles


def weigh(browser: Any, folder: Path) -> None:
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from okrsync.reports import write
    from reports.sample_report import many_unlinked

    report = many_unlinked(ITEMS)
    started = time.perf_counter()
    file = write(report, folder, ["html"])[0]
    print(
        f"{ITEMS:,} unlinked items: rendered in {time.perf_counter() - started:.2f} s, "
        f"{file.stat().st_size / 1e6:.1f} MB"
    )
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    for act, steps in {
        "opened": lambda: page.goto(file.as_uri()),
        "sorted by title": lambda: page.click("th[data-sort=title] button"),
        "filtered": lambda: (
            page.fill("#words", f"number {ITEMS - 1}"),
            page.wait_for_selector("#shown:has-text('of 10,000')"),
        ),
    }.items():
        started = time.perf_counter()
        steps()
        page.evaluate(PAINTED)
        print(f"  {act} in {time.perf_counter() - started:.2f} s")
    page.close()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    troubles = 0
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        for file in options.files:
            print(file)
            for width in (390, 1440):
                for scheme in ("light", "dark"):
                    troubles += look(browser, file, width, scheme, options.pictures)
        weigh(browser, Path(folder))
        browser.close()
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
