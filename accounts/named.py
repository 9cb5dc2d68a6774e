"""What lists call who did something and what it was done to: names for the ids of a page, in one query a kind."""

from collections.abc import Iterable
from uuid import UUID

from accounts.models import Game, PlayerIdentity, ServerKey
from core.ids import parse_id


def actors(studio_id: int, names: Iterable[str]) -> dict[str, str]:
    """Return what people call those whom the audit log names; who has no name here is left out."""
    parted = {name: name.partition(":")[::2] for name in names}
    keys = _keys(studio_id, [rest for kind, rest in parted.values() if kind == "key"])
    players = _players(studio_id, [rest for kind, rest in parted.values() if kind == "player"])
    found = {}
    for name, (kind, rest) in parted.items():
        shown = rest if kind == "user" else {"key": keys, "player": players}.get(kind, {}).get(rest)
        if shown:
            found[name] = shown
    return found


def things(studio_id: int, about: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return what `(kind, id)` is called; what has no name here is left out."""
    asked = {"player": _players, "game": _games, "key": _keys}
    pairs = set(about)
    return {
        (kind, pk): name
        for kind, ask in asked.items()
        for pk, name in ask(studio_id, [pk for of, pk in pairs if of == kind]).items()
    }


def _uuids(texts: Iterable[str]) -> list[UUID]:
    return [uuid for uuid in map(parse_id, texts) if uuid is not None]


def _keys(studio_id: int, texts: list[str]) -> dict[str, str]:
    if not (uuids := _uuids(texts)):
        return {}
    rows = ServerKey.objects.filter(studio_id=studio_id, uuid__in=uuids)
    return {str(row.uuid): str(row) for row in rows}


def _players(studio_id: int, texts: list[str]) -> dict[str, str]:
    """Return players as the studio names them, with their own name; of several ids the first that the studio gave."""
    if not (uuids := _uuids(texts)):
        return {}
    rows = PlayerIdentity.objects.filter(studio_id=studio_id, player__uuid__in=uuids).order_by("-id")
    return {
        str(uuid): f"{name} ({external_id})" if name else external_id
        for uuid, name, external_id in rows.values_list("player__uuid", "player__display_name", "external_id")
    }


def _games(studio_id: int, texts: list[str]) -> dict[str, str]:
    if not (uuids := _uuids(texts)):
        return {}
    rows = Game.objects.filter(studio_id=studio_id, uuid__in=uuids)
    return {str(uuid): title for uuid, title in rows.values_list("uuid", "title")}
