"""Steam, as allauth knows who vouches for people."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from allauth.socialaccount.providers.base import Provider, ProviderAccount
from django.conf import settings
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from accounts.steam import openid


class SteamAccount(ProviderAccount):  # type: ignore[misc]
    """A Steam account that is connected."""

    def to_str(self) -> str:
        """Return how it is called in lists: Steam was asked for nothing but its id."""
        return str(self.account.uid)


class SteamProvider(Provider):  # type: ignore[misc]
    """Steam."""

    id = "steam"
    name = "Steam"
    account_class = SteamAccount
    uses_apps = False
    supports_redirect: ClassVar[bool] = True

    def get_login_url(self, request: HttpRequest, **kwargs: Any) -> str:
        """Return the address whose form leads to Steam."""
        query = f"?{urlencode(kwargs)}" if kwargs else ""
        return f"{reverse('steam_login')}{query}"

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponseRedirect:
        """Lead to Steam; what it answers is taken in this browser only, and once."""
        state = self.stash_redirect_state(request, process, next_url, data, **kwargs)
        return HttpResponseRedirect(openid.ask(return_to=return_to(state), realm=f"{settings.PUBLIC_URL}/"))

    def extract_uid(self, response: str) -> str:
        """Return the Steam id."""
        return response

    def extract_extra_data(self, response: str) -> dict[str, str]:
        """Return what is kept besides: nothing."""
        return {}

    def extract_common_fields(self, response: str) -> dict[str, str]:
        """Return what is known of a person: nothing."""
        return {}


def return_to(state: str) -> str:
    """Return the address to which Steam leads back."""
    return f"{settings.PUBLIC_URL}{reverse('steam_callback')}?{urlencode({'state': state})}"


provider_classes = [SteamProvider]
