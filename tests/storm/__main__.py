"""Let a storm pass over the whole platform and say what it left: `python -m tests.storm`, which `make faults` calls."""

import argparse
import json
import os
import secrets
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from config.processes import CannotStart
from tests import platform as whole
from tests.faults.clients import Following, SocketClient
from tests.platform import Platform, wait_for
from tests.storm import journal, studios, verdict
from tests.storm.clients import Sending
from tests.storm.plan import CLIENTS, HOOKED_CLIENTS, plans
from tests.storm.production import Production
from tests.storm.weather import Weather, forecast
from tests.webhooks.servers import receiver

_LISTENERS = 10
_JOBS = (
    "social.tell_due",
    "social.tell_friends",
    "history.build_dashboards",
)  # one of each queue, every second
_CATCHES_UP_S = 600.0
_LOOKS_EVERY_S = 0.5


@dataclass(frozen=True)
class Size:
    """How much of a storm."""

    unlocks: int
    strikes: int
    seconds: float


FULL = Size(unlocks=100_000, strikes=50, seconds=400.0)
SHORT = Size(unlocks=5_000, strikes=10, seconds=40.0)


def main() -> int:
    """Return 0 when nothing was lost, doubled or made up."""
    parser = argparse.ArgumentParser(prog="python -m tests.storm", description=__doc__)
    parser.add_argument("--full", action="store_true", help=f"{FULL}, not {SHORT}")
    parser.add_argument(
        "--production", action="store_true", help="the topology of production, not make run's"
    )
    parser.add_argument("--seed", type=int, default=None, help="an earlier storm's, to have it once more")
    options = parser.parse_args()
    os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    try:
        found = _passed(
            seed, FULL if options.full else SHORT, kind=Production if options.production else Platform
        )
    except CannotStart as error:
        _say(str(error))
        return 2
    return 0 if found.is_clean else 1


def _passed(seed: int, size: Size, *, kind: type[Platform]) -> verdict.Verdict:
    with (
        tempfile.TemporaryDirectory(prefix="laurel-storm-") as folder,
        whole.started(kind(Path(folder))) as platform,
    ):
        return storm(platform, Path(folder), seed=seed, size=size)


def storm(platform: Platform, folder: Path, *, seed: int, size: Size) -> verdict.Verdict:
    """Let it pass, print how it went, and return the verdict."""
    _say(
        f"Storm {seed}: {size.unlocks:,} unlocks of {CLIENTS} clients, {size.strikes} strikes in {size.seconds:.0f} s."
    )
    plain, hooked = studios.plain(platform), studios.hooked(platform)
    all_plans = plans(seed, size.unlocks)
    owners = [hooked if number < HOOKED_CLIENTS else plain for number in range(CLIENTS)]
    sending = Sending(platform, all_plans, owners, folder=folder, seconds=size.seconds)
    strikes = forecast(platform, seed, strikes=size.strikes, seconds=size.seconds)
    weather = Weather(platform)
    listeners = _listeners(platform, owners[-1])
    began = time.monotonic()
    with (
        receiver(port=platform.hook_port) as server,
        Following(listeners, platform.live_address),
    ):
        sending.start()
        weather.pass_over(strikes)
        while not sending.is_over:
            weather.keep(_LOOKS_EVERY_S)
        _say(f"All was taken after {time.monotonic() - began:.0f} s.")
        _wait_for_everything(platform, listeners)
        heard = [(_about(one.body), one.headers["webhook-id"]) for one in list(server.heard)]
    surprises = [*sending.surprises, *_not_heard(platform, listeners)]
    found = verdict.judge(platform, journal.read(folder), all_plans, surprises=surprises)
    found.differences += verdict.hooked(platform, hooked.game_id, heard)
    _tell(sending, weather, found)
    return found


def _listeners(platform: Platform, studio: studios.Studio) -> list[SocketClient]:
    """Return clients on the pages of the first players of the last clients."""
    client = platform.client(key=studio.key)
    names = [f"c{number}-0" for number in range(CLIENTS - _LISTENERS, CLIENTS)]
    body = {"game_id": studio.game}
    answers = [client.until_answered(client.post, f"/players/{name}/token", body) for name in names]
    return [SocketClient(answer.body["token"]) for answer in answers]


def _wait_for_everything(platform: Platform, listeners: list[SocketClient]) -> None:
    platform.wait_until_caught_up(within_s=_CATCHES_UP_S)
    wait_for(
        lambda: platform.rows("SELECT count(*) FROM webhooks_delivery WHERE state <> 'succeeded'") == [(0,)],
        what="webhooks",
        within_s=_CATCHES_UP_S,
    )
    wait_for(lambda: not _not_heard(platform, listeners), what="pushes", within_s=60.0)
    # Beat's schedule goes on, whatever became of its broker.
    [(now,)] = platform.rows("SELECT now()")
    done = "SELECT count(*) FROM core_job WHERE name = ANY(%s) AND succeeded_at > %s"
    wait_for(
        lambda: platform.rows(done, (list(_JOBS), now)) == [(len(_JOBS),)],
        what="scheduled jobs",
        within_s=120.0,
    )


def _not_heard(platform: Platform, listeners: list[SocketClient]) -> list[str]:
    """Return whose open page did not hear what is in his inbox."""
    names = [f"c{number}-0" for number in range(CLIENTS - _LISTENERS, CLIENTS)]
    sql = """
        SELECT i.external_id, n.uuid::text FROM social_notification n JOIN accounts_playeridentity i USING (player_id)
         WHERE i.external_id = ANY(%s) AND n.kind = 'achievement.unlocked'
    """
    stored: dict[str, set[str]] = {}
    for name, notification in platform.rows(sql, (names,)):
        stored.setdefault(name, set()).add(notification)
    wrong = []
    for name, listener in zip(names, listeners, strict=True):
        lacking = stored.get(name, set()) - {event["id"] for event in list(listener.events)}
        if lacking:
            wrong.append(f"{len(lacking)} notifications did not reach the open page of {name}")
    return wrong


def _about(body: bytes) -> journal.Thing:
    data = json.loads(body)["data"]
    return data["player"]["external_id"], data["achievement"]["key"]


def _tell(sending: Sending, weather: Weather, found: verdict.Verdict) -> None:
    _say("\n".join(map(str, weather.happened)))
    _say(f"Started again by itself: {dict(Counter(weather.restarted)) or 'nobody'}.")
    _say(f"Answers: {dict(sorted(sending.statuses.items()))} (0: none).")
    _say(str(found))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
