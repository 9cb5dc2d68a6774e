"""The player site in a browser that runs no scripts: everything works but for the live parts, by links and forms."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect

from tests.browser import lived_in, walking
from tests.browser.conftest import WITHIN_MS, Laurel

pytestmark = pytest.mark.slow
GAME = f"/games/{walking.GAME.rsplit('/', 1)[1]}"
BOARD = f"{GAME}/leaderboards/best-lap"
OTHER = "np-0021"
# What only a script could make work has to be hidden, and offered nothing for.
DEAD = "button[type=button]:visible, a:not([href]):visible, kbd:visible, #live-state:visible, #sound:visible"


@pytest.fixture(scope="module")
def signed_in(browser: Browser, said: str) -> StorageState:
    """Sign in by the form, and become the demo's player by a code; return what the browser keeps of it."""
    context = browser.new_context(base_url=walking.printed(said, "Home"), java_script_enabled=False)
    page = context.new_page()
    walking.sign_in(page, said)
    lived_in.as_a_player(page, said)
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture(scope="module")
def other(laurel: Laurel, said: str) -> dict[str, str]:
    """Return the session's cookie, the name and the id of somebody else."""
    return laurel.signed_in(OTHER)


@pytest.fixture
def opened(browser: Browser, said: str) -> Iterator[Callable[..., Page]]:
    """Return what opens a page without scripts."""
    contexts: list[BrowserContext] = []

    def open_page(state: StorageState | None = None) -> Page:
        context = browser.new_context(
            base_url=walking.printed(said, "Home"),
            java_script_enabled=False,
            storage_state=state,
            viewport={"width": 1440, "height": 900},
        )
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(opened: Callable[..., Page], signed_in: StorageState) -> Page:
    """Open a browser of the demo's player."""
    return opened(signed_in)


@pytest.fixture
def others_page(opened: Callable[..., Page], said: str, other: dict[str, str]) -> Page:
    """Open a browser of somebody else."""
    page = opened()
    cookie = {"name": "sessionid", "value": other["cookie"], "url": walking.printed(said, "Home")}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    return page


def _go(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(DEAD)).to_have_count(0)


def _number(page: Page, selector: str) -> int:
    return int(page.locator(selector).first.inner_text().replace(",", ""))


def _said(page: Page, text: str) -> None:
    expect(page.locator("main [role=status]").filter(has_text=text)).to_be_visible()


def test_one_s_own_page_has_totals_curve_unlocks_ranks_and_games(page: Page) -> None:
    _go(page, "/me/")
    assert _number(page, "[data-total=points]") > 0
    assert _number(page, "[data-total=unlocked]") > 0
    expect(page.get_by_role("img", name="points").first).to_be_visible()
    page.locator("#curve summary").click()
    expect(page.locator("#curve tbody tr").first).to_be_visible()
    for part in ("unlocks", "ranks", "almost", "games"):
        expect(page.locator(f"[data-live={part}] li").first).to_be_visible()
    page.get_by_role("link", name="90 days").click()
    page.wait_for_url("**/me/?span=90d#curve")
    expect(page.locator("#curve h2")).to_contain_text("90 days")
    page.locator("[data-live=unlocks] a.title").first.click()
    page.wait_for_url("**/achievements/*")


def test_a_game_s_achievements_are_filtered_and_sorted_by_links(page: Page) -> None:
    _go(page, GAME)
    chip = page.locator(".filters a.chip", has_text="Unlocked")
    number = int(chip.locator(".num").inner_text())
    chip.click()
    page.wait_for_url("**show=unlocked**")
    expect(page.locator(".filters [aria-current]", has_text="Unlocked")).to_be_visible()
    expect(page.locator("li.achievement")).to_have_count(number)
    page.locator(".choice > summary", has_text="Sort").click()
    page.locator(".choices a[href*='sort=rarity']").click()
    page.wait_for_url("**sort=rarity**")
    expect(page.locator("li.achievement")).to_have_count(number)
    _go(page, GAME)
    page.locator(".choice > summary").first.click()
    page.locator(".choices a", has_text="long-dusk").click()
    page.wait_for_url("**group=long-dusk**")
    for view in ("Leaderboards", "Timeline", "Friends"):
        page.locator(".tabs a", has_text=view).click()
        expect(page.locator(".tabs [aria-current]")).to_contain_text(view)
        expect(page.locator("main section").first).to_be_visible()


