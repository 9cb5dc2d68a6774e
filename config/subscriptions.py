"""The only place where a fact meets its listeners."""

from core.facts import Subscription

SUBSCRIPTIONS: list[Subscription] = []
