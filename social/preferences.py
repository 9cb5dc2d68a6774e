"""What players chose to be told, and when (docs/adr/0030)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.selectors import time_zones
from core import clock
from core.db import array_literal, run_prepared
from social.inbox import Notice
from social.models import NotificationPreference
from social.rules import is_quiet


@dataclass(frozen=True, slots=True)
class Preference:
    """What one player chose; `quiet` is from which minute of his day until which, or None."""

    not_told: frozenset[str] = frozenset()
    not_pushed: frozenset[str] = frozenset()
    quiet: tuple[int, int] | None = None


EVERYTHING = Preference()


def preference(player_id: int) -> Preference:
    """Return what a player chose; EVERYTHING if he never did."""
    row = NotificationPreference.objects.filter(player_id=player_id).first()
    if row is None:
        return EVERYTHING
    return _preference(row.not_told, row.not_pushed, row.quiet_from, row.quiet_until)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the players of a batch chose, at one moment; those who chose nothing are not in it."""

    chosen: Mapping[int, Preference]
    in_quiet: frozenset[int]

    def takes(self, notice: Notice) -> bool:
        """Say whether a notice goes into its player's inbox."""
        chosen = self.chosen.get(notice.player_id)
        return chosen is None or notice.kind not in chosen.not_told

    def is_quiet(self, notice: Notice) -> bool:
        """Say whether a notice waits in the inbox and is not pushed."""
        chosen = self.chosen.get(notice.player_id)
        return chosen is not None and (notice.kind in chosen.not_pushed or notice.player_id in self.in_quiet)

    def of(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        """Return the notices that go into inboxes."""
        return [one for one in notices if self.takes(one)] if self.chosen else notices


_CHOSEN = """
SELECT player_id, not_told, not_pushed, quiet_from, quiet_until
  FROM social_notificationpreference WHERE player_id = ANY($1::bigint[])
"""


def choices(player_ids: Iterable[int], *, at: datetime) -> Choices:
    """Return what players chose, in one query; in two if one of them has quiet hours."""
    wanted = set(player_ids)
    rows = run_prepared(_CHOSEN, [array_literal(wanted)]) if wanted else []
    chosen = {player: _preference(*columns) for player, *columns in rows}
    hours = {player: one.quiet for player, one in chosen.items() if one.quiet is not None}
    zones = time_zones(hours) if hours else {}
    in_quiet = frozenset(
        player
        for player, (begins, ends) in hours.items()
        if is_quiet(at, zone=clock.zone(zones[player]), begins=begins, ends=ends)
    )
    return Choices(chosen, in_quiet)


def _preference(
    not_told: Iterable[str], not_pushed: Iterable[str], begins: int | None, ends: int | None
) -> Preference:
    quiet = None if begins is None or ends is None else (begins, ends)
    return Preference(frozenset(not_told), frozenset(not_pushed), quiet)
