"""What the servers of such an installation read: the files of deploy/, as containers do, with its places put in."""

import re
import resource
import shlex
import shutil
import subprocess
from pathlib import Path

from config import open_files, programs, var_dir
from config.backups import keeping
from config.children import BASE_DIR
from config.processes import CannotStart
from config.production.place import DATABASE, HOST, ROLE, USER, VHOST, Place, find

_DEPLOY = BASE_DIR / "deploy"
_VALKEYS = ("boards", "cache")
_FOLDERS = (
    "kept",
    "log",
    "nginx",
    "pgbouncer",
    "postgres",
    "rabbitmq",
    "valkey-boards",
    "valkey-cache",
    "tls",
)
# Who runs as another account than root's is given these.
_OF_SERVERS = ("nginx", "pgbouncer", "postgres", "tls", "valkey-boards", "valkey-cache")
_PREPARES = re.compile(r"PgBouncer (\d+)\.(\d+)")
_KEEPS_PREPARED_STATEMENTS = (1, 22)  # with a client's DEALLOCATE ALL, which psycopg sends after a rollback
_MIME_TYPES = (Path("/etc/nginx/mime.types"), Path("/usr/local/etc/nginx/mime.types"))
_POSTGRES_HERE = """
# Of this installation; PostgreSQL takes the last word.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
wal_compression = pglz
archive_command = '{command}'
"""
_FIRST_STATEMENTS = """\
CREATE ROLE {role} LOGIN PASSWORD '{password}' IN ROLE pg_monitor, pg_checkpoint;
CREATE DATABASE {database} OWNER {role};
"""
_OF_DATABASE = "CREATE EXTENSION pg_stat_statements;\n"
_HBA = f"""\
host all {ROLE} {HOST}/32 scram-sha-256
host replication {keeping.ROLE} {HOST}/32 scram-sha-256
"""


