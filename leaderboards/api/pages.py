"""How boards are shown: rows, pages and ranks from what selectors answer, as finished bytes."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson
from rest_framework.request import Request

from accounts import people, shown
from accounts.authentication import TokenHolder
from accounts.selectors import KeyHolder
from core import clock
from core.clock import rfc3339, rfc3339_us
from core.endpoint import etag_of, page
from core.memo import Finished
from core.pagination import encode_cursor
from core.rendering import dumps
from leaderboards.api.asked import Asked
from leaderboards.listing import Behind, FromOffset, Listing, Rank, Row, Where, position
from leaderboards.selectors import history, submitted

# A shared cache may carry the crowd, and go on with the old page while it fetches the new one.
PUBLIC = "public, s-maxage=30, stale-while-revalidate=60"
# A studio's server reads what it wrote as soon as the listener has applied it; one player's rank is nobody else's.
PRIVATE = "private, max-age=0"
_NOTHING: Mapping[int, str] = {}


class Own(NamedTuple):
    """A caller whom others don't see: his rank and row as if they did, how many there would be, how many before him."""

    rank: int
    row: Row
    total_count: int
    tied: bool
    place: int

    def start(self, where: Where) -> Where:
        """Return where a page begins on the board that others see, which is one shorter behind him."""
        is_before = isinstance(where, FromOffset) and self.place < where.offset
        return FromOffset(where.offset - 1) if isinstance(where, FromOffset) and is_before else where

    def comes_after(self, where: Where) -> bool:
        """Say whether he stands where a page begins, or behind."""
        if isinstance(where, FromOffset):
            return self.place >= where.offset
        return not isinstance(where, Behind) or position(self.row) > position(where.row)


def page_data(
    request: Request, asked: Asked, listing: Listing, *, centre: int | None = None
) -> dict[str, Any]:
    """Return a page in the API's shape, but for the time at which it is read.

    With `centre` that player's row is there once more, as `me`; None where he is not on the page.
    """
    ranked = list(zip(listing.ranks, listing.rows, strict=True))
    data = _page_data(request, asked, listing, ranked, total_count=listing.total, goes_on=listing.goes_on)
    return data if centre is None else data | {"me": _row_of(centre, ranked, data)}


def own_page_data(
    request: Request,
    asked: Asked,
    listing: Listing,
    own: Own,
    where: Where,
    *,
    limit: int,
    centre: int | None = None,
) -> dict[str, Any]:
    """Return a page as `page_data`, with the caller himself among the rows where nobody else sees him.

    `listing` is what others see from `own.start(where)` on.
    """
    ranked, goes_on = with_own(listing, own, where, limit=limit)
    data = _page_data(request, asked, listing, ranked, total_count=own.total_count, goes_on=goes_on)
    return data if centre is None else data | {"me": _row_of(centre, ranked, data)}


def with_own(listing: Listing, own: Own, where: Where, *, limit: int) -> tuple[list[tuple[int, Row]], bool]:
    """Return the rows of `own_page_data` with their ranks, and whether the board goes on behind them."""
    ranked = list(zip(listing.ranks, listing.rows, strict=True))
    place = sum(position(row) < position(own.row) for _, row in ranked)
    is_here = own.comes_after(where) and (place < len(ranked) or not listing.goes_on)
    behind = [(rank + _shift(own, row, listing), row) for rank, row in ranked[place:]]
    ranked = [*ranked[:place], *([(own.rank, own.row)] if is_here else []), *behind]
    return ranked[:limit], listing.goes_on or len(ranked) > limit


def _row_of(player_id: int, ranked: list[tuple[int, Row]], data: dict[str, Any]) -> dict[str, Any] | None:
    listed = zip(ranked, data["results"], strict=True)
    return next((shown for (_, row), shown in listed if row.player_id == player_id), None)


def _page_data(
    request: Request,
    asked: Asked,
    listing: Listing,
    ranked: list[tuple[int, Row]],
    *,
    total_count: int,
    goes_on: bool,
) -> dict[str, Any]:
    return page(
        rows(request, asked, ranked),
        next_cursor=encode_cursor(asked.list_name, list(ranked[-1][1])) if goes_on else None,
        board=asked.key,
        period=asked.period_json,
        total_count=total_count,
        exact=listing.exact,
    )


def _shift(own: Own, row: Row, listing: Listing) -> int:
    if listing.tie_break == "earliest":
        return 1
    is_worse = row.sort_value > own.row.sort_value
    return int(is_worse and not (listing.tie_break == "dense" and own.tied))


def rows(request: Request, asked: Asked, ranked: Iterable[tuple[int, Row]]) -> list[dict[str, Any]]:
    """Return rows with their players; a server key sees its own studio's ids."""
    listed = list(ranked)
    studio_id = request.auth.studio_id if isinstance(request.auth, KeyHolder) else None
    ids = [row.player_id for _, row in listed]
    by_friends = "friends_of" in request.GET and studio_id is None
    players = shown.as_json(ids, studio_id=studio_id, by_friends=by_friends)
    if isinstance(request.auth, TokenHolder):  # whoever may see him, he sees himself
        own = request.auth.player
        players[own.id] = dumps(people.shown(own, to_studio=False))
    texts, deltas, score = _metadata(asked, ids), _deltas(asked, listed), asked.score
    return [
        {
            "rank": rank,
            "player": orjson.Fragment(players[player_id]),
            "score": score(sort_value),
            "submitted_at": rfc3339_us(reached_us),
            "metadata": orjson.Fragment(texts[player_id]) if player_id in texts else None,
            "rank_delta": deltas.get(player_id),
        }
        for rank, (player_id, sort_value, reached_us) in listed
    ]


def rank_data(asked: Asked, rank: Rank) -> dict[str, Any]:
    """Return where a player stands in the API's shape."""
    return {
        "rank": rank.rank,
        "score": asked.score(rank.sort_value),
        "percentile": rank.percentile,
        "exact": rank.exact,
        "total_count": rank.total_count,
    }


def finished(data: dict[str, Any]) -> Finished:
    """Return an answer's bytes. Its tag is weak: it says that the rows are the same, whatever the time in `as_of`."""
    body = dumps(data)
    as_of = rfc3339(clock.now())
    return Finished(b'%s,"as_of":"%s"}' % (body[:-1], as_of.encode()), f"W/{etag_of(body)}")


def _deltas(asked: Asked, listed: list[tuple[int, Row]]) -> Mapping[int, int]:
    if asked.order is None or asked.order.region is not None:
        return {}
    return history.rank_deltas(asked.order, {row.player_id: rank for rank, row in listed}, at=clock.now())


def _metadata(asked: Asked, player_ids: list[int]) -> Mapping[int, str]:
    """Return what was sent beside scores, as JSON text by player."""
    if asked.order is None or asked.order.period_id is None:
        return _NOTHING
    return submitted.metadata(asked.order.period_id, player_ids)
