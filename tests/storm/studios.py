"""Two studios with a game each: what the storm's clients report to, and whose server hears webhooks."""

from dataclasses import dataclass

from tests.platform import Platform
from tests.storm.plan import BOARD, KILLS, STEPS

EVENT = "achievement.unlocked"
_MORE_STEPS = 10_000_000  # than anybody takes


@dataclass(frozen=True)
class Studio:
    """A studio's game and the key by which its servers report."""

    game: str
    game_id: int
    key: str


def plain(platform: Platform) -> Studio:
    """Return the platform's own studio, whose game is given what the storm needs."""
    studio = Studio(platform.game, platform.game_id, platform.key)
    _define(platform, studio)
    return studio


def hooked(platform: Platform) -> Studio:
    """Make another studio, whose server hears of unlocks at the platform's `hook_port`."""
    studio = Studio(**platform.new_studio("Hooked"))
    _define(platform, studio)
    url = f"http://127.0.0.1:{platform.hook_port}/"
    answer = platform.client(key=studio.key).post("/webhooks", {"url": url, "events": [EVENT]})
    assert answer.status == 201, answer
    return studio


def _define(platform: Platform, studio: Studio) -> None:
    client, games = platform.client(key=studio.key), f"/games/{studio.game}"
    steps = {"key": STEPS, "name": "Steps", "type": "incremental", "target": _MORE_STEPS}
    board = {"key": BOARD, "name": "Storm"}
    for path, body in (
        ("stats", {"key": KILLS, "name": "Kills"}),
        ("achievements", steps),
        ("leaderboards", board),
    ):
        answer = client.until_answered(client.post, f"{games}/{path}", body)
        assert answer.status == 201, answer
