"""What Lighthouse says of the player site: `python -m tests.browser.lighthouse`, which is what `make lighthouse` calls.

Laurel runs with its demo, and somebody is signed in as the demo's player. Lighthouse, at the version that `npm/` locks,
looks at each page as a phone and as a desktop: with an empty cache, on the network and the processor that it simulates
by itself. The middle of three looks counts; less than 95 of 100 anywhere is a failure.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, sync_playwright

from bench import onlooker
from config.children import BASE_DIR
from tests import npm
from tests.browser import lived_in, running, walking
from tests.browser.running import Laurel

BAR: Final = 95
CATEGORIES: Final = ("performance", "accessibility", "best-practices")
FORMS: Final = {"phone": (), "desktop": ("--preset=desktop",)}
FIGURES: Final = (
    ("FCP", "first-contentful-paint"),
    ("LCP", "largest-contentful-paint"),
    ("TBT", "total-blocking-time"),
    ("CLS", "cumulative-layout-shift"),
    ("SI", "speed-index"),
)
# Its `overrides` name versions where a dependency of Lighthouse asks for whatever is the latest.
LOCKED: Final = BASE_DIR / "tests" / "browser" / "npm"
KEPT: Final = BASE_DIR / "var" / "lighthouse"
# An odd number, of which the middle counts; RUNS=1 for a first impression.
RUNS: Final = int(os.environ.get("RUNS", "3"))
# How the names of the pages that are looked at begin; all of them if empty.
ONLY: Final = tuple(os.environ.get("ONLY", "").split(","))
_GAME: Final = f"/games/{walking.GAME.rsplit('/', 1)[1]}"
_FLAGS: Final = "--headless=new --no-sandbox --disable-gpu"
_WITHIN_S: Final = 180
_DAY_S: Final = 24 * 3600
_TRIES: Final = 3
# What Lighthouse finds a machine able to that its simulated phone is four times slower than; a busy one has less.
_USUAL_INDEX: Final = 1000
Report = dict[str, Any]


@dataclass(frozen=True)
class Visit:
    """A page, and whether who looks is signed in."""

    name: str
    path: str
    is_signed_in: bool


@dataclass(frozen=True)
class Seen:
    """What was found: the reports of each look, the one in the middle by its performance first."""

    visit: Visit
    form: str
    reports: list[Report]

    def score(self, category: str) -> int:
        """Return the middle of the scores, of 100."""
        scores = sorted(report["categories"][category]["score"] or 0 for report in self.reports)
        return round(100 * scores[len(scores) // 2])

    @property
    def figures(self) -> list[str]:
        """What the score of performance is made of, as Lighthouse writes it."""
        audits = self.reports[0]["audits"]
        return [audits[audit].get("displayValue", "–").replace("\xa0", " ") for _, audit in FIGURES]

    def costs(self) -> Iterator[str]:
        """Name the audits that cost a category points which is under the bar, and a machine that had no time."""
        for category in CATEGORIES:
            if self.score(category) >= BAR:
                continue
            refs = self.reports[0]["categories"][category]["auditRefs"]
            whole = sum(ref["weight"] for ref in refs)
            for ref in refs:
                audit = self.reports[0]["audits"][ref["id"]]
                lost = ref["weight"] / whole * (1 - audit["score"]) * 100 if audit["score"] is not None else 0
                if lost >= 0.5:
                    yield f"{category} -{lost:.0f}: {audit['title']} {audit.get('displayValue', '')}".rstrip()
        index = self.reports[0]["environment"]["benchmarkIndex"]
        if self.score("performance") < BAR and index < _USUAL_INDEX:
            yield f"The machine was slow or busy (index {index:.0f}, usually {_USUAL_INDEX} and more): look again."


def main() -> int:
    """Look at each page, print what was found, and return 1 if anything is under the bar."""
    chromium = onlooker.chromium()
    missing = running.NO_CHROMIUM if chromium is None else npm.missing("Lighthouse comes")
    if chromium is None or missing:
        print(missing)
        return 1
    lighthouse = _installed()
    with running.laurel("lighthouse") as laurel:
        profile = laurel.folder / "signed-in"
        visits = [visit for visit in _visits(chromium, laurel, profile) if visit.name.startswith(ONLY)]
        print(_row("page", "form", *CATEGORIES, *(name for name, _ in FIGURES)), flush=True)
        is_under = False
        for visit in visits:
            for form in FORMS:
                seen = Seen(visit, form, _looks(lighthouse, chromium, laurel, visit, form))
                scores = [seen.score(category) for category in CATEGORIES]
                print(_row(visit.name, form, *map(str, scores), *seen.figures), flush=True)
                print(*(f"    {cost}\n" for cost in seen.costs()), sep="", end="", flush=True)
                is_under |= min(scores) < BAR
    print(
        f"{'Something is' if is_under else 'Nothing is'} under {BAR}. The reports lie in {KEPT / 'reports'}."
    )
    return int(is_under)


def _row(page: str, form: str, *cells: str) -> str:
    widths = (*(len(category) for category in CATEGORIES), *(8 for _ in FIGURES))
    return f"{page:<26}{form:<9}" + "  ".join(
        f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)
    )


def _installed() -> Path:
    """Return Lighthouse's program."""
    folder = npm.installed(LOCKED, KEPT / "npm", what="Lighthouse")
    return folder / "node_modules" / "lighthouse" / "cli" / "index.js"


