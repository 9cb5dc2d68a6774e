"""Who is signed in on the player site may listen to live pushes: by a player's session of his own, beside his login.

`live` knows players by the cookie of such a session alone (accounts/sessions.py).
"""

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts import logins, sessions
from accounts.models import PlayerAccount, User
from accounts.selectors import PlayerInfo
from core import clock


def let_listen(request: HttpRequest, response: HttpResponseBase, player: PlayerInfo) -> bool:
    """Begin a session of who is signed in and let the response bring its cookie, unless the browser has it already.

    Returns:
        Whether the browser did not have it.

    One of another login gives way and ends; one that a game began (another player's, or the same one's) gives way only.

    Raises Unauthenticated if the login ended, or the password was changed, since the request began.

    """
    now, key = clock.now(), request.session.session_key or ""
    login = sessions.login_of(key)
    held = sessions.holder(request.COOKIES.get(settings.PLAYER_COOKIE, ""), at=now)
    if held is not None and (held.player_id, held.login) == (player.id, login):
        return False
    if held is not None and held.login not in (None, login):
        sessions.end_of_logins([held.login], at=now)
    with transaction.atomic():
        logins.hold(request)
        secret = sessions.begin_of_login(
            player_id=player.id,
            login=login,
            user_agent=request.META.get("HTTP_USER_AGENT", ""),
            at=now,
            until=request.session.get_expiry_date(),
        )
    set_cookie(response, secret)
    return True


def set_cookie(response: HttpResponseBase, secret: str) -> None:
    """Let a response bring the cookie of a player's session."""
    response.set_cookie(
        settings.PLAYER_COOKIE,
        secret,
        max_age=sessions.LIFETIME,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def stop(request: HttpRequest, key: str | None) -> None:
    """End what listens in a browser whose login, by its session's key, has just ended."""
    now = clock.now()
    if key:
        sessions.end_of_logins([sessions.login_of(key)], at=now)
    sessions.end(request.COOKIES.get(settings.PLAYER_COOKIE, ""), at=now)


def stop_everywhere(user: User) -> None:
    """End what listens as a user's player in all browsers that he signed in with."""
    player_id = PlayerAccount.objects.filter(user=user).values_list("player_id", flat=True).first()
    if player_id is not None:
        sessions.end_of_account(player_id, at=clock.now())
