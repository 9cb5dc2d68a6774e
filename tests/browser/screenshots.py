"""Pictures of every page: `python -m tests.browser.screenshots`, which is what `make screenshots` calls.

Each page of the demo is taken in both themes, on a desktop and on a phone, and kept under docs/screenshots.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from config import var_dir
from config.children import BASE_DIR

KEPT = BASE_DIR / "docs" / "screenshots"
SIZES = {"1440": (1440, 900), "390": (390, 844)}
THEMES = ("light", "dark")
STUDIO = "/portal/0198f2c4-6f1e-7000-8000-64656d6f0001"
GAME = f"{STUDIO}/games/0198f2c4-6f1e-7000-8000-64656d6f0008"
SIGNED_OUT = {
    "front": "/",
    "demo-player": "/demo",
    "sign-in": "/account/login/",
    "sign-up": "/account/signup/",
}
PORTAL = {
    "portal-home": f"{STUDIO}/",
    "portal-new-studio": "/portal/new",
    "portal-analytics": f"{GAME}/analytics",
    "portal-analytics-table": f"{GAME}/analytics?view=table",
    "portal-analytics-achievements": f"{GAME}/analytics/achievements",
    "portal-analytics-retention": f"{GAME}/analytics/retention",
    "portal-analytics-funnel": f"{GAME}/analytics/funnel",
    "portal-analytics-leaderboards": f"{GAME}/analytics/leaderboards",
    "portal-analytics-stats": f"{GAME}/analytics/stats",
    "portal-achievements": f"{GAME}/achievements",
    "portal-import": f"{GAME}/achievements/import",
    "portal-new-game": f"{STUDIO}/games/new",
    "portal-game-settings": f"{GAME}/settings",
    "portal-keys": f"{STUDIO}/keys",
    "portal-new-key": f"{STUDIO}/keys/new",
    "portal-audit": f"{STUDIO}/audit",
    "portal-members": f"{STUDIO}/members",
    "portal-studio-settings": f"{STUDIO}/settings",
    "portal-security": "/account/2fa/",
    "portal-webhooks": f"{STUDIO}/webhooks",
    "portal-webhook-new": f"{STUDIO}/webhooks/new",
}
_READY_WITHIN_S = 180


def main() -> int:
    """Start Laurel in a folder of its own, take the pictures, and stop it."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        print("There is no Chromium on this machine: on Debian, apt-get install chromium brings it.")
        return 1
    folder = Path(tempfile.mkdtemp(prefix="laurel-screenshots-"))
    port = var_dir.free_ports(2)
    env = {**os.environ, "PORT": str(port), "VAR_DIR": str(folder / "var")}
    with (folder / "output").open("w") as output:
        run = subprocess.Popen([sys.executable, "-m", "config.run"], cwd=BASE_DIR, env=env, stdout=output)
    try:
        said = _when_ready(run, folder / "output")
        KEPT.mkdir(exist_ok=True)
        _take_all(browser, f"http://127.0.0.1:{port}", said)
    finally:
        run.send_signal(signal.SIGINT)
        run.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _when_ready(run: "subprocess.Popen[bytes]", output: Path) -> str:
    deadline = time.monotonic() + _READY_WITHIN_S
    while "Laurel is ready at" not in (text := output.read_text()):
        if run.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"Laurel did not start:\n{text}")
        time.sleep(0.2)
    return text


def _take_all(executable: str, url: str, said: str) -> None:
    login, password = (re.findall(rf"^{name}\s+(\S+)$", said, re.M)[0] for name in ("Sign in as", "Password"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
        )
        for theme in THEMES:
            for size, (width, height) in SIZES.items():
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if theme == "dark" else "light",
                    base_url=url,
                    reduced_motion="reduce",
                )
                page = context.new_page()
                for name, path in SIGNED_OUT.items():
                    _take(page, path, f"{name}-{theme}-{size}")
                _sign_in(page, login, password)
                for name, path in PORTAL.items():
                    _take(page, path, f"{name}-{theme}-{size}")
                context.close()
        browser.close()


def _sign_in(page: Page, login: str, password: str) -> None:
    page.goto("/account/login/")
    page.fill("[name=login]", login)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/portal/**")


def _take(page: Page, path: str, name: str) -> None:
    answer = page.goto(path)
    if answer is None or answer.status != 200:
        raise SystemExit(f"{path} answered {answer and answer.status}.")
    page.wait_for_load_state("load")
    page.screenshot(path=KEPT / f"{name}.jpg", type="jpeg", quality=72, full_page=True)
    print(f"{name}.jpg", flush=True)


if __name__ == "__main__":
    sys.exit(main())
