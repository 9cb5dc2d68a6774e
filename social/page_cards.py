"""A player's latest unlocks, for the pages."""

from accounts import selectors as accounts
from achievements.selectors import cards, definitions, unlocks
from social.page_models import UnlockRow


def unlock_rows(player_id: int, *, limit: int) -> tuple[UnlockRow, ...]:
    """Return a player's latest unlocks across games, newest first."""
    held = unlocks.recent_unlocks(player_id, limit=limit)
    about = definitions.definitions_by_id(one.achievement_id for one in held)
    rarity = definitions.rarities(about)
    games = accounts.games_by_id(one.game_id for one in held)
    return tuple(
        UnlockRow(
            game_id=games[one.game_id].uuid,
            game_title=games[one.game_id].title,
            key=about[one.achievement_id].key,
            name=about[one.achievement_id].name,
            icon_url=about[one.achievement_id].icon_url,
            points=one.points,
            unlocked_at=one.unlocked_at,
            rarity=cards.told(rarity[one.achievement_id]),
        )
        for one in held
    )