def prepare(place: Place) -> dict[str, str]:
    """Lay everything that Procfile.production's lines read, and return their environment. Raises CannotStart."""
    for name in _FOLDERS:
        (place.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    place.choose_ports()
    env = place.environment()
    lay_postgres(place, Path(env["POSTGRES"]))
    env["DATABASE_PREPARED"] = str(int(_pgbouncer(place, env)))
    for role in _VALKEYS:
        _valkey(place, role)
    _rabbitmq(place)
    lay_certificate(place.folder / "tls", place.name)
    _nginx(place)
    account = programs.account_for(place.folder, place.folder)
    for name in _OF_SERVERS:
        programs.hand_over(place.folder / name, account)
    var_dir.keep(
        place.folder / "environment", "".join(f"{name}={shlex.quote(value)}\n" for name, value in env.items())
    )
    return env


def lay_postgres(place: Place, program: Path) -> None:
    """Lay PostgreSQL's settings into its data, which are made where there are none. Raises CannotStart."""
    data = place.folder / "postgres"
    account = programs.account_for(data, place.folder)
    if not (data / "PG_VERSION").exists():
        _make_postgres(place, data, program)

    def run(statements: str) -> None:
        _tell_postgres(place, data, program, statements)

    keeping.let_backups_in(data, place.secret("backup"), run=run)
    here = _POSTGRES_HERE.format(
        port=place.port_of("postgres"), command=keeping.archive_command(data, place.backups, account)
    )
    var_dir.keep(data / "postgresql.conf", _shipped("postgres/laurel.conf") + here)
    var_dir.keep(data / "pg_hba.conf", _HBA)
    programs.hand_over(data, account)


def _make_postgres(place: Place, data: Path, program: Path) -> None:
    account = programs.account_for(data, place.folder)
    programs.hand_over(data, account)
    options = ("--encoding=UTF8", "--locale=C", f"--lc-ctype={programs.CTYPE}", "--data-checksums")
    made = programs.run_quickly(
        account,
        *(str(program.with_name("initdb")), "-D", str(data), "-U", "postgres", "--auth=reject", *options),
        folder=place.folder,
    )
    if made.returncode:
        raise CannotStart(f"PostgreSQL could not make its data in {data} (“{made.stdout.strip()}”).")
    secret = place.secret("postgres")
    _tell_postgres(
        place, data, program, _FIRST_STATEMENTS.format(role=ROLE, database=DATABASE, password=secret)
    )
    _tell_postgres(place, data, program, _OF_DATABASE, database=DATABASE)


def _tell_postgres(
    place: Place, data: Path, program: Path, statements: str, *, database: str = "postgres"
) -> None:
    """Run statements in single-user mode, one a line."""
    account = programs.account_for(data, place.folder)
    told = programs.run_quickly(
        account, str(program), "--single", "-D", str(data), database, folder=place.folder, text=statements
    )
    if "ERROR:" in told.stdout or told.returncode:
        raise CannotStart(f"PostgreSQL did not take what Laurel needs in {data} (“{told.stdout.strip()}”).")


def _pgbouncer(place: Place, env: dict[str, str]) -> bool:
    """Return whether this PgBouncer keeps prepared statements."""
    folder = place.folder / "pgbouncer"
    said = subprocess.run([env["PGBOUNCER"], "--version"], capture_output=True, text=True, check=False).stdout
    version = _PREPARES.search(said)
    keeps = version is not None and (int(version[1]), int(version[2])) >= _KEEPS_PREPARED_STATEMENTS
    text = _shipped("pgbouncer/pgbouncer.ini").replace("/run/pgbouncer", str(folder))
    text = text.replace("host=postgres port=5432", f"host={HOST} port={place.port_of('postgres')}")
    text = _with(text, listen_addr=HOST, listen_port=place.port_of("pgbouncer"))
    if not keeps:
        text = re.sub(r"^max_prepared_statements = .*\n", "", text, flags=re.MULTILINE)
    var_dir.keep(folder / "pgbouncer.ini", text)
    var_dir.keep(folder / "users.txt", f'"{ROLE}" "{place.secret("postgres")}"\n')
    return keeps


def _valkey(place: Place, role: str) -> None:
    folder = place.folder / f"valkey-{role}"
    text = _shipped(f"valkey/{role}.conf").replace("dir /data\n", "")
    here = (
        f"bind {HOST}",
        f"port {place.port_of(role)}",
        f'dir "{folder}"',
        "user default off",
        # As deploy/compose starts it.
        f"user {USER} on >{place.secret(role)} ~* &* +@all -@admin -@dangerous +info +slowlog|get",
    )
    var_dir.keep(folder / "valkey.conf", text + "\n".join(here) + "\n")


def _rabbitmq(place: Place) -> None:
    folder = place.folder / "rabbitmq"
    text = _shipped("rabbitmq/rabbitmq.conf").replace(
        "listeners.tcp.default = 5672", f"listeners.tcp.default = {HOST}:{place.port_of('broker')}"
    )
    first = f"default_user = {USER}\ndefault_pass = {place.secret('broker')}\n"
    var_dir.keep(
        folder / "rabbitmq.conf",
        text.replace(f"default_vhost = {VHOST}\n", f"default_vhost = {VHOST}\n{first}"),
    )
    var_dir.keep(folder / "enabled_plugins", "[].\n")


def lay_certificate(folder: Path, name: str) -> None:
    """Make a certificate that nobody vouches for, unless the operator laid one of his own there."""
    if (folder / "fullchain.pem").exists():
        return
    command = [
        find("openssl"),
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ]
    command += ["-days", "825", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    command += ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise CannotStart(f"No certificate could be made (“{made.stderr.strip()}”): lay one into {folder}.")


def _nginx(place: Place) -> None:
    lay_nginx(
        place.folder / "nginx",
        PUBLIC_URL=place.url,
        PUBLIC_HOST=place.public_host,
        SERVER_NAME=place.name,
        HTTP_PORT=f"{HOST}:{place.port_of('http')}",
        HTTPS_PORT=str(place.port),
        WEB=f"{HOST}:{place.port_of('web')}",
        LIVE=f"{HOST}:{place.port_of('live')}",
        TLS=str(place.folder / "tls"),
    )


def lay_nginx(folder: Path, **named: str) -> Path:
    """Lay nginx's files into a folder, with what is named put in (deploy/nginx/README.md); return the first of them."""
    for name in ("behind", "errors"):
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(_DEPLOY / "nginx" / name, folder / name)
    for name in ("proxied.conf", "operators.conf"):
        shutil.copy(_DEPLOY / "nginx" / name, folder / name)
    types = next((path for path in _MIME_TYPES if path.exists()), None)
    if types is None:
        raise CannotStart("nginx's mime.types is missing: install nginx with the system's package manager.")
    shutil.copy(types, folder / "mime.types")
    files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], open_files.WANTED)  # raised by who runs us
    here = {
        "RESOLVER": HOST,
        "CONF": str(folder),
        "ACME": str(folder / "acme"),
        "CACHE": str(folder / "cache"),
        "RUN": str(folder),
        "FILES": str(files),
        "CONNECTIONS": str(files // 2),
        "LOG": str(folder / "access.log"),
    }
    for name in ("nginx.conf", "laurel.conf"):
        var_dir.keep(folder / name, _filled(_shipped(f"nginx/{name}"), here | named))
    return folder / "nginx.conf"


def _filled(text: str, put_in: dict[str, str]) -> str:
    """Put values in for `${NAMES}`, as envsubst does."""
    return re.sub(r"\$\{([A-Z_]+)\}", lambda found: put_in[found[1]], text)


def _with(text: str, **values: str | int) -> str:
    """Give settings of an ini file other values."""
    for name, value in values.items():
        text, times = re.subn(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
        assert times == 1, name
    return text


def _shipped(name: str) -> str:
    return (_DEPLOY / name).read_text()
