"""Uploaded icons: how they stand out, and which of them something names."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from accounts.selectors import GameInfo
from achievements import icons
from achievements.models import Icon
from achievements.selectors.definitions import Definition

_OF_GAME = "game_id = %s"
# For tables without `game_id`, or without an index on it, that have `achievement_id`.
_OF_ACHIEVEMENTS = "achievement_id IN (SELECT id FROM achievements_achievement WHERE game_id = %s)"
# Where a game's icons may be named: a table, a text or JSON column of it, and its rows of a game. Whatever keeps
# definitions beside the definitions themselves (edits that wait, their history) has to stand here, or its pictures go.
NAMED_IN = (
    ("achievements_achievement", "icon_url", _OF_GAME),
    ("achievements_achievement", "icon_locked_url", _OF_GAME),
    ("achievements_definitionversion", "before", _OF_GAME),
    ("achievements_definitionversion", "after", _OF_GAME),
    ("achievements_definitiondraft", "changes", _OF_ACHIEVEMENTS),
)

# WCAG asks 3 of the shapes within an icon (1.4.11), which a mean can't tell, and hardly a colour has 3 with white and
# with black alike. Under this the whole of it fades into the page.
LEAST_CONTRAST = 1.5


@dataclass(frozen=True, slots=True)
class Contrast:
    """How an icon stands out of the surface of each theme, 1 to 21."""

    light: float
    dark: float

    @property
    def poor_on(self) -> str:
        """The theme on which it can hardly be told from the page, empty if there is none."""
        worst = min(("light", self.light), ("dark", self.dark), key=lambda one: one[1])
        return worst[0] if worst[1] < LEAST_CONTRAST else ""


def contrasts(game: GameInfo, definitions: Iterable[Definition]) -> dict[str, Contrast]:
    """Return by key how the uploaded icons of definitions stand out; what lies elsewhere is left out."""
    digests = {one.key: icons.digest_in(one.icon_url, game.uuid) for one in definitions}
    rows = Icon.objects.filter(game_id=game.id, digest__in={digest for digest in digests.values() if digest})
    known = {row.digest: Contrast(row.contrast_light, row.contrast_dark) for row in rows}
    return {key: known[digest] for key, digest in digests.items() if digest in known}


def contrast(game: GameInfo, url: str) -> Contrast | None:
    """Return how an uploaded icon stands out by its address; None for what lies elsewhere."""
    row = Icon.objects.filter(game_id=game.id, digest=icons.digest_in(url, game.uuid) or "").first()
    return None if row is None else Contrast(row.contrast_light, row.contrast_dark)


def named_digests(game_id: int) -> set[str]:
    """Return which icons a game's definitions name, with what keeps earlier and later ones of them."""
    found: set[str] = set()
    for table, column, condition in NAMED_IN:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT DISTINCT m[1] FROM {table},"  # noqa: S608 - all of it is written above
                f" regexp_matches({column}::text, '/media/icons/[0-9a-f-]{{36}}/([0-9a-f]{{32}})-', 'g') AS m"
                f" WHERE {condition}",
                [game_id],
            )
            found |= {row[0] for row in cursor.fetchall()}
    return found
