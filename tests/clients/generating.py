"""Clients made from the API's description: `python -m tests.clients.generating SCHEMA FOLDER`, by `make clients`.

One in Python by openapi-python-client, one in TypeScript by openapi-typescript, which `npm/` locks.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from config.children import BASE_DIR
from tests import npm

HERE: Final = BASE_DIR / "tests" / "clients"
KEPT: Final = BASE_DIR / "var" / "npm" / "clients"
_MISSING: Final = "The client in TypeScript comes"
# What has a default may be left out of a request.
_DEFAULTED: Final = "--default-non-nullable=false"
_BROWSERS_SOCKET_SINCE: Final = 22  # Node's version; before it, WebSocket has to be asked for


def main() -> None:
    """Make both, and say where they are; without Node only the first."""
    schema, folder = (Path(argument).resolve() for argument in sys.argv[1:])
    print(f"Python:      {python(schema, folder / 'python')}")
    if missing := npm.missing(_MISSING):
        print(missing)
    else:
        print(f"TypeScript:  {typescript(schema, folder / 'typescript')}")


def python(schema: Path, folder: Path) -> Path:
    """Make the client in Python, in the place of one that is there."""
    # It formats what it makes by ruff, which it looks for on the PATH.
    paths = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    options = ["--meta", "setup", "--config", str(HERE / "python.yaml"), "--fail-on-warning", "--overwrite"]
    _run(
        sys.executable,
        "-m",
        "openapi_python_client",
        "generate",
        *options,
        f"--path={schema}",
        f"--output-path={folder}",
        env={"PATH": paths},
    )
    return folder


def typescript(schema: Path, folder: Path) -> Path:
    """Make the client in TypeScript, in the place of one that is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in (HERE / "typescript").iterdir():
        shutil.copy(file, folder)
    _run(
        "node",
        _modules() / "openapi-typescript" / "bin" / "cli.js",
        schema,
        "-o",
        folder / "schema.d.ts",
        _DEFAULTED,
    )
    return folder


def compiled(sources: Iterable[Path], folder: Path) -> None:
    """Check programs' types as strictly as can be, and leave what Node runs in a folder."""
    copies = [Path(shutil.copy(source, folder)) for source in sources]
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(_modules())
    options = ["--strict", "--noUnusedLocals", "--skipLibCheck", "--lib", "es2022,dom"]
    types: list[str | Path] = ["--types", "node", "--typeRoots", _modules() / "@types"]
    target: list[str | Path] = ["--target", "es2022", "--module", "nodenext", "--rootDir", folder]
    _run("node", _modules() / "typescript" / "bin" / "tsc", *options, *types, *target, *copies)


def node() -> list[str]:
    """Return how Node is called so that it knows WebSocket."""
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    is_old = int(said.removeprefix("v").partition(".")[0]) < _BROWSERS_SOCKET_SINCE
    return ["node", *(["--experimental-websocket"] if is_old else [])]


def _modules() -> Path:
    return npm.installed(HERE / "npm", KEPT, what="what makes and checks clients") / "node_modules"


def _run(*command: str | Path, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command, env=os.environ | (env or {}), capture_output=True, text=True, check=False, cwd=BASE_DIR
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
