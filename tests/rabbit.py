"""A RabbitMQ for tests: one node with its own data, ports, cookie and port mapper, on this machine only."""

import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

from kombu import Connection

from config import programs, var_dir
from config.processes import Process

_DEBIAN = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # the one in /usr/sbin becomes another user
_SETTINGS = """\
listeners.tcp.1 = 127.0.0.1:{port}
default_user = laurel
default_pass = {password}
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.absolute = 1GB
"""


def program() -> Path | None:
    """Return where RabbitMQ is, if this machine has one."""
    if _DEBIAN.exists():
        return _DEBIAN
    found = shutil.which("rabbitmq-server")
    return Path(found) if found else None


class Rabbit(Process):
    """A RabbitMQ with its data in a folder of a VAR_DIR."""

    def __init__(self, folder: Path) -> None:
        """Choose ports; nothing is started."""
        self.port = var_dir.free_ports(3)
        self._folder = folder / "rabbitmq"
        self._password = "known-to-tests-only"
        env = {
            **programs.server_environment(),
            "HOME": str(self._folder),
            "ERL_EPMD_PORT": str(self.port + 2),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"laurel{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self.port + 1),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "mnesia"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_LOGS": "-",
        }
        super().__init__(
            "rabbitmq", [str(program())], var_dir=folder, env=env, folder=folder, ready=self._answers
        )

    @property
    def url(self) -> str:
        """Return its address for CELERY_BROKER_URL."""
        return f"amqp://laurel:{quote(self._password)}@127.0.0.1:{self.port}//"

    def launch(self) -> None:
        """Start it unless it runs."""
        if not self._folder.exists():
            self._folder.mkdir(mode=0o700)
            (self._folder / "plugins").write_text("[].\n")
            settings = _SETTINGS.format(port=self.port, password=self._password)
            (self._folder / "rabbitmq.conf").write_text(settings)
        super().launch()

    def control(self, *arguments: str) -> str:
        """Run rabbitmqctl and return what it says."""
        command = [str(Path(self.argv[0]).with_name("rabbitmqctl")), "-q", *arguments]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=True)
        return done.stdout

    def stop(self) -> None:
        """Stop it, and the port mapper that it has started."""
        super().stop()
        if mapper := shutil.which("epmd"):
            subprocess.run([mapper, "-kill"], env=self.env, capture_output=True, check=False)

    def _answers(self) -> bool:
        try:
            with Connection(self.url, connect_timeout=2) as connection:
                connection.connect()
        except OSError:
            return False
        return True
