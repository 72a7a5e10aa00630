"""`python docs/screenshot.py`: takes docs/report.png from the report of the demo, by Chromium."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from okrsync.cli import run

CHROMIUM = Path("/usr/bin/chromium")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        run(["demo", "--dir", folder])
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1040, "height": 945}, color_scheme="light")
        page.goto((Path(folder) / "reports" / "okrsync.html").as_uri())
        page.screenshot(path=Path(__file__).parent / "report.png")
        chromium.close()


if __name__ == "__main__":
    main()
