"""Pictures of every page: `python -m tests.browser.screenshots`, which is what `make screenshots` calls.

Each page of the demo (tests/browser/walking.py) is taken in both themes, on a desktop and on a phone, and kept under
docs/screenshots by the name of its address.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import django
from playwright.sync_api import Page, sync_playwright

from config import var_dir
from config.children import BASE_DIR
from tests.browser import lived_in, walking

KEPT = BASE_DIR / "docs" / "screenshots"
_READY_WITHIN_S = 180


def main() -> int:
    """Start Laurel in a folder of its own, take the pictures, and stop it."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        print("There is no Chromium on this machine: on Debian, apt-get install chromium brings it.")
        return 1
    folder = Path(tempfile.mkdtemp(prefix="laurel-screenshots-"))
    with lived_in.receiver() as receiver:
        _run(browser, folder, receiver)
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def _run(browser: str, folder: Path, receiver: int) -> None:
    port = var_dir.free_ports(2)
    env = {**os.environ, "PORT": str(port), "VAR_DIR": str(folder / "var"), **lived_in.environment(receiver)}
    # For the names of addresses; nothing is asked of a database.
    os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "1"}
    os.environ.setdefault("SECRET_KEY", "read-by-settings-and-used-for-nothing-0123456789-abcdefghijkl")
    django.setup()
    with (folder / "output").open("w") as output:
        run = subprocess.Popen([sys.executable, "-m", "config.run"], cwd=BASE_DIR, env=env, stdout=output)
    try:
        said = _when_ready(run, folder / "output")
        KEPT.mkdir(exist_ok=True)
        for old in KEPT.glob("*.jpg"):
            old.unlink()
        _take_all(browser, f"http://127.0.0.1:{port}", said, receiver)
    finally:
        run.send_signal(signal.SIGINT)
        run.wait(timeout=60)


def _when_ready(run: "subprocess.Popen[bytes]", output: Path) -> str:
    deadline = time.monotonic() + _READY_WITHIN_S
    while "Laurel is ready at" not in (text := output.read_text()):
        if run.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"Laurel did not start:\n{text}")
        time.sleep(0.2)
    return text


def _take_all(executable: str, url: str, said: str, receiver: int) -> None:
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
                    base_url=url,
                    reduced_motion="reduce",
                )
                context.add_cookies([walking.theme_cookie(url, theme)])
                page = context.new_page()
                for name, path in walking.SIGNED_OUT.items():
                    _take(page, path, f"{name}-{theme}-{size}")
                walking.sign_in(page, said)
                if found is None:
                    lived_in.fill(page, said, receiver)
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
