from django.apps import AppConfig


class AchievementsConfig(AppConfig):
    """The rulebook and the way of an unlock."""

    name = "achievements"
