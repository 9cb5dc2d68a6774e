"""The only place where a fact meets its listeners."""

from achievements.facts import ReportAnswered
from achievements.services import counters
from analytics.services import counting
from core.facts import Subscription
from history.services import following as history
from history.services import rolling
from leaderboards.facts import RanksChanged
from leaderboards.services import feeding
from leaderboards.services import follower as leaderboards
from social import fanning, nearing
from social import services as social
from social.facts import FriendAccepted, FriendRequested
from webhooks.services import following as webhooks

SUBSCRIPTIONS: list[Subscription] = [
    Subscription(counters.FOLLOWER, "facts", counters.KINDS, counters.apply_facts),
    Subscription(feeding.FOLLOWER, "facts", feeding.KINDS, feeding.apply_facts),
    Subscription(leaderboards.FOLLOWER, "facts", leaderboards.KINDS, leaderboards.apply_facts),
    Subscription(rolling.FOLLOWER, "facts", history.KINDS, history.apply_facts),
    Subscription(
        "social",
        "live",
        frozenset(
            {
                *nearing.KINDS,
                RanksChanged.kind,
                FriendRequested.kind,
                FriendAccepted.kind,
                ReportAnswered.kind,
            }
        ),
        social.apply_facts,
        pause_s=0.05,
    ),
    Subscription(fanning.FOLLOWER, "facts", fanning.KINDS, fanning.apply_facts),
    Subscription(counting.FOLLOWER, "bulk", counting.KINDS, counting.apply_facts, pause_s=1.0),
    Subscription(
        webhooks.FOLLOWER,
        "bulk",
        webhooks.KINDS,
        webhooks.apply_facts,
        items=200,  # for each of them a studio's fifty endpoints may get a row
        studios=webhooks.STUDIOS,
    ),
]
