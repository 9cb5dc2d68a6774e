"""Every write of what players chose to be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction

from social import preferences
from social.models import NotificationPreference
from social.preferences import Preference


@dataclass(frozen=True, slots=True)
class Change:
    """What a player says anew; what is not named stays.

    Attributes:
        inbox, push: kind to whether it goes that way.
        quiet: from which minute of his day until which, or None for never; left alone unless `sets_quiet`.

    """

    inbox: Mapping[str, bool] = field(default_factory=dict)
    push: Mapping[str, bool] = field(default_factory=dict)
    quiet: tuple[int, int] | None = None
    sets_quiet: bool = False


def choose(*, player_id: int, change: Change) -> Preference:
    """Take note of what a player chose; return all that he chose by now. Repeating it changes nothing."""
    with transaction.atomic():
        NotificationPreference.objects.bulk_create(
            [NotificationPreference(player_id=player_id)], ignore_conflicts=True
        )
        row = NotificationPreference.objects.select_for_update().get(player_id=player_id)
        row.not_told = _without(row.not_told, change.inbox)
        row.not_pushed = _without(row.not_pushed, change.push)
        if change.sets_quiet:
            row.quiet_from, row.quiet_until = change.quiet or (None, None)
        row.save()
        return preferences.preference(player_id)


def _without(kinds: list[str], said: Mapping[str, bool]) -> list[str]:
    """Return the kinds that are switched off, after some were switched anew."""
    return sorted({kind for kind in kinds if kind not in said} | {kind for kind in said if not said[kind]})
