from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """What a studio sees of its games."""

    name = "analytics"
