"""What each client will send: by chance, and the same for the same seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from uuid import UUID

from tests.platform import ACHIEVEMENTS
from tests.storm.journal import Thing

CLIENTS = 50
HOOKED_CLIENTS = 5  # of a studio that hears webhooks
_LARGEST_BATCH = 100
_SHARED = 0.05  # of a client's unlocks the next client sends, too
_OTHERS = 0.05  # as many reports of steps, values and scores as that part of unlocks, of each kind
STEPS, KILLS, BOARD = "storm-steps", "storm_kills", "storm"
LARGEST_SCORE = 1_000_000


@dataclass(frozen=True)
class Request:
    """One thing to be sent until it is taken.

    Attributes:
        path: below `/api/v1`.
        body: without `game_id`.
        unlocks: what it unlocks.
        key: its Idempotency-Key, if it has one.

    """

    path: str
    body: dict[str, object]
    unlocks: tuple[Thing, ...] = ()
    key: str = ""


@dataclass(frozen=True)
class Plan:
    """What one client does.

    Attributes:
        requests: in this order.
        steps: what each player's steps will add up to.
        kills: likewise his stat.
        best: his best score.

    """

    requests: list[Request]
    steps: dict[str, int]
    kills: dict[str, int]
    best: dict[str, int]


def own_unlocks(client: int, count: int) -> list[Thing]:
    """Return the unlocks that belong to a client."""
    return [(f"c{client}-{number // ACHIEVEMENTS}", f"a{number % ACHIEVEMENTS}") for number in range(count)]


def plans(seed: int, unlocks: int) -> list[Plan]:
    """Return every client's plan, `unlocks` different ones in all."""
    each = unlocks // CLIENTS
    return [_plan(client, each, Random(f"{seed}/{client}")) for client in range(CLIENTS)]


def _plan(client: int, count: int, chance: Random) -> Plan:
    own = own_unlocks(client, count)
    # Of the client before, in its studio: two that say the same at about the same time.
    before = client - 1 if client not in (0, HOOKED_CLIENTS) else client
    shared = chance.sample(own_unlocks(before, count), int(count * _SHARED))
    unlocks = own + shared
    chance.shuffle(unlocks)
    half = len(unlocks) // 2
    requests = list(_singles(unlocks[:half], chance)) + list(_batches(unlocks[half:], chance))
    plan = Plan(requests, {}, {}, {})
    players = sorted({player for player, _ in own})
    for _ in range(int(count * _OTHERS)):
        _add_others(plan, chance.choice(players), chance)
    chance.shuffle(requests)
    return plan


def _singles(unlocks: Sequence[Thing], chance: Random) -> Iterator[Request]:
    for player, key in unlocks:
        body: dict[str, object] = {"player": player, "achievement": key}
        yield Request("/achievements/unlock", body, ((player, key),), _key(chance))


def _batches(unlocks: Sequence[Thing], chance: Random) -> Iterator[Request]:
    start = 0
    while start < len(unlocks):
        some = tuple(unlocks[start : start + chance.randint(1, _LARGEST_BATCH)])
        start += len(some)
        body: dict[str, object] = {
            "unlocks": [{"player": player, "achievement": key} for player, key in some]
        }
        yield Request("/achievements/unlock/batch", body, some, _key(chance))


def _add_others(plan: Plan, player: str, chance: Random) -> None:
    steps, kills, score = chance.randint(1, 5), chance.randint(1, 5), chance.randint(1, LARGEST_SCORE)
    told = {"player": player, "achievement": STEPS, "steps": steps, "op": "add", "event_id": _event(chance)}
    plan.requests.append(Request("/achievements/progress", told))
    plan.steps[player] = plan.steps.get(player, 0) + steps
    told = {"player": player, "stats": {KILLS: {"add": kills}}, "event_id": _event(chance)}
    plan.requests.append(Request("/stats/report", told))
    plan.kills[player] = plan.kills.get(player, 0) + kills
    told = {"player": player, "score": score, "event_id": _event(chance)}
    plan.requests.append(Request(f"/leaderboards/GAME/{BOARD}/scores", told))
    plan.best[player] = max(plan.best.get(player, 0), score)


def _key(chance: Random) -> str:
    """Give every second request an Idempotency-Key."""
    return _event(chance) if chance.random() < 0.5 else ""


def _event(chance: Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))
