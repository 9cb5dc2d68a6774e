"""Whether the collected static files are still those of the source: collecting takes seconds, looking does not."""

import hashlib
from pathlib import Path

from config import var_dir


def fingerprint(base: Path) -> str:
    """Return a hash that changes with any static file of ours, or with the packages that bring the others."""
    digest = hashlib.sha256((base / "requirements.txt").read_bytes())
    for folder in sorted([base / "static", *base.glob("*/static")]):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                stat = path.stat()
                digest.update(f"{path.relative_to(base)}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def collected(folder: Path) -> str:
    """Return the fingerprint of what was collected last into this VAR_DIR; empty when nothing was."""
    note = folder / "static.fingerprint"
    return note.read_text() if note.exists() and (folder / "static").is_dir() else ""


def remember(folder: Path, fingerprint: str) -> None:
    """Keep the fingerprint of what was collected."""
    var_dir.keep(folder / "static.fingerprint", fingerprint)
