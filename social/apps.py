from django.apps import AppConfig


class SocialConfig(AppConfig):
    """The inbox, and what is pushed to open pages."""

    name = "social"
