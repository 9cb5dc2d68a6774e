"""The achievement editor in a browser: kept and previewed while it is typed, nothing lost, nobody overwritten."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Locator, Page, expect

from tests.browser.walking import GAME

pytestmark = pytest.mark.slow


def _is_odd(message: ConsoleMessage) -> bool:
    """Say whether the console complains, but for what the editor is refused, or a test lets fail."""
    return message.type == "error" and not re.search(r"status of (409|422)|net::ERR_FAILED", message.text)


@pytest.fixture
def page(browser: Browser, said: str) -> Iterator[Page]:
    """Sign in as the demo's developer; whatever the console complains of fails the test."""
    home, login, password = (
        re.findall(rf"^{name} +(\S+)$", said, re.MULTILINE)[0] for name in ("Home", "Sign in as", "Password")
    )
    context = browser.new_context(base_url=home, viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if _is_odd(message) else None)
    opened.goto("/account/login/")
    opened.fill("[name=login]", login)
    opened.fill("[name=password]", password)
    opened.press("[name=password]", "Enter")
    opened.wait_for_url("**/portal/**")
    yield opened
    context.close()
    assert complaints == []


def _stay(dialog: Dialog, asked: list[str]) -> None:
    """Note what is asked, and say no."""
    asked.append(dialog.message)
    dialog.dismiss()


def drawer_of(page: Page, name: str) -> Locator:
    """Open an achievement over the list."""
    page.goto(f"{GAME}/achievements")
    page.get_by_role("link", name=name).click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_label("Name", exact=True)).to_be_visible()
    return drawer


def test_an_achievement_is_edited_in_a_drawer_and_kept_while_it_is_typed(page: Page) -> None:
    drawer = drawer_of(page, "Bellwether")
    expect(page).to_have_url(re.compile(r"/achievements/[0-9a-f-]{36}$"))
    name = drawer.get_by_label("Name", exact=True)
    name.fill("Bell, book and candle")
    expect(drawer.locator(".preview-stage .toast-name")).to_have_text("Bell, book and candle")
    drawer.get_by_role("button", name="Light").click()
    expect(drawer.locator("#preview-stage")).to_have_attribute("data-bs-theme", "light")
    name.focus()
    name.press("End")
    name.press_sequentially("s")
    expect(drawer.locator("#draft-said")).to_contain_text("Draft saved")
    expect(drawer.get_by_role("button", name="Publish 1 change")).to_be_visible()
    expect(name).to_be_focused()
    name.press("Backspace")
    page.keyboard.press("Escape")  # saved on the way out, and nothing is asked
    expect(page).to_have_url(re.compile(r"/achievements$"))

    drawer = drawer_of(page, "Bellwether")
    expect(drawer.get_by_label("Name", exact=True)).to_have_value("Bell, book and candle")
    drawer.get_by_role("link", name="Unlocking").click()
    expect(drawer.get_by_label("Name", exact=True)).to_be_hidden()
    drawer.get_by_label("How it is unlocked").select_option("incremental")
    expect(drawer.locator("#draft-said")).to_contain_text("Not saved.")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", stay)
    page.keyboard.press("Escape")
    expect(drawer).to_be_visible()
    assert len(asked) == 1
    drawer.get_by_label("Target").fill("7")
    expect(drawer.locator(".preview-stage")).to_contain_text("5 of 7")
    expect(drawer.locator("#draft-said")).to_contain_text("Draft saved")

    drawer.get_by_role("button", name="Publish 3 changes").click()
    expect(drawer.get_by_role("heading", name="What happens to players")).to_be_visible()
    expect(drawer.locator(".diff ins").first).to_have_text("Bell, book and candle")
    drawer.get_by_role("button", name="Publish 3 changes").click()
    expect(drawer.get_by_text("The changes are published.")).to_be_visible()
    drawer.get_by_role("link", name="History").click()
    expect(drawer.locator(".past > li")).to_have_count(2)

    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"/achievements$"))
    expect(page.get_by_role("link", name="Bell, book and candle")).to_be_visible()


