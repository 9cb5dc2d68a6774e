"""The environment that the other settings modules read."""

import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent.parent


class _Given:
    """The environment without what is empty there: files of environments leave things out that way."""

    def __getitem__(self, name: str) -> str:
        """Return a value. Raises KeyError."""
        if value := os.environ[name]:
            return value
        raise KeyError(name)


env = environ.Env()
env.ENVIRON = _Given()
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()
DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=False)
PORT = env.int("PORT", default=8000)
# Where S3 is not Amazon's. Keys and region are read by its client: AWS_ACCESS_KEY_ID and so on.
S3_ENDPOINT: str = env.str("AWS_ENDPOINT_URL_S3", default="") or env.str("AWS_ENDPOINT_URL", default="")


def valkey(number: int) -> str:
    """Return the address of a database of REDIS_URL's server, so many places further than that names."""
    url: str = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
    parts = urlsplit(url)
    base = int(parts.path.strip("/") or 0)
    return urlunsplit(parts._replace(path=f"/{base + number}"))


def folder_or_bucket(name: str, *, default: Path) -> str:
    """Read where something is kept: `s3://bucket/prefix`, or a folder."""
    url: str = env.str(name, default="") or str(default)
    kind, has_kind, rest = url.partition("://")
    if has_kind and (kind not in ("s3", "file") or not rest.strip("/")):
        raise ImproperlyConfigured(f"{name} must be s3://bucket/prefix or a folder.")
    return url if kind == "s3" and has_kind else str(Path(url.removeprefix("file://")).resolve())
