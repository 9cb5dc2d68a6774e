"""A public player's unlocks as a feed (Atom, RFC 4287), for readers and for other sites.

What is hidden is left out: a reader keeps what it has read, so that it would name an achievement for ever, or never.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape

from accounts.selectors import PlayerInfo
from core import lettering
from core.clock import from_microseconds
from core.spoken import NAMELESS
from social.page_models import UnlockRow

SHOWN: Final = 30
_NAMED_SINCE: Final = 2026  # a year in which the instance's name was its own (RFC 4151)


class _Feed(Atom1Feed):
    """A feed that says of an empty one when its player came, rather than the moment it was asked for."""

    def latest_post_date(self) -> datetime:
        """Return when the newest entry was changed."""
        newest: datetime = self.feed["newest"]
        return newest


def feed(info: PlayerInfo, rows: Sequence[UnlockRow]) -> bytes:
    """Return a player's unlocks, newest first, as Atom; the same ones make the same bytes."""
    name = lettering.clean(info.display_name) or NAMELESS
    page = _address("player", info.uuid)
    listed = [row for row in rows if not row.masked][:SHOWN]
    made = _Feed(
        title=f"{name}: achievements",
        link=page,
        description="",
        subtitle="Unlocked achievements, newest first. Hidden ones are left out.",
        language="en",
        author_name=name,
        author_link=page,
        feed_url=_address("player-feed", info.uuid),
        feed_guid=f"urn:uuid:{info.uuid}",
        newest=max((row.unlocked_at for row in listed), default=_came_at(info.uuid)),
    )
    for row in listed:
        made.add_item(
            title=f"{lettering.clean(row.name) or 'An achievement'} in {lettering.clean(row.game_title)}",
            link=f"{settings.PUBLIC_URL}{row.url}"
            if row.url
            else _address("player-game", info.uuid, row.game_id),
            description=escape(_summary(row)),
            unique_id=_tag(info.uuid, row),
            pubdate=row.unlocked_at,
            updateddate=row.unlocked_at,
        )
    text: str = made.writeString("utf-8")
    return text.encode()


def _summary(row: UnlockRow) -> str:
    points = f"{row.points:,} point{'' if row.points == 1 else 's'}"
    if row.rarity.tier is None:
        return f"{points}."
    share = f"{row.rarity.unlocked_percent or 0:.1f}".removesuffix(".0")
    return f"{points}. {row.rarity.tier.capitalize()}: {share}% of {row.rarity.players:,} players have it."


def _tag(player_id: UUID, row: UnlockRow) -> str:
    """Return an entry's id (RFC 4151): of a player, a game and a key, whatever they are called today."""
    host = urlsplit(settings.PUBLIC_URL).hostname
    key = row.key.encode().hex()
    return f"tag:{host},{_NAMED_SINCE}:players/{player_id}/games/{row.game_id}/achievements/{key}"


def _came_at(player_id: UUID) -> datetime:
    """Return the moment that an id tells (RFC 9562, version 7), the beginning of time for any other."""
    if player_id.version == 7:
        return from_microseconds((player_id.int >> 80) * 1000)
    return datetime.fromtimestamp(0, tz=UTC)


def _address(name: str, *arguments: UUID) -> str:
    return f"{settings.PUBLIC_URL}{reverse(name, args=arguments)}"