def test_what_was_typed_stays_when_a_save_gets_no_answer_or_back_is_pressed(page: Page) -> None:
    drawer = drawer_of(page, "Storm Debt")
    address, description = page.url, drawer.get_by_label("Description", exact=True)
    page.route(address, lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    description.fill("Owed to the storm.")
    drawer.locator("#edit-form").evaluate("form => form.requestSubmit()")
    expect(drawer.locator("#draft-said")).to_contain_text("Not saved: Laurel does not answer.")
    expect(description).to_have_value("Owed to the storm.")
    asked: list[str] = []
    page.once("dialog", lambda dialog: _stay(dialog, asked))
    page.go_back()
    expect(page).to_have_url(address)
    assert asked == ["Leave without saving what you typed?"]
    expect(description).to_have_value("Owed to the storm.")
    page.unroute(address)
    expect(drawer.locator("#draft-said")).to_contain_text("Draft saved", timeout=30_000)
    page.go_back()
    expect(drawer).not_to_be_visible()
    expect(page).to_have_url(re.compile(r"/achievements$"))


def test_a_draft_that_is_sent_twice_is_made_once(page: Page) -> None:
    page.goto(f"{GAME}/achievements")
    page.get_by_role("link", name="New achievement").first.click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("Name", exact=True).fill("Twice upon a shore")
    drawer.get_by_role("button", name="Save draft").dblclick()
    expect(drawer.get_by_text("The draft is saved.")).to_be_visible()


def test_of_two_who_type_at_once_the_second_is_asked(page: Page) -> None:
    other = page.context.new_page()
    mine, theirs = drawer_of(page, "Storm Debt"), drawer_of(other, "Storm Debt")
    theirs.get_by_label("Points").fill("77")
    expect(theirs.locator("#draft-said")).to_contain_text("Draft saved")
    name = mine.get_by_label("Name", exact=True)
    name.fill("Storm paid")
    expect(mine.get_by_role("heading", name="changed this while you were editing")).to_be_visible()
    expect(name).to_be_focused()
    name.press_sequentially("!")  # nothing is saved by itself until it is chosen
    mine.get_by_role("button", name="Keep both").click()
    expect(mine.get_by_role("button", name="Publish 2 changes")).to_be_visible()
    theirs.get_by_label("Points").fill("78")
    expect(theirs.locator("#draft-said")).to_contain_text("Not saved.")
    mine.get_by_role("button", name="Discard changes").click()
    expect(mine.get_by_text("The changes are discarded.")).to_be_visible()
    theirs.get_by_label("Points").fill("")
    other.close()


def test_a_new_one_is_kept_in_the_tab_and_asks_for_others(page: Page) -> None:
    page.goto(f"{GAME}/achievements/new")
    page.get_by_label("Name", exact=True).fill("All of the shore")
    page.get_by_role("link", name="Translations").click()
    for language in ("de", "fr"):
        page.get_by_label("Code of the language").last.fill(language)
        page.get_by_role("button", name="Add another language").click()
    while not page.evaluate("sessionStorage.length"):
        page.wait_for_timeout(50)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.get_by_text("is back")).to_be_visible()
    expect(page.get_by_label("Key")).to_have_value("all-of-the-shore")
    codes = page.get_by_label("Code of the language")
    assert [code.input_value() for code in codes.all()] == ["de", "fr", ""]
    for code in codes.all():
        code.fill("")
    page.get_by_role("link", name="Unlocking").click()
    page.get_by_label("How it is unlocked").select_option("meta")
    find = page.get_by_label("Find achievements to ask for")
    for wanted in ("first spark", "CAST-OFF"):
        find.fill(wanted)
        find.press("ArrowDown")
        page.keyboard.press("Space")
    expect(page.get_by_text("2 of ")).to_be_visible()
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    expect(page.get_by_text("2 of ")).to_be_attached()
    assert page.evaluate("sessionStorage.length") == 0


def test_a_file_is_dropped_and_says_what_it_would_change(page: Page) -> None:
    page.goto(f"{GAME}/achievements/import")
    body = '{"achievements": [{"key": "dropped", "name": "Dropped", "state": "draft"}]}'
    page.locator(".drop-zone").evaluate(
        """(zone, body) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([body], "game.json"));
            zone.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        body,
    )
    page.get_by_role("button", name="Apply 1 change").click()
    expect(page.get_by_text("Imported: 1 new")).to_be_visible()
