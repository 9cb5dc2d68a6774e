from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who is calling: studios, members, games, keys, players, tokens."""

    name = "accounts"

    def ready(self) -> None:
        """Have what `manage.py check` asks of erasures."""
        from accounts.erasure import checks  # noqa: F401, PLC0415 - registers itself, once apps are there
