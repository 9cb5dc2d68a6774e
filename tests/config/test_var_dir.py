"""The folder of an installation, and the ports that its servers listen on."""

import os
import subprocess
import sys

import pytest

from config import var_dir
from config.children import BASE_DIR
from config.processes import CannotStart

ASK = "import sys; from config import var_dir; var_dir.PORTS = range(31_900, 32_000); print(var_dir.free_ports())"


@pytest.mark.slow
def test_a_port_is_given_to_nobody_else_while_who_asked_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(var_dir, "PORTS", range(31_900, 32_000))
    monkeypatch.setattr(var_dir, "_reserved", [])
    given: list[int] = []
    with pytest.raises(CannotStart, match="No port between 31900 and 32000 is free"):
        given.extend(iter(var_dir.free_ports, None))
    assert len(given) == len(set(given)) > 50

    def ask() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", ASK]
        return subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)

    assert "CannotStart" in ask().stderr
    for lock in var_dir._reserved:
        os.close(lock)
    assert ask().stdout.strip().isdigit()
