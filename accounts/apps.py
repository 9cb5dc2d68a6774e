from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who is calling: studios, members, games, keys, players, tokens."""

    name = "accounts"
