"""Sign players in: `python -m bench.guests COUNT` after bench/veterans.py prints the cookies of as many veterans."""

import sys

import django
import orjson

django.setup()

from django.conf import settings  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import PlayerAccount, PlayerIdentity, User  # noqa: E402
from bench.world import veteran  # noqa: E402


def sign_in(count: int) -> list[str]:
    """Give each of the first players an account, and return the cookies of browsers that are signed in."""
    cookies = []
    for number in range(count):
        player = PlayerIdentity.objects.get(external_id=veteran(number)).player
        user = User.objects.create_user(f"{veteran(number)}@bench.example")
        PlayerAccount.objects.create(user=user, player=player, created_at=timezone.now())
        client = Client()
        client.force_login(user)
        cookies.append(f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}")
    return cookies


if __name__ == "__main__":
    print(orjson.dumps(sign_in(int(sys.argv[1]))).decode())
