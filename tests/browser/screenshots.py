"""Pictures of every page: `python -m tests.browser.screenshots`, which is what `make screenshots` calls.

Each page of the demo (tests/browser/walking.py) is taken in both themes, on a desktop and on a phone, and kept under
docs/screenshots by the name of its address.
"""

import os
import sys

import django
from playwright.sync_api import Page, sync_playwright

from config.children import BASE_DIR
from tests.browser import lived_in, running, walking
from tests.browser.running import Laurel

KEPT = BASE_DIR / "docs" / "screenshots"


def main() -> int:
    """Start Laurel in a folder of its own, take the pictures, and stop it."""
    browser = running.chromium()
    if browser is None:
        print(running.NO_CHROMIUM)
        return 1
    with running.laurel("screenshots") as laurel:
        # For the names of addresses; nothing is asked of a database.
        os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "1"}
        os.environ.setdefault("SECRET_KEY", "read-by-settings-and-used-for-nothing-0123456789-abcdefghijkl")
        django.setup()
        KEPT.mkdir(exist_ok=True)
        for old in KEPT.glob("*.jpg"):
            old.unlink()
        _take_all(browser, laurel)
    return 0


def _take_all(executable: str, laurel: Laurel) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
        )
        found = None
        for theme in walking.THEMES:
            for size, (width, height) in walking.SIZES.items():
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if theme == "dark" else "light",
                    base_url=laurel.home,
                    reduced_motion="reduce",
                )
                context.add_cookies([walking.theme_cookie(laurel.home, theme)])
                page = context.new_page()
                for name, path in walking.SIGNED_OUT.items():
                    _take(page, path, f"{name}-{theme}-{size}")
                walking.sign_in(page, laurel.said)
                if found is None:
                    lived_in.fill(page, laurel.said, laurel.receiver)
                    page.goto("/portal/")
                    found = walking.pages(page)
                for name, path in found.items():
                    _take(page, path, f"{name}-{theme}-{size}")
                context.close()
        browser.close()


def _take(page: Page, path: str, name: str) -> None:
    answer = page.goto(path)
    if answer is None or answer.status != 200:
        raise SystemExit(f"{path} answered {answer and answer.status}.")
    page.wait_for_load_state("load")
    page.screenshot(path=KEPT / f"{name}.jpg", type="jpeg", quality=60, full_page=True)
    print(f"{name}.jpg", flush=True)


if __name__ == "__main__":
    sys.exit(main())
