from django.apps import AppConfig


class CoreConfig(AppConfig):
    """The ground floor: facts, refusals, strict JSON, cursors, Valkey and time helpers."""

    name = "core"
