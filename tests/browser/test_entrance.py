"""The portal's entrance in a browser: the printed login, and a passkey that is added, signs in, and is removed."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WITHIN_MS

pytestmark = pytest.mark.slow
_KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def page(browser: Browser, said: str) -> Iterator[Page]:
    """Open the page for signing in, in a browser that has a fingerprint; complaints of its console fail the test."""
    context = browser.new_context(base_url=_printed(said, "Home").replace("127.0.0.1", "localhost"))
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    device = context.new_cdp_session(opened)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": _KEY})
    opened.goto("/portal/")
    yield opened
    context.close()
    assert complaints == []


def _printed(said: str, name: str) -> str:
    found = re.search(rf"^{name} +(\S+)$", said, re.MULTILINE)
    assert found is not None
    return found[1]


def _sign_in(page: Page, said: str) -> None:
    page.get_by_label("Email").fill(_printed(said, "Sign in as"))
    page.get_by_label("Password").fill(_printed(said, "Password"))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Northlight Games", timeout=WITHIN_MS)


def _confirm(page: Page, said: str) -> None:
    page.get_by_label("Password").fill(_printed(said, "Password"))
    page.get_by_role("button", name="Confirm", exact=True).click()


def _sign_out(page: Page) -> None:
    page.goto("/account/logout/")
    page.locator("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You have signed out.")).to_be_visible(timeout=WITHIN_MS)


def test_a_passkey_is_added_signs_in_and_is_removed(said: str, page: Page) -> None:
    _sign_in(page, said)
    page.goto("/account/2fa/webauthn/add/")
    _confirm(page, said)
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Add the key").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes", timeout=WITHIN_MS)
    _sign_out(page)
    page.goto("/account/login/?next=/account/2fa/webauthn/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("Laptop")).to_be_visible(timeout=WITHIN_MS)
    page.get_by_role("link", name="Remove").click()
    _confirm(page, said)
    page.locator("main").get_by_role("button", name="Remove the key").click()
    expect(page.get_by_text("You have none yet.")).to_be_visible(timeout=WITHIN_MS)
    _sign_out(page)
    page.goto("/account/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("This passkey is not known here.")).to_be_visible(timeout=WITHIN_MS)


def test_a_browser_that_gives_no_passkey_is_told_on_the_page(browser: Browser, said: str) -> None:
    page = browser.new_page(base_url=_printed(said, "Home").replace("127.0.0.1", "localhost"))
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    page.goto("/account/login/")
    page.evaluate(
        "() => { navigator.credentials.get = () => Promise.reject(new DOMException('', 'NotAllowedError')); }"
    )
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("The browser gave no passkey.")).to_be_visible(timeout=WITHIN_MS)
    page.context.close()
