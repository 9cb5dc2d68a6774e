"""Pictures of every page: `python -m tests.browser.screenshots`, which is what `make screenshots` calls.

Each page of the demo (tests/browser/walking.py) is taken in both themes, on a desktop and on a phone, and kept under
docs/screenshots by the name of its address. With a folder of real games, as `manage.py replay` reads them, those are
replayed instead, beside what nobody expects (tests/browser/oddities.py): these pictures go to var/screenshots, since
nothing of such a folder may be kept here.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import django
from django.urls import reverse
from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from achievements.replay.files import Game, read_games
from achievements.replay.run import Options, Replay
from config import var_dir
from config.children import BASE_DIR
from tests.browser import lived_in, oddities, walking

KEPT = BASE_DIR / "docs" / "screenshots"
NOT_KEPT = BASE_DIR / "var" / "screenshots"
_READY_WITHIN_S = 180
_HIGHEST = 12_000  # pixels: browsers draw no more than 16,384, and 500 cards on a phone are higher
# Of the real games those with the most unlocks, but for the few with so many that sending them takes minutes.
_GAMES, _MOST_UNLOCKS = 40, 3_000
_LOOKED_AT = 8

Find = Callable[[Page], Mapping[str, str]]
"""Makes what is to be seen, and returns the paths of its pages by name; the page is signed in afterwards."""


def main() -> int:
    """Start Laurel in a folder of its own, take the pictures, and stop it."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        print("There is no Chromium on this machine: on Debian, apt-get install chromium brings it.")
        return 1
    games = _games(Path(sys.argv[1])) if len(sys.argv) > 1 else ()
    folder = Path(tempfile.mkdtemp(prefix="laurel-screenshots-"))
    with lived_in.receiver() as receiver:
        _run(browser, folder, receiver, games)
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def _games(folder: Path) -> Sequence[Game]:
    played = [game for game in read_games(folder) if 0 < len(game.unlocks) <= _MOST_UNLOCKS]
    return sorted(played, key=lambda game: -len(game.unlocks))[:_GAMES]


def _run(browser: str, folder: Path, receiver: int, games: Sequence[Game]) -> None:
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
        find: Find = partial(_demo, said=said, receiver=receiver)
        if games:
            find = partial(_replayed, said=said, receiver=receiver, folder=folder / "var", games=games)
        kept = _emptied(NOT_KEPT if games else KEPT)
        _take_all(browser, f"http://127.0.0.1:{port}", find, {} if games else walking.SIGNED_OUT, kept)
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


def _emptied(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.jpg"):
        old.unlink()
    return folder


def _demo(page: Page, *, said: str, receiver: int) -> Mapping[str, str]:
    walking.sign_in(page, said)
    lived_in.fill(page, said, receiver)
    page.goto("/portal/")
    return walking.pages(page)


def _replayed(
    page: Page, *, said: str, receiver: int, folder: Path, games: Sequence[Game]
) -> Mapping[str, str]:
    """Replay games beside what nobody expects; whoever looks is the player of the most of them."""
    players = Counter(player for game in games for player in {one.player for one in game.unlocks})
    [(reader, _)] = players.most_common(1)
    home = walking.printed(said, "Home")
    odd, api = oddities.make(page, folder, home, receiver, reader=reader)
    options = Options(url=home, key=api.key, batch=500, connections=2, speed=None)
    imported = Replay(options).run(games).imported
    pages: dict[str, str] = {}
    for place, game in enumerate(imported[:_LOOKED_AT]):
        address = reverse("game-page", args=[game.id])
        pages |= {f"real-{place}": address, f"real-{place}-by-rarity": f"{address}?sort=rarity"}
        pages[f"real-{place}-board"] = reverse("board-page", args=[game.id, "points"])
        pages[f"real-{place}-achievements"] = f"{odd.studio}/games/{game.id}/achievements"
    return {**pages, **oddities.player_pages(odd), **oddities.portal_pages(page, odd)}


def _take_all(executable: str, url: str, find: Find, signed_out: Mapping[str, str], kept: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
        )
        page = _open(browser, url, "light", "1440", None)
        found, state = find(page), page.context.storage_state()
        page.context.close()
        for theme in walking.THEMES:
            for size in walking.SIZES:
                for pages, whose in ((signed_out, None), (found, state)):
                    page = _open(browser, url, theme, size, whose)
                    for name, path in pages.items():
                        _take(page, path, kept / f"{name}-{theme}-{size}.jpg")
                    page.context.close()
        browser.close()


def _open(browser: Browser, url: str, theme: str, size: str, state: StorageState | None) -> Page:
    width, height = walking.SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        base_url=url,
        reduced_motion="reduce",
        storage_state=state,
    )
    context.add_cookies([walking.theme_cookie(url, theme)])
    return context.new_page()


def _take(page: Page, path: str, file: Path) -> None:
    answer = page.goto(path)
    if answer is None or answer.status != 200:
        raise SystemExit(f"{path} answered {answer and answer.status}.")
    page.wait_for_load_state("load")
    width, height = page.evaluate(
        "[document.documentElement.clientWidth, document.documentElement.scrollHeight]"
    )
    part = {"x": 0.0, "y": 0.0, "width": float(width), "height": float(min(height, _HIGHEST))}
    page.screenshot(path=file, type="jpeg", quality=60, full_page=True, clip=part)  # type: ignore[arg-type]
    print(file.name, flush=True)


if __name__ == "__main__":
    sys.exit(main())
