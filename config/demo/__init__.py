"""The demo: a studio, two games, 200 players with a past, a login and a server key, for whoever runs Laurel at home."""

from django.conf import settings

DEMO_PLAYER: str = settings.DEMO_PLAYER
"""The studio's id for the player whose page is `/demo`."""
