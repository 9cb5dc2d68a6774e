"""What imports can't show: facts flow downhill, and every listener can be run."""

import inspect
from importlib import import_module

import pytest

from config.celery import app
from config.commands import CONCURRENCY
from config.subscriptions import SUBSCRIPTIONS
from core.facts import Subscription

RIVER = ("core", "accounts", "stats", "achievements", "leaderboards", "social")
# Below it, and unknown to each other: history, analytics, webhooks.
QUEUES = {"live", "facts", "bulk"}


def announced_by(room: str) -> set[str]:
    """Return the kinds of facts that a room announces."""
    try:
        facts = import_module(f"{room}.facts")
    except ModuleNotFoundError:
        return set()
    classes = [
        each for _, each in inspect.getmembers(facts, inspect.isclass) if each.__module__ == facts.__name__
    ]
    kinds = (getattr(each, "kind", None) for each in classes)
    return {kind for kind in kinds if isinstance(kind, str)}


@pytest.mark.parametrize("subscription", SUBSCRIPTIONS, ids=lambda each: each.name)
def test_a_listener_hears_its_own_room_and_those_upstream(subscription: Subscription) -> None:
    room = subscription.listener.__module__.split(".")[0]
    upstream = RIVER[: RIVER.index(room) + 1] if room in RIVER else (*RIVER, room)
    assert subscription.kinds
    assert subscription.kinds <= {kind for each in upstream for kind in announced_by(each)}


@pytest.mark.parametrize("subscription", SUBSCRIPTIONS, ids=lambda each: each.name)
def test_a_listener_has_a_task_in_its_room_and_a_queue(subscription: Subscription) -> None:
    app.loader.import_default_modules()
    task = app.tasks[f"{subscription.name}.follow"]
    assert task.__module__.split(".")[0] == subscription.listener.__module__.split(".")[0]
    assert subscription.queue in QUEUES


@pytest.mark.parametrize("queue", sorted(QUEUES))
def test_a_worker_has_room_for_every_listener_of_its_queue_and_for_jobs(queue: str) -> None:
    listeners = sum(each.queue == queue for each in SUBSCRIPTIONS)
    assert CONCURRENCY[queue] >= listeners + 2


def test_names_are_told_apart() -> None:
    assert len({each.name for each in SUBSCRIPTIONS}) == len(SUBSCRIPTIONS)
