"""Issue tokens: `python -m bench.tokens GAME COUNT` prints one a line, of the first players of bench/seed.py's game."""

import sys
from uuid import UUID

import django

django.setup()

from django.utils import timezone  # noqa: E402

from accounts import services  # noqa: E402
from accounts.models import PlayerIdentity  # noqa: E402
from bench.world import player  # noqa: E402


def issue(game: UUID, count: int) -> list[str]:
    """Return tokens in the order of the players."""
    rows = PlayerIdentity.objects.filter(external_id__in=[player(number) for number in range(count)])
    uuids = dict(rows.values_list("external_id", "player__uuid"))
    now = timezone.now()
    return [
        services.issue_player_token(player=uuids[player(number)], game=game, at=now)[0]
        for number in range(count)
    ]


if __name__ == "__main__":
    print("\n".join(issue(UUID(sys.argv[1]), int(sys.argv[2]))))