def test_a_board_has_spans_regions_periods_and_the_way_to_oneself(page: Page) -> None:
    _go(page, BOARD)
    page.locator(".board-filters").get_by_role("link", name="Jump to me").click()
    page.wait_for_url("**#me")
    expect(page.locator("#me")).to_be_in_viewport()
    page.get_by_role("navigation", name="Span").get_by_role("link", name="All time").click()
    page.wait_for_url("**span=all**")
    page.locator(".menu-chip > summary").click()
    page.locator(".menu-list a", has_text="EU").click()
    page.wait_for_url("**region=EU**")
    expect(page.locator("tr[data-place] .wide-only", has_text=re.compile("^EU$")).first).to_be_visible()
    _go(page, BOARD)
    page.get_by_role("link", name="Friends only").click()
    page.wait_for_url("**friends=1**")
    _go(page, BOARD)
    page.get_by_role("link", name="Past periods").click()
    page.locator("td a", has_text=re.compile(r"\d")).last.click()
    expect(page.get_by_text(re.compile("^Final(ising)?$")).first).to_be_visible()


def test_a_board_is_read_to_its_end_by_its_links(opened: Callable[..., Page]) -> None:
    page = opened()
    _go(page, "/leaderboards/global")
    places = page.locator("tr[data-place]")
    seen = 3 + places.count()
    while page.locator("[data-more]").count():
        page.locator("[data-more]").click()
        expect(places.first).to_have_attribute("data-place", str(seen))
        seen += places.count()
    expect(page.get_by_text("That is everybody.")).to_be_visible()
    page.get_by_role("link", name="Back to the first place").click()
    expect(page.locator(".podium")).to_be_visible()


def test_the_gap_before_one_s_own_row_leads_on(others_page: Page) -> None:
    _go(others_page, "/leaderboards/global")
    gap = others_page.locator("[data-gap] a")
    if gap.count():
        gap.click()
        expect(others_page.locator("tr[data-place]").first).to_be_visible()
        others_page.get_by_role("link", name="Jump to me").click()
    expect(others_page.locator("#me")).to_be_visible()


def test_games_and_players_are_found(page: Page, other: dict[str, str]) -> None:
    _go(page, "/me/")
    field = page.get_by_label("Search games and players")
    field.fill("emberw")
    field.press("Enter")
    page.wait_for_url("**/search?q=emberw")
    expect(page.locator(".hits a", has_text="Emberwake")).to_be_visible()
    page.locator("#q").fill(other["name"])
    page.locator("main").get_by_role("button", name="Search").click()
    page.locator(f".hits a[href*='{other['id']}']").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(other["name"])


def test_two_players_are_compared(page: Page, other: dict[str, str]) -> None:
    _go(page, f"/players/{other['id']}")
    page.get_by_role("link", name="Compare with you").click()
    expect(page.locator(".compared tbody tr").first).to_be_visible()
    page.locator(".compared tbody a").first.click()
    page.locator(".chip", has_text="Both").click()
    page.wait_for_url("**show=both**")
    page.locator("#game").select_option(index=0)
    page.get_by_role("button", name="Switch").click()
    expect(page.get_by_role("heading", name="Games of both")).to_be_visible()


def test_a_friend_is_asked_accepts_is_told_and_is_removed(
    page: Page, others_page: Page, other: dict[str, str]
) -> None:
    _go(page, "/me/friends")
    page.locator("#q").fill(other["name"])
    page.get_by_role("button", name="Find").click()
    _press(page, other, "ask")
    _said(page, "The request is sent.")
    _until_shown(others_page, "/me/inbox", ".told-new")
    _go(others_page, "/me/friends")
    others_page.get_by_role("button", name="Accept").click()
    _said(others_page, "You are friends.")
    _until_shown(page, "/me/inbox?kind=friend.accepted", ".told-new")
    page.get_by_role("button", name="Mark read").first.click()
    expect(page.locator(".told-new")).to_have_count(0)
    _go(page, "/me/friends")
    page.locator(".rows-friends summary").first.click()
    _press(page, other, "remove")
    _said(page, "You are no friends any more.")


