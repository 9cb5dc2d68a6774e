from django.apps import AppConfig


class LeaderboardsConfig(AppConfig):
    """Rankings: order in Valkey, truth in PostgreSQL."""

    name = "leaderboards"