def _visits(chromium: str, laurel: Laurel, profile: Path) -> list[Visit]:
    """Sign in, in a browser whose profile is kept, and return what is looked at."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=chromium, args=_FLAGS.split(), base_url=laurel.home
        )
        context.set_default_timeout(1000 * _WITHIN_S)
        page = context.new_page()
        walking.sign_in(page, laurel.said)
        lived_in.as_a_player(page, laurel.said)
        achievement = _first(page, _GAME, f"main a[href^='{_GAME}/achievements/']")
        board = _first(page, f"{_GAME}?view=boards", f"main a[href^='{_GAME}/leaderboards/']")
        player = _first(page, "/leaderboards/global", "main td a[href^='/players/']")
        # A profile keeps no cookie that ends with the browser.
        for cookie in context.cookies():
            lasting: Any = cookie | {"expires": time.time() + _DAY_S}
            context.add_cookies([lasting])
        context.close()
    return [
        Visit("dashboard", "/me/", is_signed_in=True),
        Visit("game", _GAME, is_signed_in=False),
        Visit("game, signed in", _GAME, is_signed_in=True),
        Visit("achievement", achievement, is_signed_in=False),
        Visit("achievement, signed in", achievement, is_signed_in=True),
        Visit("leaderboard", board, is_signed_in=False),
        Visit("leaderboard, signed in", board, is_signed_in=True),
        Visit("leaderboard of all games", "/leaderboards/global", is_signed_in=True),
        Visit("profile", player, is_signed_in=False),
        Visit("profile, signed in", player, is_signed_in=True),
    ]


def _first(page: Page, path: str, links: str) -> str:
    page.goto(path)
    href = page.locator(links).first.get_attribute("href")
    assert href is not None, path
    return href


def _looks(program: Path, chromium: str, laurel: Laurel, visit: Visit, form: str) -> list[Report]:
    """Look at a page as often as asked for; the middle one, by its performance, comes first and is kept."""
    reports = [_look(program, chromium, laurel, visit, form) for _ in range(RUNS)]
    reports.sort(key=lambda report: report["categories"]["performance"]["score"] or 0)
    reports.insert(0, reports.pop(RUNS // 2))
    kept = KEPT / "reports" / f"{visit.name.replace(', ', '-').replace(' ', '-')}-{form}.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(reports[0], indent=1))
    return reports


def _look(program: Path, chromium: str, laurel: Laurel, visit: Visit, form: str) -> Report:
    profile = laurel.folder / "profile"
    command = [
        *("node", str(program), f"{laurel.home}{visit.path}", "--quiet", "--output=json"),
        *(f"--only-categories={','.join(CATEGORIES)}", "--no-enable-error-reporting", *FORMS[form]),
        f"--chrome-flags={_FLAGS} --user-data-dir={profile}",
    ]
    env = {**os.environ, "CHROME_PATH": chromium}
    for _ in range(_TRIES):  # on a busy machine it misses the beginning of a page at times, and says so
        # A profile of its own for each look, so that none finds what another one has left.
        shutil.rmtree(profile, ignore_errors=True)
        if visit.is_signed_in:
            shutil.copytree(laurel.folder / "signed-in", profile, ignore=shutil.ignore_patterns("Singleton*"))
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=_WITHIN_S, check=False
        )
        if done.returncode == 0:
            break
    else:
        raise SystemExit(f"Lighthouse could not look at {visit.path}:\n{done.stderr}")
    report: Report = json.loads(done.stdout)
    if report["finalDisplayedUrl"] != f"{laurel.home}{visit.path}":
        raise SystemExit(f"{visit.path} led to {report['finalDisplayedUrl']}.")
    return report


if __name__ == "__main__":
    sys.exit(main())
