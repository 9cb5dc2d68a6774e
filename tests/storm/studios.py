"""Two studios with a game each: what the storm's clients report to, and whose server hears webhooks."""

import json
from dataclasses import dataclass

from tests.platform import ACHIEVEMENTS, POINTS, Platform
from tests.storm.plan import BOARD, KILLS, STEPS

EVENT = "achievement.unlocked"
_MORE_STEPS = 10_000_000  # than anybody takes
_SEED = f"""
import json
from accounts.services import create_game, create_studio, issue_key
from achievements.models import Achievement, Catalogue
studio = create_studio(name="Hooked")
game = create_game(studio_id=studio.pk, title="Hooked")
Catalogue.objects.create(game=game)
Achievement.objects.bulk_create(
    Achievement(studio_id=studio.pk, game=game, key=f"a{{n}}", name=f"A{{n}}", points={POINTS})
    for n in range({ACHIEVEMENTS})
)
print(json.dumps([str(game.uuid), game.pk, issue_key(studio_id=studio.pk, name="storm")[1]]))
"""


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
    made = json.loads(platform.manage("shell", "-v0", "-c", _SEED).strip().splitlines()[-1])
    studio = Studio(*made)
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
        answer = client.post(f"{games}/{path}", body)
        assert answer.status == 201, answer
