"""Addresses of achievements outside the API and the portal."""

from django.urls import path, register_converter

from achievements import icons
from achievements.pages import achievement, game, games
from achievements.pages import icons as pictures


class Digest:
    """A picture's name."""

    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> str:
        """Return it."""
        return value

    def to_url(self, value: str) -> str:
        """Return it."""
        return value


class Side(Digest):
    """A picture's side in pixels."""

    regex = "|".join(str(side) for side in icons.SIDES)


register_converter(Digest, "digest")
register_converter(Side, "side")

urlpatterns = [
    path("media/icons/<uuid:game>/<digest:digest>-<side:side>.webp", pictures.icon, name="icon"),
    path("games", games.games, name="games"),
    path("games/<uuid:game>", game.game, name="game-page"),
    path("games/<uuid:game>/achievements/<path:key>", achievement.achievement, name="achievement-page"),
]
