"""Logins, as Django keeps them, held while something begins that has to end with them."""

from django.contrib.auth import HASH_SESSION_KEY
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from accounts.models import User
from core.db import run_prepared
from core.refusals import Unauthenticated

# One after another: who shares a row with others could keep its owner from changing it for as long as he likes.
_USER = "SELECT password FROM accounts_user WHERE id = $1 FOR NO KEY UPDATE"
_LOGIN = "SELECT 1 FROM django_session WHERE session_key = $1 FOR KEY SHARE"


def hold(request: HttpRequest) -> None:
    """Let who ends a request's login, or changes its user's password, wait until commit.

    Raises Unauthenticated if that has happened since the request began.
    """
    rows = run_prepared(_USER, [request.user.pk])
    if rows and run_prepared(_LOGIN, [request.session.session_key or ""]):
        kept = request.session.get(HASH_SESSION_KEY, "")
        if constant_time_compare(kept, User(password=rows[0][0]).get_session_auth_hash()):
            return
    raise Unauthenticated("You are signed out. Sign in again.")
