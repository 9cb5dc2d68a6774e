"""Claims, decisions and revokes of the same players at once: nothing is lost, counted twice, or left hanging."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection, connections
from django.utils import timezone

from achievements.models import FlaggedUnlock, PlayerGame, Unlock
from achievements.services import flagged as services
from tests import factories
from tests.achievements.test_revokes import totals_are_those_of_the_unlocks
from tests.stats.world import World

pytestmark = pytest.mark.django_db(transaction=True)
PLAYERS = [f"p-{n}" for n in range(5)]


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    made = World.create()
    factories.achievements(made.game, {f"a{n}": n for n in range(8)})
    factories.achievement(made.game, "steps", type="incremental", target=3, points=7)
    factories.stat(made.game, "kills")
    factories.achievement(made.game, "hundred", type="incremental", target=100, stat="kills", points=3)
    factories.achievement(made.game, "both", type="meta", requires=["a0", "a1"], points=50)
    order = [{"first": "a0", "then": key} for key in ("a2", "a3", "steps", "hundred")]
    answer = made.api().put(
        f"/games/{made.game.uuid}/plausibility",
        {"order": order, "unlocks_a_minute": 4, "session_required": False},
    )
    assert answer.status_code == 200
    yield made
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE core_fact")


class Crowd:
    """Somebody who does anything, by chance."""

    def __init__(self, world: World, seed: int) -> None:
        """Choose by `seed`."""
        self.world, self.chance, self.api = world, random.Random(seed), world.api()

    def act(self) -> int:
        """Do something; return the answer's status."""
        return self.chance.choice(
            [self.batch, self.batch, self.unlock, self.step, self.report, self.revoke, self.decide]
        )()

    def _body(self, **more: object) -> dict[str, object]:
        return {"game_id": str(self.world.game.uuid), **more}

    def batch(self) -> int:
        keys = [f"a{n}" for n in range(8)]
        players = [*PLAYERS, f"new-{uuid4()}"]
        self.chance.shuffle(players)
        items = [{"player": one, "achievement": self.chance.choice(keys)} for one in players * 2]
        headers = {"Idempotency_Key": str(uuid4())} if self.chance.random() < 0.5 else {}
        answer = self.api.post("/achievements/unlock/batch", self._body(unlocks=items), **headers)
        return int(answer.status_code)

    def unlock(self) -> int:
        key = f"a{self.chance.randrange(8)}"
        body = self._body(player=self.chance.choice(PLAYERS), achievement=key)
        return int(self.api.post("/achievements/unlock", body).status_code)

    def step(self) -> int:
        body = self._body(
            player=self.chance.choice(PLAYERS), achievement="steps", steps=self.chance.randint(1, 3)
        )
        return int(self.api.post("/achievements/progress", body).status_code)

    def report(self) -> int:
        return int(self.world.report(self.chance.choice(PLAYERS), kills={"add": 40}).status_code)

    def revoke(self) -> int:
        body = self._body(
            player=self.chance.choice(PLAYERS), achievement=f"a{self.chance.randrange(8)}", reason="x"
        )
        return int(self.api.post("/achievements/revoke", body).status_code)

    def decide(self) -> int:
        rows = list(FlaggedUnlock.objects.filter(state="open").order_by("?")[:5])
        services.settle(
            self.world.studio.pk,
            [row.uuid for row in rows],
            approves=self.chance.random() < 0.7,
            reason="race",
            actor="user:a@b.example",
            at=timezone.now(),
        )
        return 200


@pytest.mark.slow
def test_whatever_happens_at_once_leaves_a_whole(world: World) -> None:
    for player in PLAYERS:
        factories.player(world.studio, player)

    def run(seed: int) -> set[int]:
        try:
            crowd = Crowd(world, seed)
            return {crowd.act() for _ in range(12)}
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        answered = set().union(*threads.map(run, range(8)))
    assert answered <= {200, 202, 404}
    totals_are_those_of_the_unlocks()
    held = set(Unlock.objects.values_list("player_id", "achievement_id"))
    kept = set(FlaggedUnlock.objects.exclude(state="approved").values_list("player_id", "achievement_id"))
    assert not held & kept
    approved = set(FlaggedUnlock.objects.filter(state="approved").values_list("player_id", "achievement_id"))
    assert approved <= held
    assert PlayerGame.objects.exists()
