"""To Steam, and back."""

import requests
from allauth.account.internal.decorators import login_not_required
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import complete_social_login, render_authentication_error
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.providers.base import AuthError
from allauth.socialaccount.providers.base.views import BaseLoginView
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from accounts.steam import openid
from accounts.steam.provider import SteamProvider, return_to


@method_decorator(login_not_required, name="dispatch")
class SteamLogin(BaseLoginView):  # type: ignore[misc]
    """Lead to Steam, by a form."""

    provider_id = SteamProvider.id


@login_not_required  # type: ignore[untyped-decorator]
@require_safe
def steam_callback(request: HttpRequest) -> HttpResponse:
    """Take Steam's answer: somebody signs in, signs up, or connects it to his account."""
    provider, state_id = SteamProvider(request), request.GET.get("state", "")
    state = statekit.unstash_state(request, state_id=state_id, provider_id=provider.id)
    if request.GET.get("openid.mode") == "cancel":
        return _refused(request, provider, AuthError.CANCELLED)
    if state is None:
        return _refused(request, provider, AuthError.DENIED)
    try:
        with get_adapter().get_requests_session() as http:
            steam_id = openid.steam_id(request.GET.dict(), return_to=return_to(state_id), http=http)
    except openid.NotConfirmed:
        return _refused(request, provider, AuthError.DENIED)
    except requests.RequestException as error:
        return _refused(request, provider, AuthError.UNKNOWN, error)
    login = provider.sociallogin_from_response(request, steam_id)
    login.state = state
    done: HttpResponse = complete_social_login(request, login)
    return done


def _refused(
    request: HttpRequest, provider: SteamProvider, why: str, error: Exception | None = None
) -> HttpResponse:
    page: HttpResponse = render_authentication_error(request, provider, error=why, exception=error)
    return page


steam_login = SteamLogin.as_view()
