"""Programs from npm, at the versions that a folder locks: installed once for each state of its lock."""

import hashlib
import shutil
import subprocess
from pathlib import Path


def missing(what: str) -> str:
    """Say which of npm's two is not on this machine; nothing if both are."""
    if all(map(shutil.which, ("node", "npm"))):
        return ""
    return f"{what} from npm, which is not on this machine: on Debian, apt-get install npm brings it."


def installed(locked: Path, kept: Path, *, what: str) -> Path:
    """Return the folder whose node_modules holds what `locked` locks. Raises SystemExit when npm can't install it."""
    lock = (locked / "package-lock.json").read_bytes()
    folder = kept / hashlib.sha256(lock).hexdigest()[:12]
    if not (folder / "installed").exists():
        shutil.rmtree(kept, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(locked / name, folder)
        print(f"Installing {what} from npm (once).", flush=True)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=folder, check=False)
        if done.returncode:
            shutil.rmtree(folder)
            raise SystemExit(f"npm could not install {what}: what it says stands above.")
        (folder / "installed").touch()
    return folder
