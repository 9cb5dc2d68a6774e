"""What is told of a public player elsewhere: on cards, on badges and in feeds, as anybody may see him."""

from datetime import datetime

from django.conf import settings

from accounts.selectors import PlayerInfo
from achievements.selectors import unlocks
from core import artwork
from social import atom, page_cards, profiles
from social.page_cards import NOBODY
from social.page_models import UnlockRow
from social.selectors import summaries
from social.shared_models import Shared


def shared(info: PlayerInfo, *, with_rarest: bool, at: datetime) -> Shared:
    """Return what cards and badges show of a player; a hidden achievement is nobody's rarest one here."""
    sums = summaries.overall([info.id])[info.id]
    rows: tuple[UnlockRow, ...] = ()
    if with_rarest:
        rows = page_cards.rarest_rows(info.id, limit=profiles.SHOWN_RAREST, reader_id=NOBODY, before=at)
    return Shared(
        id=info.uuid,
        name=info.display_name,
        picture=artwork.own_picture(info.avatar_url, settings.PUBLIC_URL).removeprefix(artwork.MEDIA),
        region=info.region,
        points=sums.points,
        unlocked=sums.unlocked,
        games=len(unlocks.totals_of(info.id)) if with_rarest else 0,
        completion_percent=summaries.percent(sums.unlocked, sums.available),
        place=profiles.place(info.id),
        rarest=next((row for row in rows if not row.masked), None),
    )


def feed(info: PlayerInfo) -> bytes:
    """Return a player's feed, in five queries."""
    return atom.feed(info, page_cards.unlock_rows(info.id, limit=2 * atom.SHOWN, reader_id=NOBODY))
