"""What nobody expects, made as a studio and its players make it: by the API and the portal, in a studio of its own.

Names that are read from the right, stack their signs or never end, 500 achievements and none, ties, and numbers that
fill a line. Whoever looks at its pages (test_oddities.py, screenshots.py) has one account: the studio's owner, who is
also the player that has most of it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from django.urls import reverse
from playwright.sync_api import Page

from tests.browser import walking
from tests.browser.game_server import Api
from tests.browser.lived_in import until

EMAIL, PASSWORD = "odd@laurel.example", "a-name-without-an-end"
READER: Final = "the-reader"
LENGTH: Final = 128
LONG: Final = ("Unverbesserliche" * 8)[:LENGTH]
LONG_RTL: Final = ("حارسالمنارةالأخيرة" * 8)[:LENGTH]
NAMES: Final[Mapping[str, str]] = {
    "long": LONG,
    "arabic": "حارس المنارة الأخيرة",
    "long-arabic": LONG_RTL,
    "hebrew": "שומרת המגדלור (1 מתוך 2)",
    "thai": "ผู้พิทักษ์ประภาคารแห่งสุดท้ายของทะเลเหนือที่ไม่มีใครรู้จัก",
    "japanese": "最後の灯台守と、静かな海の、だれも知らない約束",
    "emoji": "👩‍👩‍👧‍👦🏴‍☠️❤️‍🔥 Crew of the 🇺🇳",
    "marks": "Z" + "\u0335\u0322\u031b\u0315" * 4 + "a" + "\u0334\u0308\u0301" * 4 + "lgo",
    "override": "\u202egnirts a fo dne eht",
    "mixed": "Ahab “אב” (7) & <b>sons</b>",
    "digits": "1 2 3",
    "narrow": "i",
}
"""By script or kind; each is given to a player, an achievement and a board."""
KEYS: Final[Mapping[str, str]] = {
    "long": ("lighthouse-keeper" * 8)[:LENGTH],
    "arabic": "مفتاح-المنارة",
    "hebrew": "מפתח/1",
    "japanese": "鍵の守り人",
    "emoji": "🔑🏴‍☠️",
    "mixed": 'Ahab\'s "key" & <i>',
    "override": "..",
}
"""Of those that have an odd one, too; the others are keyed by their kind."""
FORMATS: Final[Mapping[str, tuple[int, float, float]]] = {
    # format: decimals, the most, a step
    "number": (0, 2**53, 1),
    "time_ms": (0, 359_999_999_999, 1_001),
    "time_s": (3, 86_399.999, 0.25),
    "currency": (2, 9_007_199_254_740.99, 0.01),
    "percent": (6, 99.999999, 0.000001),
}
MANY: Final = 500
GROUPS: Final = ("base", "The Drowned Coast", NAMES["arabic"], LONG, "第三章", "x")
_OTHERS: Final = 26  # who play, so that rarity can be told
_HIDDEN_EVERY, _STEPS_EVERY, _HELD = 9, 7, 180
_MOST_POINTS: Final = 100_000


@dataclass(frozen=True)
class Odd:
    """Where it is: ids of the API, and the studio's part of the portal.

    Attributes:
        games: by what they are: vast, odd, rtl, empty, gone.
        players: by their names' kind, and `nameless`, `private`, `reader`.

    """

    studio: str
    games: Mapping[str, str]
    players: Mapping[str, str]


def make(page: Page, var_dir: Path, home: str, receiver: int, *, reader: str = READER) -> tuple[Odd, Api]:
    """Make all of it; the page is nobody's, and of the studio's owner and player afterwards.

    `reader` is what the studio calls the player: one whom it knows already keeps what he has.
    """
    studio = _studio(page, var_dir)
    api = Api(home, _key(page, studio))
    return _fill(page, api, studio, receiver, reader), api


def _studio(page: Page, var_dir: Path) -> str:
    page.goto("/account/signup/")
    walking.sign_up(page, var_dir, EMAIL, PASSWORD)
    page.wait_for_url("**/portal/new")
    page.fill("[name=name]", LONG)
    page.get_by_role("button", name="Make the studio").click()
    page.wait_for_url(re.compile(r"/portal/[0-9a-f-]{36}/$"))
    return urlsplit(page.url).path.rstrip("/")


def _key(page: Page, studio: str) -> str:
    page.goto(f"{studio}/keys/new")
    page.get_by_label("Name", exact=True).fill(LONG[:100])
    for box in page.locator("[name=scopes]:not([value='offline:write'])").all():  # else old times are refused
        box.check()
    page.locator("main form button[type=submit]").last.click()
    return page.locator("#new-key").inner_text()


def _fill(page: Page, api: Api, studio: str, receiver: int, reader: str) -> Odd:
    players = {kind: _player(api, kind, display_name=name) for kind, name in NAMES.items()}
    players["nameless"] = _player(api, "nameless", display_name="")
    players["private"] = _player(api, "private", display_name="Nobody's business", visibility="private")
    games = {
        "vast": _game(api, "The Vast Archive of Every Lamp", list(_many())),
        "odd": _game(api, LONG, [_one(kind, name) for kind, name in NAMES.items()]),
        "rtl": _game(api, NAMES["arabic"], [_one(kind, NAMES["hebrew"]) for kind in ("hebrew", "narrow")]),
        "empty": _game(api, "Nothing Yet", []),
        "gone": _game(api, NAMES["emoji"], [{"key": "only", "name": "The only one", "points": 5}]),
    }
    _play(api, games, reader, [*players, *(f"crowd-{n}" for n in range(_OTHERS))])
    _boards(api, games["odd"], reader, [*players])
    api.do("POST", f"/games/{games['empty']}/leaderboards", {"key": "laps", "name": "Laps"}, among=(201,))
    _stats(api, games["odd"], reader)
    _friends(api, reader)
    _said(api, games["odd"], reader, receiver)
    api.do("PATCH", f"/games/{games['gone']}/achievements/only", {"state": "archived"}, among=(200,))
    walking.link(page, api.do("POST", f"/players/{quote(reader)}/link-code", {}, among=(201,))["code"])
    players["reader"] = _player(api, quote(reader), display_name=LONG_RTL, region="EU")
    until(lambda: "data-unlock" in _text(page, "/me/"))
    return Odd(studio, games, players)


def _text(page: Page, path: str) -> str:
    page.goto(path)
    return page.content()


def _player(api: Api, name: str, **changes: str) -> str:
    return str(api.do("PUT", f"/players/{name}", changes, among=(200,))["id"])


def _game(api: Api, title: str, achievements: list[dict[str, Any]]) -> str:
    game = str(api.do("POST", "/games", {"title": title, "regions": ["EU", "NA"]}, among=(201,))["id"])
    for start in range(0, len(achievements), MANY):
        document = {"achievements": achievements[start : start + MANY]}
        told = api.do("POST", f"/games/{game}/achievements/import?format=laurel", document, among=(200,))
        assert told["errors"] == []
    return game


def _one(kind: str, name: str) -> dict[str, Any]:
    return {
        "key": KEYS.get(kind, kind),
        "name": name,
        "description": f"{name} {name}. {name}" if kind != "narrow" else "",
        "points": _MOST_POINTS if kind in ("long", "arabic") else 15,
        "state": "published",
        "group": LONG if kind == "long" else "base",
        "hidden": kind in ("japanese", "marks"),
        "translations": {"ar": {"name": NAMES["arabic"], "description": NAMES["arabic"]}},
        **({"type": "incremental", "target": 1_000_000_000} if kind in ("mixed", "digits") else {}),
    }


def _many() -> Iterator[dict[str, Any]]:
    kinds = [*NAMES]
    for n in range(MANY):
        name = NAMES[kinds[n % len(kinds)]] if n % 10 == 0 else f"Lamp number {n}"
        yield {
            "key": f"lamp-{n}",
            "name": name,
            "description": f"Light lamp {n}, and see that it stays lit until the morning." if n % 3 else "",
            "points": _MOST_POINTS if n % 100 == 0 else n % 60,
            "state": "published",
            "group": GROUPS[n % len(GROUPS)],
            "sort_order": n,
            "hidden": n % _HIDDEN_EVERY == 4,
            **({"type": "incremental", "target": 30 + n} if n % _STEPS_EVERY == 3 else {}),
        }


def _play(api: Api, games: Mapping[str, str], reader: str, others: list[str]) -> None:
    steps = {n for n in range(MANY) if n % _STEPS_EVERY == 3}
    for place, player in enumerate([reader, *others]):
        held = range(0, MANY, 2 + place)
        keys = [f"lamp-{n}" for n in held if n not in steps][:_HELD]
        _unlock(api, games["vast"], [(player, key) for key in keys])
        _unlock(api, games["gone"], [(player, "only")])
    for n in sorted(steps)[:20]:
        item = {"game_id": games["vast"], "player": reader, "achievement": f"lamp-{n}", "steps": 29}
        api.do("POST", "/achievements/progress", item, among=(202,))
    known = [KEYS.get(kind, kind) for kind in NAMES if kind not in ("mixed", "digits")]
    for place, player in enumerate([reader, *others]):
        _unlock(api, games["odd"], [(player, key) for key in known[place % 3 :: 1 + place % 4]])
        _unlock(api, games["rtl"], [(player, KEYS["hebrew"])])
    for key, current in ((KEYS["mixed"], 999_999_999), ("digits", 1)):
        item = {"game_id": games["odd"], "player": reader, "achievement": key, "steps": current}
        api.do("POST", "/achievements/progress", item, among=(202,))


def _unlock(api: Api, game: str, unlocks: list[tuple[str, str]]) -> None:
    body = {
        "game_id": game,
        "unlocks": [{"player": player, "achievement": key} for player, key in unlocks],
    }
    told = api.do("POST", "/achievements/unlock/batch", body, among=(202,))
    assert told["rejected"] == 0, [one for one in told["results"] if one["status"] == "rejected"][:3]


def _boards(api: Api, game: str, reader: str, players: list[str]) -> None:
    """Make a board of each format, with five at the top of each: all of them tied but on one, far apart there."""
    for place, (format_, (decimals, most, step)) in enumerate(FORMATS.items()):
        kind = [*NAMES][place]
        key = f"board-{format_}"
        board = {"key": key, "name": NAMES[kind], "format": format_, "decimals": decimals, "reset": "weekly"}
        api.do("POST", f"/games/{game}/leaderboards", board, among=(201,))
        tied = [(player, most) for player in players[:5]]
        rest = [
            (player, round(most - step * (n // 2 + 1), decimals))
            for n, player in enumerate([*players[5:], reader])
        ]
        scores = [{"player": player, "score": score} for player, score in tied + rest]
        told = api.do("POST", f"/leaderboards/{game}/{key}/scores/batch", {"scores": scores}, among=(202,))
        assert told["rejected"] == 0, told
    lonely = {"key": KEYS["japanese"], "name": NAMES["japanese"], "sort": "asc"}
    api.do("POST", f"/games/{game}/leaderboards", lonely, among=(201,))


def _stats(api: Api, game: str, reader: str) -> None:
    for kind in ("long", "arabic", "emoji"):
        stat = {"key": KEYS[kind], "name": NAMES[kind], "aggregation": "max"}
        api.do("POST", f"/games/{game}/stats", stat, among=(201,))
    stats = {KEYS[kind]: {"set": 2**53} for kind in ("long", "arabic")}
    api.do("POST", "/stats/report", {"game_id": game, "player": reader, "stats": stats}, among=(202,))


def _friends(api: Api, reader: str) -> None:
    """Let some be friends, one ask and one be asked."""
    for kind in ("long", "arabic", "long-arabic", "emoji", "marks", "override", "nameless"):
        _ask(api, reader, kind)
        _ask(api, kind, reader)
    _ask(api, "hebrew", reader)
    _ask(api, reader, "thai")


def _ask(api: Api, one: str, other: str) -> None:
    api.do("POST", f"/players/{quote(one)}/friend-requests", {"to": other}, among=(200, 201, 202))


def _said(api: Api, game: str, reader: str, receiver: int) -> None:
    for key, message in ((KEYS["mixed"], NAMES["hebrew"]), ("digits", LONG_RTL * 3)):
        report = {"game_id": game, "achievement": key, "message": message}
        api.do("POST", f"/players/{quote(reader)}/reports", report, among=(201, 202))
    hook = {"url": f"http://127.0.0.1:{receiver}/{'taken/' * 30}", "description": LONG}
    api.do("POST", "/webhooks", hook, among=(201,))


def player_pages(odd: Odd) -> dict[str, str]:
    """Return the player site's pages that show it, by a name for each."""
    vast, game = (reverse("game-page", args=[odd.games[name]]) for name in ("vast", "odd"))
    pages = {
        "me": "/me/",
        "games": "/games",
        "games-found": f"/games?q={quote(NAMES['arabic'])}",
        "games-none": f"/games?q={quote(LONG_RTL)}",
        "boards": "/leaderboards",
        "boards-of-game": f"/leaderboards?game={odd.games['odd']}",
        "board-global": "/leaderboards/global",
        "board-points": reverse("board-page", args=[odd.games["vast"], "points"]),
        "board-empty": reverse("board-page", args=[odd.games["odd"], KEYS["japanese"]]),
        "vast": vast,
        "vast-whole": f"{vast}?all=1",
        "vast-hidden": f"{vast}?show=hidden",
        "vast-group": f"{vast}?group={quote(LONG)}",
        "vast-points": f"{vast}?sort=points",
        "vast-timeline": f"{vast}?view=timeline",
        "vast-friends": f"{vast}?view=friends",
        "odd": game,
        "odd-in-arabic": f"{game}?lang=ar",
        "odd-boards": f"{game}?view=boards",
        "odd-friends": f"{game}?view=friends",
        "friends": "/me/friends",
        "friends-found": f"/me/friends?q={quote('Unverb')}",
        "inbox": "/me/inbox",
        "search": f"/search?q={quote('Unverb')}",
        "search-arabic": f"/search?q={quote('حارس')}",
        "search-none": f"/search?q={quote(LONG)}x",
        "settings": "/me/settings",
        "export": "/me/settings/export",
        "recap": reverse("recap", args=[datetime.now(UTC).year]),
    }
    pages |= {name: reverse("game-page", args=[odd.games[name]]) for name in ("rtl", "empty", "gone")}
    pages |= {
        f"board-{one}": reverse("board-page", args=[odd.games["odd"], f"board-{one}"]) for one in FORMATS
    }
    for kind in NAMES:
        key = KEYS.get(kind, kind)
        if key != KEYS["override"]:  # whose page is found by its id
            pages[f"achievement-{kind}"] = reverse("achievement-page", args=[odd.games["odd"], key])
    for kind in ("long", "long-arabic", "hebrew", "emoji", "marks", "override", "nameless"):
        pages[f"player-{kind}"] = reverse("player", args=[odd.players[kind]])
    for kind in ("long-arabic", "long"):
        compared = reverse("compare", args=[odd.players["reader"], odd.players[kind]])
        pages |= {f"compare-{kind}": compared, f"compare-{kind}-in": f"{compared}?game={odd.games['odd']}"}
    pages["player-game"] = reverse("player-game", args=[odd.players["long"], odd.games["odd"]])
    pages["player-game-gone"] = reverse("player-game", args=[odd.players["reader"], odd.games["gone"]])
    return pages


def portal_pages(page: Page, odd: Odd) -> dict[str, str]:
    """Return the portal's pages of its studio, one of each address with a name, of its game with odd names."""
    starts = [f"{odd.studio}/", f"{odd.studio}/games/{odd.games['odd']}/achievements"]
    starts += [f"{odd.studio}/players?q={quote('Unverb')}", f"{odd.studio}/reports", f"{odd.studio}/requests"]
    others = [game for name, game in odd.games.items() if name != "odd"]

    def within(path: str) -> bool:
        return path.startswith(odd.studio) and not any(game in path for game in others)

    found = walking.pages(page, starts=starts, within=within)
    vast = f"{odd.studio}/games/{odd.games['vast']}"
    return found | {
        "vast-achievements": f"{vast}/achievements",
        "vast-analytics": f"{vast}/analytics/achievements",
        "empty-achievements": f"{odd.studio}/games/{odd.games['empty']}/achievements",
    }
