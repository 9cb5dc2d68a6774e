"""RabbitMQ as the broker: followers are followed, whatever becomes of a worker or of the broker itself."""

import json
import pickle
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import psycopg
import pytest
from django.db import connection
from kombu import Connection

from config import children, rabbitmq
from config.children import Place
from config.embedded import Servers
from config.processes import Process, stop_all
from tests import factories, rabbit
from tests.patience import LONG_S
from tests.platform import FOLLOWERS, RECOMPUTED, STARTS_WITHIN_S, wait_for
from tests.pooling import database_url
from tests.rabbit import Rabbit

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
RECOVERS_WITHIN_S = 150.0  # it takes five to ten; Beat, which once kept a dead connection, took minutes
UNLOCKS = 40
BEHIND = """
SELECT f.name, (SELECT count(*) FROM core_fact WHERE (tx, id) > (f.tx::text::xid8, f.fact_id)) FROM core_follower f
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rabbit]:
    """One node for all of them: it takes seconds to start."""
    if rabbit.program() is None:
        pytest.skip("There is no RabbitMQ on this machine.")
    started = Rabbit(tmp_path_factory.mktemp("rabbit"))
    try:
        started.start(within_s=STARTS_WITHIN_S)
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def processes(
    broker: Rabbit, servers: Servers, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Process]]:
    """What speaks to the broker: a worker, a relay and Beat."""
    place = Place(tmp_path_factory.mktemp("laurel"), 1)
    env = {
        **children.environment(place),
        "DATABASE_URL": database_url(),
        "REDIS_URL": servers.redis_url,
        "CELERY_BROKER_URL": broker.url,
        "DEBUG": "0",
        "LOG_LEVEL": "WARNING",
    }
    started = {
        one.name: one for one in children.children(place, env) if one.name in ("worker", "relay", "beat")
    }
    try:
        for process in started.values():
            process.launch()
        started["worker"].start(within_s=STARTS_WITHIN_S)
        yield started
    finally:
        stop_all(started.values())


class World:
    """A game whose players unlock."""

    def __init__(self) -> None:
        self.game = factories.game()
        for number in range(UNLOCKS):
            factories.achievement(self.game, f"a{number}", points=10)
        self.api = factories.api(factories.server_key(self.game.studio))

    def unlock(self, player: str) -> None:
        """Let a player unlock everything, one a request, as soon as ever."""
        for number in range(UNLOCKS):
            body = {"game_id": str(self.game.uuid), "player": player, "achievement": f"a{number}"}
            assert self.api.post("/achievements/unlock", body).status_code == 202


def rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def caught_up(*, within_s: float = LONG_S) -> None:
    wait_for(lambda: dict(rows(BEHIND)) == dict.fromkeys(FOLLOWERS, 0), what="followers", within_s=within_s)
    for what, sql in RECOMPUTED.items():
        assert rows(sql) == [], what
    assert rows("SELECT * FROM core_deadletter") == []


def test_followers_follow_and_the_queues_are_those_that_survive_a_node(
    processes: dict[str, Process], broker: Rabbit
) -> None:
    World().unlock("p-1")
    caught_up()
    listed = broker.control("list_queues", "name", "type", "--formatter", "json")
    quorum = {queue["name"] for queue in json.loads(listed) if "quorum" in queue["type"]}
    assert quorum == {*rabbitmq.QUEUES, "laurel.dead"}, listed


def test_a_worker_that_is_killed_while_it_follows_loses_nothing(processes: dict[str, Process]) -> None:
    world, worker = World(), processes["worker"]

    def write() -> None:
        try:
            for number in range(4):
                world.unlock(f"p-{number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        for _ in range(3):
            time.sleep(0.3)
            worker.kill()
            worker.sweep()
            worker.launch()
        writing.result(LONG_S)
    caught_up()


def test_a_broker_that_is_killed_is_met_again(processes: dict[str, Process], broker: Rabbit) -> None:
    world = World()
    broker.kill()
    broker.sweep()
    world.unlock("p-1")
    broker.start(within_s=STARTS_WITHIN_S)
    caught_up(within_s=RECOVERS_WITHIN_S)


def until_it_gives_up(relay: Process, world: World) -> None:
    """Unlock until the relay has said that it waits: tasks that the worker has already may follow the first ones."""
    before, numbers = relay.log.read_text().count("relay waits"), count(1)

    def gives_up() -> bool:
        world.unlock(f"p-{next(numbers)}")
        return relay.log.read_text().count("relay waits") > before

    wait_for(gives_up, what="the relay to give up")


def test_a_broker_that_hangs_keeps_nobody_waiting(processes: dict[str, Process], broker: Rabbit) -> None:
    world = World()
    world.unlock("p-0")
    caught_up()  # no task is left that would go on by itself
    broker.freeze()
    try:
        until_it_gives_up(processes["relay"], world)
    finally:
        broker.thaw()
    caught_up(within_s=RECOVERS_WITHIN_S)


def test_a_broker_without_memory_keeps_nobody_waiting(processes: dict[str, Process], broker: Rabbit) -> None:
    world = World()
    world.unlock("p-0")
    caught_up()
    broker.control("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        until_it_gives_up(processes["relay"], world)
    finally:
        broker.control("set_vm_memory_high_watermark", "absolute", "1GB")
    caught_up(within_s=RECOVERS_WITHIN_S)


def test_what_can_t_be_read_becomes_a_dead_letter_and_the_worker_goes_on(
    processes: dict[str, Process], broker: Rabbit
) -> None:
    with Connection(broker.url) as line:
        producer = line.Producer()
        for body, kind in ((pickle.dumps("x"), "application/x-python-serialize"), (b"{", "application/json")):
            producer.publish(body, routing_key="bulk", content_type=kind, content_encoding="binary")
        producer.publish([[], {}, {}], routing_key="bulk", headers={"task": "os.system", "id": "1"})
        dead: Any = rabbitmq.dead_letters()(line.default_channel)
        wait_for(lambda: dead.queue_declare(passive=True).message_count == 3, what="dead letters")
        dead.purge()
    World().unlock("p-1")
    caught_up()


def test_a_channel_that_the_broker_closes_is_opened_again(
    processes: dict[str, Process], broker: Rabbit
) -> None:
    """As it does where a task takes more than half an hour, here a second; it looks each minute, or when told to."""
    world, worker = World(), processes["worker"]
    broker.control("eval", "application:set_env(rabbit, consumer_timeout, 1000).")
    worker.kill()
    worker.sweep()
    worker.start(within_s=STARTS_WITHIN_S)

    def is_closed() -> bool:
        broker.control("eval", "[Channel ! tick || Channel <- rabbit_channel:list()].")
        return "PRECONDITION_FAILED" in worker.log.read_text()

    try:
        with psycopg.connect(database_url()) as holder:
            holder.execute("LOCK TABLE core_job IN EXCLUSIVE MODE")  # no scheduled job comes to its end
            wait_for(is_closed, what="the broker to close the worker's channel")
            holder.rollback()
    finally:
        broker.control("eval", "application:set_env(rabbit, consumer_timeout, 1800000).")
    world.unlock("p-1")
    caught_up(within_s=RECOVERS_WITHIN_S)
    assert worker.alive
