"""Steam vouches for people: its answer is taken once, in the browser that asked, and only if Steam confirms it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from accounts.steam import openid

BACK = "https://laurel.example/account/steam/login/callback/?state=abc"
ID = "https://steamcommunity.com/openid/id/76561197960435530"
NS = "http://specs.openid.net/auth/2.0"


@dataclass
class Steam:
    """What is at the other end, as far as it matters here."""

    says: str = f"ns:{NS}\nis_valid:true\n"
    status: int = 200
    asked: list[dict[str, Any]] = field(default_factory=list)

    def post(self, url: str, *, data: Mapping[str, str], timeout: float, allow_redirects: bool) -> "Steam":
        """Confirm, or not."""
        assert timeout > 0
        self.asked.append({"url": url, "data": data, "allow_redirects": allow_redirects})
        return self

    @property
    def status_code(self) -> int:
        """Its status."""
        return self.status

    @property
    def text(self) -> str:
        """Its body."""
        return self.says


def answer(**changes: str) -> dict[str, str]:
    told = {
        "ns": NS,
        "mode": "id_res",
        "op_endpoint": openid.ENDPOINT,
        "claimed_id": ID,
        "identity": ID,
        "return_to": BACK,
        "response_nonce": "2026-11-26T12:00:00Zx",
        "assoc_handle": "1234567890",
        "signed": "signed,op_endpoint,claimed_id,identity,return_to,response_nonce,assoc_handle",
        "sig": "c2ln",
        **changes,
    }
    return {"state": "abc", **{f"openid.{name}": value for name, value in told.items()}}


def test_a_confirmed_answer_is_a_steam_id() -> None:
    steam = Steam()
    assert openid.steam_id(answer(), return_to=BACK, http=steam) == "76561197960435530"
    (asked,) = steam.asked
    assert (asked["url"], asked["allow_redirects"]) == (openid.ENDPOINT, False)
    assert asked["data"]["openid.mode"] == "check_authentication"
    assert "state" not in asked["data"]


@pytest.mark.parametrize(
    "changes",
    [
        {"op_endpoint": "https://evil.example/openid"},
        {"claimed_id": "https://evil.example/openid/id/76561197960435530"},
        {"claimed_id": f"{ID}0", "identity": f"{ID}0"},
        {"identity": f"{ID[:-1]}1"},
        {"return_to": BACK.replace("abc", "abd")},
        {"return_to": BACK.replace("laurel", "evil")},
        {"signed": "op_endpoint,identity,return_to,response_nonce,assoc_handle"},
        {"mode": "cancel"},
        {"ns": "http://openid.net/signon/1.1"},
        {"sig": "x" * 5000},
    ],
)
def test_what_is_not_an_answer_to_us_is_not_even_shown_to_steam(changes: dict[str, str]) -> None:
    steam = Steam()
    with pytest.raises(openid.NotConfirmed):
        openid.steam_id(answer(**changes), return_to=BACK, http=steam)
    assert not steam.asked


@pytest.mark.parametrize(
    "steam",
    [
        Steam(says=f"ns:{NS}\nis_valid:false\n"),
        Steam(says="x-is_valid:true"),
        Steam(says=f"ns:{NS}\nis_valid:true\n", status=302),
        Steam(says=""),
    ],
)
def test_what_steam_does_not_confirm_is_refused(steam: Steam) -> None:
    with pytest.raises(openid.NotConfirmed):
        openid.steam_id(answer(), return_to=BACK, http=steam)
