"""Pictures of every page: `python -m tests.browser.screenshots`, which is what `make screenshots` calls.

Each page of the demo (tests/browser/walking.py) is taken in both themes, on a desktop and on a phone, and kept under
docs/screenshots by the name of its address. With a folder of real games, as `manage.py replay` reads them, those are
replayed instead, beside what nobody expects (tests/browser/oddities.py): these pictures go to var/screenshots, since
nothing of such a folder may be kept here.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import django
from django.urls import reverse
from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from achievements.replay.files import Game, read_games
from achievements.replay.run import Options, Replay
from bench import onlooker
from config.children import BASE_DIR
from tests.browser import lived_in, oddities, running, walking
from tests.browser.running import Laurel

KEPT = BASE_DIR / "docs" / "screenshots"
NOT_KEPT = BASE_DIR / "var" / "screenshots"
_HIGHEST = 12_000  # pixels: browsers draw no more than 16,384, and 500 cards on a phone are higher
# Of the real games those with the most unlocks, but for the few with so many that sending them takes minutes.
_GAMES, _MOST_UNLOCKS = 40, 3_000
_LOOKED_AT = 8

Find = Callable[[Page], Mapping[str, str]]
"""Makes what is to be seen, and returns the paths of its pages by name; the page is signed in afterwards."""


def main() -> int:
    """Start Laurel in a folder of its own, take the pictures, and stop it."""
    browser = onlooker.chromium()
    if browser is None:
        print(running.NO_CHROMIUM)
        return 1
    games = _games(Path(sys.argv[1])) if len(sys.argv) > 1 else ()
    with running.laurel("screenshots") as laurel:
        # For the names of addresses; nothing is asked of a database.
        os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "1"}
        os.environ.setdefault("SECRET_KEY", "read-by-settings-and-used-for-nothing-0123456789-abcdefghijkl")
        django.setup()
        find: Find = (
            partial(_replayed, laurel=laurel, games=games) if games else partial(_demo, laurel=laurel)
        )
        kept = _emptied(NOT_KEPT if games else KEPT)
        _take_all(browser, laurel.home, find, {} if games else walking.SIGNED_OUT, kept)
    return 0


def _games(folder: Path) -> Sequence[Game]:
    played = [game for game in read_games(folder) if 0 < len(game.unlocks) <= _MOST_UNLOCKS]
    return sorted(played, key=lambda game: -len(game.unlocks))[:_GAMES]


def _emptied(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.jpg"):
        old.unlink()
    return folder


def _demo(page: Page, *, laurel: Laurel) -> Mapping[str, str]:
    walking.sign_in(page, laurel.said)
    lived_in.fill(page, laurel.said, laurel.receiver)
    page.goto("/portal/")
    return walking.pages(page)


def _replayed(page: Page, *, laurel: Laurel, games: Sequence[Game]) -> Mapping[str, str]:
    """Replay games beside what nobody expects; whoever looks is the player of the most of them."""
    players = Counter(player for game in games for player in {one.player for one in game.unlocks})
    [(reader, _)] = players.most_common(1)
    odd, api = oddities.make(page, laurel.folder / "var", laurel.home, laurel.receiver, reader=reader)
    options = Options(url=laurel.home, key=api.key, batch=500, connections=2, speed=None)
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
