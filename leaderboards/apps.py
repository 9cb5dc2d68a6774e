from django.apps import AppConfig


class LeaderboardsConfig(AppConfig):
    """Rankings: order in Valkey, truth in PostgreSQL."""

    name = "leaderboards"

    def ready(self) -> None:
        """Tell Prometheus of what should stay 0."""
        from leaderboards import metrics  # noqa: PLC0415 - apps are being loaded

        metrics.register()
