from django.apps import AppConfig


class CareConfig(AppConfig):
    """What a studio sees of one person, and may do for him."""

    name = "care"
