"""Reports that players made."""

from uuid import UUID

from accounts.models import Game, Studio
from achievements.models.reports import PlayerReport
from achievements.selectors import definitions
from tests import factories


def a_report(of: Game, key: str = "lost-one", player: str = "reporter") -> UUID:
    """Let a player report an achievement of a game, and return the report's id."""
    achievement = factories.achievement(of, key)
    definitions.forget_catalogues()  # made behind the version's back
    owner = Studio.objects.get(pk=of.studio_id)
    factories.player(owner, player)
    api = factories.api(factories.server_key(owner, scopes=["players:write"]))
    body = {"game_id": str(of.uuid), "achievement": key, "message": "I did it."}
    answer = api.post(f"/players/{player}/reports", body)
    assert answer.status_code == 201, answer.content
    return PlayerReport.objects.get(achievement=achievement).uuid
