"""Sign in who owns the studio: `python -m bench.visitor` after bench/seed.py prints a cookie, and the studio."""

import django
import orjson

django.setup()

from django.conf import settings  # noqa: E402
from django.test import Client  # noqa: E402

from accounts.models import Member, Studio, User  # noqa: E402
from bench.seed import STUDIO  # noqa: E402


def sign_in() -> dict[str, str]:
    """Return the cookie, and the studio's public id."""
    studio = Studio.objects.get(name=STUDIO)
    user = User.objects.create_user("owner@bench.example")
    Member.objects.create(studio=studio, user=user, role="owner")
    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    return {"cookie": f"{settings.SESSION_COOKIE_NAME}={cookie.value}", "studio": str(studio.uuid)}


if __name__ == "__main__":
    print(orjson.dumps(sign_in()).decode())
