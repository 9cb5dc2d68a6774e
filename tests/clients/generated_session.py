"""A whole session by the generated client; run by test_sessions.py, with the client on PYTHONPATH."""

import os
import time
from typing import TypeVar
from uuid import uuid4

import httpx
from laurel_client import AuthenticatedClient
from laurel_client.api.leaderboards import get_leaderboard, get_rank, submit_score
from laurel_client.api.live import root
from laurel_client.api.players import (
    get_player,
    get_player_dashboard,
    get_player_stats,
    issue_player_token,
    list_player_achievements,
    put_player,
)
from laurel_client.api.social import list_notifications
from laurel_client.api.stats import report_stats
from laurel_client.api.unlocks import report_progress, unlock, unlock_batch
from laurel_client.models import (
    BatchInput,
    PlayerInput,
    ProblemOutput,
    ProgressInput,
    ScoreItem,
    StatReport,
    StatReportStats,
    TokenInput,
    UnlockInput,
    UnlockItem,
    UnlockStatus,
    Visibility,
)

URL, KEY, GAME, PLAYER = (os.environ[name] for name in ("LAUREL_URL", "LAUREL_KEY", "GAME", "PLAYER"))
Answer = TypeVar("Answer")
FOLLOWS_WITHIN_S = ASKED_FOR_S = 60


class Again(httpx.HTTPTransport):
    """Sends a request again while the platform has too much to do just now."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        until = time.monotonic() + ASKED_FOR_S
        while (answer := super().handle_request(request)).status_code == 503 and time.monotonic() < until:
            answer.close()
            time.sleep(0.5)
        return answer


def good(answer: Answer | ProblemOutput | None) -> Answer:
    """Return an answer that is none of refusal."""
    assert answer is not None, "the answer is of no status that is described"
    assert not isinstance(answer, ProblemOutput), answer
    return answer


def client(token: str) -> AuthenticatedClient:
    """Return one that waits for a busy machine."""
    again = {"transport": Again()}
    return AuthenticatedClient(base_url=URL, token=token, raise_on_unexpected_status=True, httpx_args=again)


server = client(KEY)

put_player.sync(PLAYER, client=server, body=PlayerInput(display_name="Ada", visibility=Visibility.PUBLIC))
assert good(get_player.sync(PLAYER, client=server)).display_name == "Ada"
assert good(root.sync(client=server)).version == "1"

first = UnlockInput(game_id=GAME, player=PLAYER, achievement="first-blood")
key = str(uuid4())
answers = [unlock.sync_detailed(client=server, body=first, idempotency_key=key) for _ in range(2)]
assert [answer.status_code for answer in answers] == [202, 202]
assert answers[1].headers["Idempotent-Replayed"] == "true"
again = good(unlock.sync(client=server, body=first))
assert again.status == UnlockStatus.ALREADY_UNLOCKED
assert again.event_id == good(answers[0].parsed).event_id

items = [UnlockItem(player=PLAYER, achievement=name) for name in ("first-blood", "no-such")]
batch = good(unlock_batch.sync(client=server, body=BatchInput(game_id=GAME, unlocks=items)))
assert (batch.unlocked, batch.already_unlocked, batch.rejected) == (0, 1, 1)

refused = unlock.sync(client=server, body=UnlockInput(game_id=GAME, player=PLAYER, achievement="no-such"))
assert isinstance(refused, ProblemOutput)
assert (refused.status, refused.type_.rpartition("/")[2]) == (404, "not-found")

steps = ProgressInput(game_id=GAME, player=PLAYER, achievement="wanderer", steps=7)
assert good(report_progress.sync(client=server, body=steps)).current == 7

stats = StatReportStats.from_dict({"distance": {"add": 2.5}})
report = StatReport(game_id=GAME, player=PLAYER, event_id=uuid4(), stats=stats)
good(report_stats.sync(client=server, body=report))
assert good(get_player_stats.sync(PLAYER, client=server, game_id=GAME))["distance"] == 2.5

good(submit_score.sync(GAME, "best-lap", client=server, body=ScoreItem(player=PLAYER, score=81.25)))
deadline = time.monotonic() + FOLLOWS_WITHIN_S
while isinstance(rank := get_rank.sync(GAME, "best-lap", PLAYER, client=server), ProblemOutput):
    assert time.monotonic() < deadline, rank  # ranks follow, within a second as a rule
    time.sleep(0.1)
assert good(rank).score == 81.25
assert PLAYER in [
    row.player.external_id for row in good(get_leaderboard.sync(GAME, "best-lap", client=server)).results
]

listed = good(list_player_achievements.sync(PLAYER, client=server, game_id=GAME))
assert {row.key: row.unlocked for row in listed.results} == {"first-blood": True, "wanderer": False}
assert good(get_player_dashboard.sync(PLAYER, client=server)).totals.games == 1

token = good(issue_player_token.sync(PLAYER, client=server, body=TokenInput(game_id=GAME))).token
device = client(token)
assert good(get_player.sync("me", client=device)).display_name == "Ada"
assert good(list_notifications.sync("me", client=device)).results is not None
print("Played.")
