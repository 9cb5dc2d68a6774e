from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """What studios' servers hear: endpoints, signed deliveries, retries."""

    name = "webhooks"
