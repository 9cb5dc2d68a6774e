from django.apps import AppConfig


class HistoryConfig(AppConfig):
    """What players did over time: rollups, trends, dashboards."""

    name = "history"
