"""Addresses of achievements outside the API and the portal."""

from django.urls import path

from achievements.pages import achievement, game, games
from achievements.pages import icons as pictures
from core import picture_pages  # noqa: F401 - names the converters

urlpatterns = [
    path("media/icons/<uuid:game>/<digest:digest>-<side:side>.webp", pictures.icon, name="icon"),
    path("games", games.games, name="games"),
    path("games/<uuid:game>", game.game, name="game-page"),
    path("games/<uuid:game>/achievements/<path:key>", achievement.achievement, name="achievement-page"),
]
