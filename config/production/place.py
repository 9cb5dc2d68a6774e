"""Where such an installation lives: its folder, its ports and secrets, the programs that it runs, its environment."""

import json
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from config import programs, var_dir
from config.backups import keeping
from config.processes import CannotStart

DEFAULT_PORT = 8443
DATABASE = ROLE = USER = VHOST = "laurel"
HOST = "127.0.0.1"
_SERVERS = (
    "postgres",
    "pgbouncer",
    "boards",
    "cache",
    "broker",
    "broker_distribution",
    "epmd",
    "web",
    "live",
    "http",
)
_TELL = (
    *("WEB", "LIVE", "RELAY_1", "RELAY_2", "SEND_WEBHOOKS"),
    *("WORKER_LIVE", "WORKER_FACTS", "WORKER_BULK", "BEAT"),
)
_NAMES = (*_SERVERS, *_TELL)
_PORTS, _KEPT = "ports.json", "secrets.json"
_SECRETS = ("SECRET_KEY", "postgres", "backup", "boards", "cache", "broker")
# Debian keeps servers' programs where only root looks, and RabbitMQ's behind a script that is for its own account.
_PATH = "/usr/sbin:/usr/lib/rabbitmq/bin"
_PACKAGES = {
    "pgbouncer": "pgbouncer",
    "rabbitmq-server": "rabbitmq-server",
    "epmd": "erlang-base",
    "nginx": "nginx-light",
}


@dataclass(frozen=True)
class Place:
    """An installation: the folder that holds everything of it, and the port that nginx takes requests on."""

    folder: Path
    port: int = DEFAULT_PORT
    name: str = "localhost"

    @property
    def public_host(self) -> str:
        """Return its name with its port, as it stands in addresses."""
        return self.name if self.port == 443 else f"{self.name}:{self.port}"

    @property
    def url(self) -> str:
        """Return where players and studios reach it."""
        return f"https://{self.public_host}"

    def choose_ports(self) -> None:
        """Choose ports, those of last time if they are free; for whoever is about to start it. Raises CannotStart."""
        var_dir.kept_ports(self.folder / _PORTS, len(_NAMES))

    @cached_property
    def _ports(self) -> Mapping[str, int]:
        first = int(json.loads((self.folder / _PORTS).read_text()))
        return {name: first + number for number, name in enumerate(_NAMES)}

    @cached_property
    def _secrets(self) -> Mapping[str, str]:
        file = self.folder / _KEPT
        kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        if new := {name: secrets.token_urlsafe(48) for name in _SECRETS if name not in kept}:
            kept |= new
            var_dir.keep(file, json.dumps(kept, indent=1))
        return kept

    def port_of(self, name: str) -> int:
        """Return the port of one of the servers, or on which a process tells its metrics."""
        return self._ports[name]

    def secret(self, name: str) -> str:
        """Return a password, or SECRET_KEY."""
        return self._secrets[name]

    @property
    def backups(self) -> Path:
        """Return the folder that backups and the write-ahead log are kept in (BACKUP_DIR)."""
        return Path(os.environ.get("BACKUP_DIR") or self.folder / "backups").resolve()

    def environment(self) -> dict[str, str]:
        """Return what Procfile.production names, and what its processes read besides what the shell says."""
        return {**self._programs(), **self._addresses(), **self._broker_itself(), **self._metrics()}

    def _programs(self) -> dict[str, str]:
        account = programs.account_for(self.folder, self.folder)
        data = self.folder / "postgres" / "PG_VERSION"
        major = int(data.read_text()) if data.exists() else None
        return {
            "RUN": str(self.folder),
            "PYTHON": sys.executable,
            "POSTGRES": str(programs.find_postgres(account, self.folder, major=major).path),
            "VALKEY": str(programs.find_valkey(account, self.folder).path),
            "PGBOUNCER": find("pgbouncer"),
            "RABBITMQ": find("rabbitmq-server"),
            "NGINX": find("nginx"),
            "PATH": f"{os.environ.get('PATH', '/usr/bin:/bin')}:{_PATH}",
        }

    def _addresses(self) -> dict[str, str]:
        def database(server: str, name: str, user: str = f"{ROLE}:{self.secret('postgres')}") -> str:
            return f"postgres://{user}@{HOST}:{self.port_of(server)}/{name}"

        def valkey(role: str) -> str:
            return f"redis://{USER}:{self.secret(role)}@{HOST}:{self.port_of(role)}/0"

        return {
            "PUBLIC_URL": self.url,
            "LIVE_URL": self.url,
            "HOST": HOST,
            "PORT": str(self.port_of("web")),
            "LIVE_PORT": str(self.port_of("live")),
            "VAR_DIR": str(self.folder / "kept"),
            "CLIENT_ADDRESS_VARIABLE": "HTTP_X_REAL_IP",
            "SECRET_KEY": self.secret("SECRET_KEY"),
            "DATABASE_URL": database("pgbouncer", DATABASE),
            "DATABASE_ANSWERING_URL": database("pgbouncer", "answering"),
            "DATABASE_DIRECT_URL": database("postgres", DATABASE),
            "DATABASE_POOLED_BY": "pgbouncer",
            "POSTGRESQL_FOLDER": str(self.folder / "postgres"),
            "BACKUP_DIR": str(self.backups),
            "BACKUP_DATABASE_URL": database("postgres", DATABASE, f"{keeping.ROLE}:{self.secret('backup')}"),
            "REDIS_URL": valkey("boards"),
            "CACHE_REDIS_URL": valkey("cache"),
            "CELERY_BROKER_URL": f"amqp://{USER}:{self.secret('broker')}@{HOST}:{self.port_of('broker')}/{VHOST}",
            "DEBUG": "0",
            "DEMO": os.environ.get("DEMO") or "0",
            "PYTHONUNBUFFERED": "1",
            "LC_ALL": "C.UTF-8",
        }

    def _broker_itself(self) -> dict[str, str]:
        """Return what RabbitMQ and Erlang read; their node listens on this machine only."""
        folder = self.folder / "rabbitmq"
        return {
            "HOME": str(folder),  # of the cookie by which nodes know each other
            "RABBITMQ_NODENAME": f"laurel-{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_DIST_PORT": str(self.port_of("broker_distribution")),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(self.port_of("epmd")),
            "ERL_EPMD_ADDRESS": HOST,
        }

    def _metrics(self) -> dict[str, str]:
        return {"METRICS_HOST": HOST, **{f"METRICS_OF_{name}": str(self.port_of(name)) for name in _TELL}}


def sourced() -> Place | None:
    """Return the installation whose `environment` is ours; None where it is another one, or none."""
    folder = Path(os.environ.get("RUN", ""))
    is_ours = os.environ.get("VAR_DIR") == str(folder / "kept") and (folder / _KEPT).exists()
    return Place(folder) if is_ours else None


def find(program: str) -> str:
    """Return where a program is. Raises CannotStart."""
    found = shutil.which(program, path=f"{_PATH.rpartition(':')[2]}:{os.environ.get('PATH', '')}:{_PATH}")
    if found is None:
        raise CannotStart(
            f"{program} is missing: on Debian and Ubuntu, apt-get install {_PACKAGES[program]} brings it."
        )
    return found
