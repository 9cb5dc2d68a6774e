"""Signing in by an account elsewhere. Which services there are is read when the process starts: each has its own."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.children import BASE_DIR
from config.settings import people
from tests.pooling import database_url

pytestmark = pytest.mark.django_db

# What a visitor of an instance gets, without any connection to the services themselves.
_VISIT = """
import json, django
django.setup()
from tests.patience import wait_long
wait_long()
from django.test import Client
from django.test.utils import setup_test_environment
setup_test_environment()
client = Client(headers={"Accept": "text/html"})
page = client.get("/account/login/")
github = client.post("/account/github/login/")
asked = client.get("/account/github/login/")
print(json.dumps({
    "page": page.content.decode(), "policy": page["Content-Security-Policy"],
    "post": github.headers.get("Location", ""), "get": [asked.status_code, asked.headers.get("Location", "")],
    "asked": asked.content.decode(),
    "cancelled": client.get("/account/3rdparty/login/cancelled/").status_code,
    "callback": client.get("/account/github/login/callback/?code=x&state=y").status_code,
}))
"""


def environment(**named: str) -> dict[str, str]:
    """Return what an instance's environment says that has this process's database."""
    return {**os.environ, "DATABASE_URL": database_url(), "PUBLIC_URL": "http://localhost", **named}


def visited(services: str) -> subprocess.CompletedProcess[str]:
    env = environment(SOCIAL_SIGN_IN=services)
    return subprocess.run(
        [sys.executable, "-c", _VISIT], cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def seen(django_db_setup: None, django_db_blocker: Any) -> dict[str, Any]:
    services = "github=an-id:a-secret,openid_connect=other:hidden:https://sso.northlight.example/realm"
    done = visited(services)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_each_service_has_a_button_that_posts(seen: dict[str, Any]) -> None:
    for path, name in (
        ("/account/github/login/", "GitHub"),
        ("/account/oidc/sso/login/", "sso.northlight.example"),
    ):
        assert f'<form method="post" action="{path}?process=login">' in seen["page"]
        assert f"Continue with {name}" in seen["page"]


@pytest.mark.slow
def test_the_browser_may_be_led_there_and_nowhere_else(seen: dict[str, Any]) -> None:
    assert "form-action 'self' https://github.com https://sso.northlight.example;" in f"{seen['policy']};"
    assert seen["post"].startswith("https://github.com/login/oauth/authorize?client_id=an-id&")
    assert "state=" in seen["post"]
    assert "code_challenge=" in seen["post"]
    assert "secret" not in seen["post"] + seen["page"]


def test_a_link_alone_leads_nobody_there(seen: dict[str, Any]) -> None:
    assert seen["get"] == [200, ""]
    assert " style=" not in seen["asked"]


def test_who_turns_back_or_comes_with_another_s_answer_is_told(seen: dict[str, Any]) -> None:
    assert (seen["cancelled"], seen["callback"]) == (200, 401)


@pytest.mark.slow
def test_a_service_that_is_unknown_is_said_at_the_start() -> None:
    done = visited("myspace=id:secret")
    assert done.returncode != 0
    known = "github, google, steam, discord, twitch, epicgames, gitlab, microsoft, openid_connect"
    assert done.stderr.splitlines()[-1].endswith(f"SOCIAL_SIGN_IN takes {known}; not myspace.")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("github", "id"),
        ("github", ":secret"),
        ("github", "id:"),
        ("github", "id:secret:https://evil.example"),
        ("openid_connect", "id:secret"),
    ],
)
def test_what_can_t_be_read_is_said_at_the_start(name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"SOCIAL_SIGN_IN: {name} takes client-id:secret"):
        people._provider(name, value)


def test_a_server_of_one_s_own_is_named_behind_the_secret() -> None:
    read = people._provider("gitlab", "id:secret:https://git.northlight.example")
    assert read["APPS"][0]["settings"] == {"gitlab_url": "https://git.northlight.example"}
