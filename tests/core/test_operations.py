"""/livez, /readyz, /metrics, and the API's own description."""

import json
import os
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.db import connection
from django.test import Client
from drf_spectacular.validation import validate_schema
from pytest_django import DjangoDbBlocker

from config.embedded import Servers
from core import dependencies
from social.live import codes
from tests import factories
from tests.patience import LONG_S, valkey_frozen

VALKEY = ("valkey_boards", "valkey_cache", "valkey_limits", "valkey_live")
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def described(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> bytes:
    with django_db_blocker.unblock():
        answer = Client().get("/api/v1/schema")
    assert answer.status_code == 200
    return answer.content


@pytest.fixture(scope="module")
def schema(described: bytes) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(described)
    return read


@pytest.fixture
def safe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take this PostgreSQL for one that loses nothing, which the tests' own does."""
    monkeypatch.setattr("core.dependencies.SAFE_SETTINGS", ())


def operations(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def test_livez_asks_nobody() -> None:
    answer = Client().get("/livez")  # without a database here, pytest-django would let nobody ask one
    assert (answer.status_code, answer.content) == (200, b"ok")


@pytest.mark.slow
@pytest.mark.skipif(
    bool(os.environ.get("DATABASE_POOLED_BY")), reason="PgBouncer lends sessions that began before"
)
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("safe")
def test_readyz_sends_nobody_to_a_postgresql_that_takes_no_writes() -> None:
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        try:
            answer = Client().get("/readyz")
        finally:
            cursor.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert answer.status_code == 503
    assert answer.json()["checks"]["postgresql"]["status"] == "takes no writes"


@pytest.mark.django_db
@pytest.mark.usefixtures("safe")
def test_readyz_says_what_is_how_far_away() -> None:
    said = Client().get("/readyz").json()
    assert said["status"] == "ok"
    pooler = {"pgbouncer"} if settings.DATABASE_POOLED_BY else set()
    assert set(said["checks"]) == {"postgresql", *pooler, "broker", *VALKEY}
    assert all(check["latency_ms"] >= 0 for check in said["checks"].values())


@pytest.mark.django_db
def test_a_postgresql_that_may_lose_what_it_acknowledged_is_not_ready() -> None:
    answer = Client().get("/readyz")
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    said = answer.json()["checks"]["postgresql"]
    assert (said["status"], set(said["off"])) == (
        "unsafe",
        {"fsync", "synchronous_commit", "full_page_writes"},
    )
    assert Client().get("/readyz?without=postgresql").status_code == 503, "it is there, and must not be used"


@pytest.mark.django_db
@pytest.mark.usefixtures("safe")
def test_without_valkey_it_is_ready_but_degraded(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.dependencies.WITHIN_S", 3.0)
    monkeypatch.setattr("core.dependencies.KEPT_S", 0.0)
    with valkey_frozen(servers):
        for _ in range(20):  # where this machine stalls, PostgreSQL may seem to be away, too
            answer = Client().get("/readyz")
            if answer.status_code == 200:
                break
    assert answer.status_code == 200
    said = answer.json()
    assert (said["status"], said["checks"]["postgresql"]["status"]) == ("degraded", "ok")
    assert [said["checks"][name] for name in VALKEY] == [{"status": "down"}] * len(VALKEY)


@pytest.mark.django_db
@pytest.mark.usefixtures("safe")
def test_what_is_asked_again_at_once_asks_nobody(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.dependencies.KEPT_S", LONG_S)
    before = Client().get("/readyz").json()
    with valkey_frozen(servers):
        assert Client().get("/readyz").json() == before


@pytest.mark.django_db
@pytest.mark.usefixtures("safe")
def test_without_a_migration_it_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = frozenset({*dependencies.migrations(), ("core", "9999_of_tomorrow")})
    monkeypatch.setattr("core.dependencies.migrations", lambda: newer)
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["postgresql"]["status"] == "migrations pending"
    assert Client().get("/readyz?without=postgresql").status_code == 503


@pytest.mark.django_db
def test_metrics_are_for_private_addresses() -> None:
    assert b"# HELP laurel_" in Client().get("/metrics").content
    assert Client(REMOTE_ADDR="8.8.8.8").get("/metrics").status_code == 404
    assert Client(REMOTE_ADDR="unix").get("/metrics").status_code == 404


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto", "Via"])
@pytest.mark.django_db
def test_metrics_are_for_nobody_who_came_through_a_proxy(name: str) -> None:
    assert Client().get("/metrics", headers={name: "10.0.0.7"}).status_code == 404


@pytest.mark.django_db
def test_the_root_tells_where_live_is() -> None:
    said = Client().get("/api/v1").json()
    assert said["version"]
    assert said["live"]["websocket"].endswith("/ws/v1/live")
    assert said["live"]["events"].endswith("/api/v1/live")


@pytest.mark.slow
def test_the_schema_explains_every_close_of_a_live_connection(schema: dict[str, Any]) -> None:
    said = schema["paths"]["/api/v1"]["get"]["description"]
    meant = [code for name, code in vars(codes).items() if name.isupper()]
    assert [code for code in meant if str(code) not in said] == []


@pytest.mark.slow
def test_the_schema_is_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    validate_schema(schema)  # type: ignore[no-untyped-call]


@pytest.mark.slow
def test_every_operation_has_a_name_a_summary_problems_and_an_example(schema: dict[str, Any]) -> None:
    lacking = []
    for path, method, operation in operations(schema):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        media = [each for body in bodies for each in body.get("content", {}).values()]
        has = {
            "operationId": bool(operation.get("operationId")),
            "summary": bool(operation.get("summary")),
            "tags": bool(operation.get("tags")),
            "problems": any(
                "application/problem+json" in response.get("content", {})
                for response in operation["responses"].values()
            ),
            "example": any(each.get("examples") for each in media)
            or operation["responses"].keys() >= {"204"},
        }
        lacking += [f"{method} {path}: {name}" for name, there in has.items() if not there]
    assert lacking == []


def test_the_documentation_loads_nothing_from_elsewhere(db: None) -> None:
    page = Client().get("/api/v1/docs", headers={"Accept": "text/html"})
    assert page.status_code == 200
    text = page.content.decode()
    assert 'src="http' not in text
    assert 'href="http' not in text


def test_a_schema_is_the_same_for_everybody(db: None, described: bytes) -> None:
    key = factories.server_key(factories.studio())
    with_key = Client().get("/api/v1/schema", headers={"Authorization": f"Bearer {key}"})
    assert with_key.content == described


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json"),
        ("application/yaml", "application/yaml"),
        ("application/vnd.oai.openapi", "application/vnd.oai.openapi"),
    ],
)
def test_the_schema_is_json_or_yaml_for_who_asks_for_that(
    db: None, schema: dict[str, Any], accept: str, answered: str
) -> None:
    answer = Client().get("/api/v1/schema", headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, answered)
    is_json = answered.endswith("json")
    read = json.loads(answer.content) if is_json else yaml.load(answer.content, Loader=yaml.CSafeLoader)
    assert read == schema


def test_the_schema_may_be_kept_and_is_not_sent_to_who_has_it(db: None, described: bytes) -> None:
    first = Client().get("/api/v1/schema")
    assert first["Cache-Control"].startswith("public")
    assert first["Vary"] == "Accept"
    again = Client().get("/api/v1/schema", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    other = Client().get("/api/v1/schema", headers={"Accept": "application/yaml"})
    assert other["ETag"] != first["ETag"]


@pytest.mark.parametrize("path", ["schema?format=yaml", "schema?lang=fr", "docs?lang=fr"])
def test_the_schema_and_its_page_take_no_parameters(db: None, path: str) -> None:
    answer = Client().get(f"/api/v1/{path}")
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/malformed-request")


def test_the_schema_comes_in_no_other_form(db: None) -> None:
    answer = Client().get("/api/v1/schema", headers={"Accept": "image/png"})
    assert (answer.status_code, answer["Content-Type"]) == (406, "application/problem+json")
    assert Client().post("/api/v1/schema")["Allow"] == "GET, HEAD, OPTIONS"
