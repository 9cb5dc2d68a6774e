from django.apps import AppConfig


class StatsConfig(AppConfig):
    """Numbers that games report of players."""

    name = "stats"
