"""What deploy/compose lets others reach, and that no secret of it is one that everybody can read."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import commands
from config.children import BASE_DIR
from config.start import PROCESSES
from tests.deploy.alarms import asked_by

FOLDER = BASE_DIR / "deploy" / "compose"
TEXT = (FOLDER / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("laurel:")}
# By the image, by compose.yaml itself, or of no meaning in a container.
SET_HERE = {
    *("DEBUG", "DEMO", "VAR_DIR", "HOST", "PORT", "NAME", "LAUREL_PROCESS"),
    *("BACKUP_DIR", "BACKUP_KEEP_DAYS", "DATABASE_DIRECT_URL", "POSTGRESQL_FOLDER"),
}
_READ = re.compile(r"(?:env\.\w+|_days|_database|folder_or_bucket|get)\(\s*\"([A-Z][A-Z0-9_]+)\"")
_ASKED = re.compile(r"\$\{(\w+)(:\?|:-)?([^}]*)\}")
_SECRET = re.compile(r"(?:_PASSWORD|^SECRET_KEY)$")


def filled(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    for name in ("fill-env", ".env.example"):
        (folder / name).write_bytes((FOLDER / name).read_bytes())
    env = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(
        ["/bin/sh", folder / "fill-env"], env=env, capture_output=True, text=True, check=False
    )


def values(file: Path) -> dict[str, str]:
    lines = [line.partition("=") for line in file.read_text().splitlines() if line and line[0] != "#"]
    return {name: value.strip("'") for name, _, value in lines}


def test_o4_nobody_outside_reaches_anything_but_nginx() -> None:
    published = {
        name: [str(port) for port in service["ports"]]
        for name, service in SERVICES.items()
        if service.get("ports")
    }
    assert published.pop("nginx") == ["0.0.0.0:80:8080", "0.0.0.0:443:8443"]
    assert published
    assert [port for ports in published.values() for port in ports if not port.startswith("127.0.0.1:")] == []
    assert not any("network_mode" in service or service.get("privileged") for service in SERVICES.values())


def test_o4_what_keeps_things_is_in_networks_that_lead_nowhere() -> None:
    inside = {name for name, network in COMPOSE["networks"].items() if network.get("internal")}
    for name in ("postgres", "pgbouncer", "valkey-boards", "valkey-cache", "rabbitmq"):
        assert set(SERVICES[name]["networks"]) <= inside, name
    reach_postgres = {name for name, service in SERVICES.items() if "database" in service["networks"]}
    assert reach_postgres == {"postgres", "pgbouncer", "migrate"}
    assert not {"data", "database"} & set(SERVICES["nginx"]["networks"])


def test_o4_no_secret_has_a_value_that_works() -> None:
    asked = {name: how for name, how, _ in _ASKED.findall(TEXT) if how}
    secrets = {name for name in asked if _SECRET.search(name)}
    assert len(secrets) == 7
    assert {asked[name] for name in secrets} == {":?"}
    example = values(FOLDER / ".env.example")
    assert {example[name] for name in secrets} == {""}


def test_the_user_of_valkey_may_do_the_same_without_containers() -> None:
    may = SERVICES["valkey-boards"]["command"][-1].partition('"&*" ')[2].replace('"', "")
    assert may.split()[-2:] == ["+info", "+slowlog|get"], "which runbooks ask for"
    assert f'~* &* {may}"' in (BASE_DIR / "config" / "production" / "preparing.py").read_text()


def test_o4_valkey_and_rabbitmq_let_in_one_user_with_a_password() -> None:
    for name in ("valkey-boards", "valkey-cache"):
        command = SERVICES[name]["command"][-1]
        assert '--user default off --user laurel on ">$$PASSWORD"' in command
        assert "-@dangerous" in command
        assert re.fullmatch(r"\$\{\w+_PASSWORD\}", SERVICES[name]["environment"]["PASSWORD"])
    broker = SERVICES["rabbitmq"]["environment"]
    assert broker["RABBITMQ_DEFAULT_USER"] != "guest"
    assert broker["RABBITMQ_DEFAULT_PASS"] == "${BROKER_PASSWORD}"
    assert "loopback_users.guest = true" in (FOLDER.parent / "rabbitmq" / "rabbitmq.conf").read_text()
    pgbouncer = (FOLDER.parent / "pgbouncer" / "pgbouncer.ini").read_text()
    assert "auth_type = scram-sha-256" in pgbouncer
    assert re.search(r"^admin_users =$", pgbouncer, re.MULTILINE)


def test_a_container_may_do_next_to_nothing_and_takes_no_more_than_its_part() -> None:
    for name, service in SERVICES.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert {"mem_limit", "pids_limit", "logging", "restart"} <= service.keys(), name
        assert not any("docker.sock" in str(volume) for volume in service.get("volumes", [])), name


def test_what_lies_in_memory_has_an_end_and_what_clients_send_lies_on_the_disk() -> None:
    for name, service in SERVICES.items():
        assert all("size=" in mount for mount in service.get("tmpfs", [])), name
    nginx = SERVICES["nginx"]
    settings = (FOLDER.parent / "nginx" / "nginx.conf").read_text()
    folders = dict(re.findall(r"(client_body|proxy)_temp_path \$\{(\w+)\}", settings))
    assert folders.keys() == {"client_body", "proxy"}
    [kept] = [volume.split(":")[1] for volume in nginx["volumes"] if ":ro" not in volume]
    assert all(nginx["environment"][variable].startswith(f"{kept}/") for variable in folders.values())


def test_who_has_to_know_sees_how_full_postgresqls_volume_is_and_writes_nothing_to_it() -> None:
    for name in ("relay-1", "relay-2", "web", "send-webhooks"):
        folder = OURS[name]["environment"]["POSTGRESQL_FOLDER"]
        assert f"postgres:{folder}:ro" in OURS[name]["volumes"]
    assert any(str(volume).startswith("postgres:") for volume in SERVICES["postgres"]["volumes"])


def test_a_second_web_counts_by_itself() -> None:
    """Its metrics lie in no volume, which both would write to; and each of its workers has room for its threads."""
    web = OURS["web"]
    folder = web["environment"]["METRICS_DIR"]
    assert any(mount.startswith(f"{folder}:") for mount in web["tmpfs"])
    per_worker = int(commands.WEB_OPTIONS[commands.WEB_OPTIONS.index("--blocking-threads") + 1])
    assert web["pids_limit"] >= 8 * (per_worker + 32)


def test_what_pages_name_a_line_in_env_sets() -> None:
    """Compose passes on what compose.yaml names and nothing else."""
    read = {name for path in (BASE_DIR / "config").rglob("*.py") for name in _READ.findall(path.read_text())}
    pages = [
        path for folder in ("operations", "guides") for path in (BASE_DIR / "docs" / folder).glob("*.md")
    ]
    pages += [
        BASE_DIR / "README.md",
        BASE_DIR / "docs" / "rate-limits.md",
        BASE_DIR / "docs" / "signing-in.md",
    ]
    named = {name for page in pages for name in re.findall(r"`([A-Z][A-Z0-9_]+)", page.read_text())}
    wanted = {name for name in named if name in read or name.startswith(("OTEL_", "WEB_", "LIVE_"))}
    passed = set(COMPOSE["x-environment"]) | set(OURS["web"]["environment"])
    assert wanted - passed - SET_HERE == set()


def test_errors_get_out_where_an_operator_says_so() -> None:
    more = yaml.safe_load((FOLDER / "sentry.yaml").read_text())["services"]
    outside = {name for name, network in COMPOSE["networks"].items() if not network.get("internal")}
    shut_in = {name for name, service in OURS.items() if not outside & set(service["networks"])}
    assert more.keys() == shut_in - {"migrate"}
    assert all(outside & set(service["networks"]) for service in more.values())


def test_every_process_of_the_product_runs_and_says_how_it_is() -> None:
    started = {service["command"][0] for service in OURS.values()}
    assert started == set(PROCESSES)
    assert [service["command"] for service in OURS.values()].count(["relay"]) == 2
    for name, service in SERVICES.items():
        if name not in ("migrate", "prometheus", "grafana"):
            assert service["healthcheck"]["test"][0].startswith("CMD"), name
    for name, service in OURS.items():
        assert name == "migrate" or "stop_grace_period" in service, name


def test_prometheus_asks_every_process() -> None:
    scraped = yaml.safe_load((FOLDER.parent / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    asked = {name for job in scraped for name in asked_by(job)}
    assert asked == OURS.keys() - {"migrate"} | {"rabbitmq", "nginx"}
    assert all("watch" in SERVICES[name]["networks"] for name in [*asked, "prometheus"])


def test_prometheus_asks_each_of_several() -> None:
    scraped = yaml.safe_load((FOLDER.parent / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    looked_up = {name for job in scraped if "dns_sd_configs" in job for name in asked_by(job)}
    assert looked_up == OURS.keys() - {"migrate", "relay-1", "relay-2", "beat"}


def test_make_env_fills_in_what_compose_asks_for(tmp_path: Path) -> None:
    said = filled(tmp_path, HOST="laurel.example", EMAIL_URL="smtp+tls://a:b@mail.example:587")
    assert said.returncode == 0, said.stderr
    file = tmp_path / ".env"
    assert file.stat().st_mode & 0o077 == 0
    found = values(file)
    assert found["PUBLIC_URL"] == "https://laurel.example"
    assert found["EMAIL_URL"] == "smtp+tls://a:b@mail.example:587"
    needed = {name for name, how, _ in _ASKED.findall(TEXT) if how == ":?"}
    assert needed <= {name for name, value in found.items() if value}
    secrets = [value for name, value in found.items() if _SECRET.search(name)]
    assert len(set(secrets)) == len(secrets)
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in secrets)


@pytest.mark.parametrize(
    "environment", [{}, {"HOST": "laurel.example"}, {"HOST": "a'b", "EMAIL_URL": "filemail://"}]
)
def test_make_env_says_what_it_needs(tmp_path: Path, environment: dict[str, str]) -> None:
    said = filled(tmp_path, **environment)
    assert said.returncode == 1
    assert "HOST" in said.stderr
    assert not (tmp_path / ".env").exists()


def test_make_env_leaves_secrets_alone_that_are_there(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SECRET_KEY=kept")
    said = filled(tmp_path, HOST="laurel.example", EMAIL_URL="filemail://")
    assert (said.returncode, (tmp_path / ".env").read_text()) == (1, "SECRET_KEY=kept")


def test_the_image_has_what_the_product_runs_on_and_nothing_else() -> None:
    let_in = {
        line[1:] for line in (BASE_DIR / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    packages = {path.parent.name for path in BASE_DIR.glob("*/__init__.py")} - {"tests", "bench"}
    others = {"locale", "static", "templates", "LICENSE", "manage.py", "requirements.txt"}
    assert let_in == packages | others
