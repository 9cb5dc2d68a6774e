"""The demo's secrets: the developer's password and the server key, in VAR_DIR/demo.json, which only its owner reads."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from config import var_dir

EMAIL: Final = "developer@laurel.example"
# Nothing that could be taken for something else when it is typed: 31 signs, 16 of them, 79 bits.
_SIGNS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_LENGTH = 4, 4


@dataclass(frozen=True)
class Credentials:
    """What the file keeps; empty is not known."""

    password: str = ""
    server_key: str = ""


def kept() -> Credentials:
    """Return what the file keeps; nothing where it is missing or not as we write it."""
    try:
        found = json.loads(_file().read_text(encoding="utf-8"))
        return Credentials(password=str(found["password"]), server_key=str(found["server_key"]))
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        return Credentials()


def keep(credentials: Credentials) -> None:
    """Write the file, whole or not at all, readable by its owner only."""
    var_dir.keep(_file(), json.dumps({"email": EMAIL, **asdict(credentials)}, indent=2) + "\n")


def new_password() -> str:
    """Return a new password."""
    groups = ("".join(secrets.choice(_SIGNS) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)


def _file() -> Path:
    folder: Path = settings.VAR_DIR
    return folder / "demo.json"
