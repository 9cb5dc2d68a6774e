"""Each client that the guides show, and each that is generated from the API's description, plays a whole session."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients import generating
from tests.clients.conftest import EXAMPLES
from tests.clients.front import LOST, Front, impatient_front
from tests.platform import Platform, wait_for

pytestmark = pytest.mark.slow
ENDS_WITHIN_S = 180.0
JSON_FOR_MONO = Path("/usr/lib/cli/Newtonsoft.Json-5.0/Newtonsoft.Json.dll")
# Each POST of a session, in the order in which it comes.
POSTS = (
    "/players/{player}/token",
    "/achievements/unlock",
    "/achievements/progress",
    "/stats/report",
    "/leaderboards/{game}/best-lap/scores",
)
needs_npm = pytest.mark.skipif(
    not all(map(shutil.which, ("node", "npm"))), reason="node or npm is not on this machine"
)
needs_mono = pytest.mark.skipif(
    not (shutil.which("mcs") and JSON_FOR_MONO.exists()),
    reason="on Debian, apt-get install mono-mcs libnewtonsoft-json5.0-cil libmono-system-net-http4.0-cil",
)


@pytest.fixture(scope="module")
def schema(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The API's description, as any instance gives it."""
    file = tmp_path_factory.mktemp("schema") / "openapi.json"
    client = platform.client(timeout_s=60)
    file.write_text(json.dumps(client.until_answered(client.get, "/schema").body))
    return file


@pytest.fixture(scope="module")
def compiled(schema: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where both programs in TypeScript lie, with the generated client; compiled at once, since that takes seconds."""
    folder = tmp_path_factory.mktemp("typescript")
    generating.typescript(schema, folder / "laurel-client")
    generating.compiled([EXAMPLES / "session.ts", generating.HERE / "generated_session.ts"], folder)
    return folder


# Mono's runtime breaks now and then while it ends, after the program has: what that did is told by what it said.
_MONO_DIES = "* Assertion at mono-threads.c:"


def play(platform: Platform, url: str, player: str, *command: str | Path, **env: str) -> str:
    """Let a program play, and return what it said."""
    settings = {"LAUREL_URL": url, "LAUREL_KEY": platform.key, "GAME": platform.game, "PLAYER": player}
    run = subprocess.run(
        command,
        env=os.environ | settings | env,
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
        check=False,
    )
    said, dies, _ = run.stdout.partition(_MONO_DIES)
    is_mono = run.returncode == -signal.SIGABRT and bool(dies or _MONO_DIES in run.stderr)
    assert run.returncode == 0 or is_mono, run.stdout + run.stderr
    return said


def assert_played(platform: Platform, player: str) -> None:
    """Ask the platform what came of a session."""
    client = platform.client()
    listed = client.until_answered(client.get, f"/players/{player}/achievements?game_id={platform.game}")
    of = {row["key"]: row for row in listed.body["results"]}
    assert (of["first-blood"]["unlocked"], of["wanderer"]["progress"]["current"]) == (True, 7)
    stats = client.until_answered(client.get, f"/players/{player}/stats?game_id={platform.game}")
    assert stats.body["distance"] == 2.5
    place = f"/leaderboards/{platform.game}/best-lap/players/{player}"
    wait_for(lambda: client.get(place).body.get("score") == 81.25, what="the score on its board")


def plays_through_trouble(platform: Platform, player: str, *command: str | Path, **env: str) -> None:
    with impatient_front(platform.place.port) as front:
        said = play(platform, front.url, player, *command, **env)
        assert [line.partition(":")[0] for line in said.splitlines() if line[:1].isalpha()] == [
            "Unlock",
            "Progress",
            "Stat",
            "Score",
            "Heard",
            "Dashboard",
        ]
        assert_repeated(front, platform, player)
    assert_played(platform, player)


def assert_repeated(front: Front, platform: Platform, player: str) -> None:
    paths = [path.format(player=player, game=platform.game) for path in POSTS]
    assert list(front.attempts) == paths
    for path, attempts in front.attempts.items():
        assert len({key for key, _ in attempts}) == 1, path
        ends = front.ends(path)
        assert ends[0] == "turned away", path
        assert len(ends) == (3 if path == LOST else 2), path
    # What was stored, but answered 503, is replayed at once.
    expected = (["202", "replayed"], ["replayed", "replayed"])
    assert front.ends(LOST)[1:] in expected[: 1 + (len(front.attempts[LOST]) > 3)]


def test_curl_plays_a_session(platform: Platform) -> None:
    plays_through_trouble(platform, "sh", "sh", EXAMPLES / "session.sh")


def test_python_plays_a_session(platform: Platform) -> None:
    plays_through_trouble(platform, "py", sys.executable, "-W", "error", EXAMPLES / "session.py")


@needs_mono
def test_c_sharp_plays_a_session(platform: Platform, tmp_path: Path) -> None:
    program = tmp_path / "Session.exe"
    source = EXAMPLES / "Session.cs"
    compiler = ["mcs", "-warnaserror", "-langversion:7.2", "-r:System.Net.Http", f"-r:{JSON_FOR_MONO}"]
    subprocess.run([*compiler, f"-out:{program}", source], check=True, timeout=ENDS_WITHIN_S)
    plays_through_trouble(platform, "cs", "mono", program, MONO_PATH=str(JSON_FOR_MONO.parent))


@needs_npm
def test_typescript_plays_a_session(platform: Platform, compiled: Path) -> None:
    plays_through_trouble(platform, "ts", *generating.node(), compiled / "session.js")


def test_the_generated_client_in_python_plays_a_session(
    platform: Platform, schema: Path, tmp_path: Path
) -> None:
    client = generating.python(schema, tmp_path / "python")
    url = f"http://127.0.0.1:{platform.place.port}"
    program = generating.HERE / "generated_session.py"
    play(platform, url, "made-py", sys.executable, program, PYTHONPATH=str(client))
    assert_played(platform, "made-py")


@needs_npm
def test_the_generated_client_in_typescript_plays_a_session(platform: Platform, compiled: Path) -> None:
    program = compiled / "generated_session.js"
    play(platform, f"http://127.0.0.1:{platform.place.port}", "made-ts", *generating.node(), program)
    assert_played(platform, "made-ts")


def test_a_file_of_unlocks_is_sent_and_sent_again(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "unlocks.csv"
    lines = [f"old-{n},first-blood,2024-05-01T18:30:0{n}Z" for n in range(3)]
    file.write_text("\n".join(["player,achievement,unlocked_at", *lines, "old-3,first-blood,", ""]))
    url = f"http://127.0.0.1:{platform.place.port}"
    said = [
        play(platform, url, "", sys.executable, EXAMPLES / "import_unlocks.py", file).strip()
        for _ in range(2)
    ]
    assert said == [
        "4 unlocks are new, 0 were known already, 0 were rejected.",
        "0 unlocks are new, 4 were known already, 0 were rejected.",
    ]
    client = platform.client()
    listed = client.until_answered(client.get, f"/players/old-2/achievements?game_id={platform.game}")
    assert listed.body["results"][0]["unlocked_at"] == "2024-05-01T18:30:02.000Z"