def _press(page: Page, other: dict[str, str], deed: str) -> None:
    page.locator(f"form[action$='{other['id']}'] button[value={deed}]").click()


def _until_shown(page: Page, path: str, selector: str) -> None:
    """Open a page until something is there: without scripts nothing comes by itself."""
    for _ in range(WITHIN_MS // 500):
        _go(page, path)
        if page.locator(selector).count():
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"{path} never showed {selector}")


def test_everything_in_the_inbox_is_read_and_what_is_told_is_chosen(others_page: Page) -> None:
    _until_shown(others_page, "/me/inbox", ".told > li")
    unread = others_page.get_by_role("button", name="Mark all read")
    if unread.count():
        unread.click()
    expect(others_page.get_by_text("You have read everything.")).to_be_visible()
    others_page.get_by_role("link", name="What you are told").click()
    box = others_page.get_by_label("Ranks, at once")
    was = box.is_checked()
    box.set_checked(not was)
    others_page.get_by_role("button", name="Save", exact=True).click()
    expect(others_page.locator("main [role=status]")).to_be_visible()
    _go(others_page, "/me/inbox/preferences")
    expect(others_page.get_by_label("Ranks, at once")).to_be_checked(checked=not was)


def test_settings_are_saved_and_a_wrong_code_is_told(others_page: Page) -> None:
    _go(others_page, "/me/settings")
    others_page.get_by_label("Time zone").select_option("Europe/Lisbon")
    others_page.get_by_role("button", name="Save your profile").click()
    _said(others_page, "Your profile is saved.")
    expect(others_page.get_by_label("Time zone")).to_have_value("Europe/Lisbon")
    others_page.get_by_label("News").select_option("private")
    others_page.get_by_role("button", name="Save who sees what").click()
    _said(others_page, "What others see is as you chose")
    others_page.get_by_label("Code").fill("AAAA-AAAA")
    others_page.get_by_role("button", name="Link the game").click()
    expect(others_page.get_by_role("alert")).to_contain_text("Nothing was linked.")


def test_a_code_has_linked_the_game(page: Page) -> None:
    _go(page, "/me/settings")
    expect(page.locator("#games")).to_contain_text("knows you as demo")


def test_the_theme_changes_and_the_page_stays(page: Page, opened: Callable[..., Page]) -> None:
    for anybody in (page, opened()):
        _go(anybody, f"{GAME}?{urlencode({'sort': 'points'})}")
        for name, theme in (("Light theme", "light"), ("Dark theme", "dark")):
            anybody.get_by_role("button", name=name).click()
            expect(anybody.locator("html")).to_have_attribute("data-bs-theme", theme)
            anybody.wait_for_url("**?sort=points")


def test_what_did_not_unlock_is_reported(page: Page) -> None:
    for key in ("storm-debt", "keeper-of-the-reach", "the-ninth-wave"):  # others report some of them
        _go(page, f"{GAME}/achievements/{key}")
        if page.get_by_label("What happened?").count():
            break
    message = "I rode out the storm twice yesterday evening.\nThe harbour master nodded."
    page.get_by_label("What happened?").fill(message)
    page.get_by_role("button", name="Send the report").click()
    _said(page, "Your report is sent.")
    expect(page.locator(".reported")).to_contain_text("The harbour master nodded.")


def test_nothing_on_the_other_pages_waits_for_a_script(page: Page) -> None:
    _go(page, "/me/")
    year = page.locator("a.door").get_attribute("href")
    for path in ("/", "/games", "/leaderboards", "/search", "/demo", "/me/settings/export", year):
        assert path is not None
        _go(page, path)
