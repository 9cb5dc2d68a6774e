"""A studio's whole way with a real game: two people, an imported game, an unlock, its player and charts, and back."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from achievements.replay.files import read_games
from tests.achievements import samples
from tests.browser import walking
from tests.browser.conftest import Laurel
from tests.browser.game_server import Api

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not samples.REAL_DATA.is_dir(), reason=samples.NO_REAL_DATA),
]
WITHIN_S = 120
MAKER, HELPER, PASSWORD = "maker@example.com", "helper@example.com", "a-walk-in-the-park"
PLAYER = "76561198000000001"


@pytest.fixture
def contexts(browser: Browser, said: str) -> Iterator[list[BrowserContext]]:
    """Open a browser for each of two people."""
    base = walking.printed(said, "Home")
    opened = [browser.new_context(base_url=base, viewport={"width": 1440, "height": 900}) for _ in range(2)]
    yield opened
    for context in opened:
        context.close()


def _person(context: BrowserContext, complaints: list[str]) -> Page:
    """Open a page; what its console complains of is kept."""
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    return page


def _document(tmp_path: Path) -> tuple[Path, str]:
    """Write a real game's definitions as drafts, and return the first one's key."""
    [game] = read_games(samples.REAL_DATA, ("steam:346110",))
    listed = [dict(one, state="draft") for one in game.document["achievements"]]  # type: ignore[attr-defined]
    file = tmp_path / "game.json"
    file.write_text(json.dumps({"achievements": listed}))
    return file, str(listed[0]["key"])


def _unlock(page: Page, key: str, game: str, achievement: str) -> int:
    body = {"game_id": game, "player": PLAYER, "achievement": achievement}
    return Api(page.url, key).call("POST", "/achievements/unlock", body)[0]


def _shows(page: Page, path: str, text: str) -> None:
    """Look at a page until it shows a text: what is counted follows within seconds."""
    deadline = time.monotonic() + WITHIN_S
    page.goto(path)
    while text not in " ".join(page.locator("main").inner_text().split()):
        assert time.monotonic() < deadline, page.locator("main").inner_text()
        time.sleep(1)
        page.goto(path)


def test_a_studio_imports_a_game_sees_it_played_and_takes_an_unlock_back(
    contexts: list[BrowserContext], laurel: Laurel, tmp_path: Path
) -> None:
    complaints: list[str] = []
    maker, helper = (_person(context, complaints) for context in contexts)
    maker.goto("/account/signup/")
    walking.sign_up(maker, laurel.folder, MAKER, PASSWORD)
    maker.wait_for_url("**/portal/new")
    maker.fill("[name=name]", "Palisade")
    maker.get_by_role("button", name="Make the studio").click()
    maker.wait_for_url(re.compile(r"/portal/[0-9a-f-]{36}/$"))
    studio = urlsplit(maker.url).path.rstrip("/")

    maker.goto(f"{studio}/members")
    maker.fill("[name=email]", HELPER)
    maker.select_option("select[name=role]", "support") if maker.locator(
        "select[name=role]"
    ).count() else maker.check("[name=role][value=support]")
    maker.locator("#invite form button[type=submit], form#invite button[type=submit]").first.click()
    helper.goto(walking.link_in_mail(laurel.folder, HELPER, r"http://\S+/invitations/\S+"))
    helper.get_by_role("link", name="Make an account").click()
    helper.fill("[name=password1]", PASSWORD)  # the link has proved the address
    helper.locator("form.form button[type=submit]").first.click()
    helper.get_by_role("button", name="Accept the invitation").click()
    helper.wait_for_url(f"**{studio}/**")

    maker.goto(f"{studio}/games/new")
    maker.fill("[name=title]", "Palisade Island")
    maker.locator("main form button[type=submit]").last.click()
    maker.get_by_role("link", name="Game settings").click()  # from the first game the checklist leads on
    maker.wait_for_url(re.compile(r"/games/[0-9a-f-]{36}/"))
    game = re.findall(r"/games/([0-9a-f-]{36})", maker.url)[0]
    pages = f"{studio}/games/{game}"

    file, achievement = _document(tmp_path)
    maker.goto(f"{pages}/achievements/import")
    maker.select_option("[name=format]", "laurel")
    maker.set_input_files("[name=file]", file)
    maker.get_by_role("button", name="Show what would change").click()
    maker.get_by_role("button", name=re.compile("^Apply")).click()
    expect(maker.get_by_text("Imported:")).to_be_visible()
    maker.check("[data-choose-all]")
    maker.get_by_role("group", name="With the chosen ones").get_by_role("button", name="Publish").click()
    expect(maker.get_by_text("are published.")).to_be_visible()

    maker.goto(f"{studio}/keys/new")
    maker.get_by_label("Name", exact=True).fill("game server")
    maker.locator("main form button[type=submit]").last.click()
    key = maker.locator("#new-key").inner_text()
    assert _unlock(maker, key, game, achievement) == 202
    assert _unlock(maker, key, game, achievement) == 200

    helper.goto(f"{studio}/players?q={PLAYER}")
    helper.locator(f"main a[href^='{studio}/players/']").first.click()
    person = urlsplit(helper.url).path
    _shows(helper, f"{person}?game={game}", "10 pts")
    _shows(maker, f"{pages}/analytics?window=7d", "Unlocks 1")
    _shows(maker, f"{pages}/analytics/achievements", "100%")

    helper.goto(f"{person}/games/{game}/revoke")
    helper.select_option("[name=achievement]", achievement)
    helper.fill("[name=reason]", "Unlocked while testing the import.")
    helper.locator("main form button[type=submit]").last.click()
    helper.wait_for_url(f"**{person}**")
    _shows(helper, f"{person}?game={game}", "Revoked")
    _shows(maker, f"{pages}/analytics?window=7d", "Unlocks 0")

    maker.goto(f"{studio}/audit")
    expect(maker.get_by_text("Revoked unlocks").last).to_be_visible()
    assert HELPER in maker.locator("main").inner_text()
    helper.goto(f"{studio}/audit")
    assert helper.get_by_text("Revoked unlocks").count() == 0
    assert [one for one in complaints if "403" not in one] == []
