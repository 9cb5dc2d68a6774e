"""Definitions: a game's catalogue, kept in the process, and how rare each achievement is."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any
from uuid import UUID

from django.db import connection

from achievements import goals, plausibility, rules
from achievements.goals import Goal
from achievements.models import Achievement, AchievementTranslation, Catalogue, Plausibility, State, Type
from achievements.plausibility import Rules
from core import deadlines, media
from core.db import array_literal, lend_back, run_prepared
from core.metrics import caches
from stats.selectors.uses import Use

_KEPT_CATALOGUES = 500


@dataclass(frozen=True, slots=True)
class Definition:
    """An achievement, as others need it."""

    id: int
    uuid: UUID
    key: str
    name: str
    description: str
    points: int
    type: str
    target: int | None
    stat: str | None
    goal: Mapping[str, Any] | None
    requires: tuple[str, ...]
    requires_count: int | None
    hidden: bool
    authority: str
    state: str
    group: str
    sort_order: int
    icon_url: str
    icon_locked_url: str
    available_from: datetime | None
    available_until: datetime | None
    translations: dict[str, tuple[str, str]]

    @property
    def is_driven(self) -> bool:
        """Whether stats unlock it, and nobody by hand."""
        return self.stat is not None or self.goal is not None

    @property
    def is_incremental(self) -> bool:
        """Whether there is a way to it, of steps or of stats."""
        return self.type == Type.INCREMENTAL

    @property
    def is_published(self) -> bool:
        """Whether it is neither a draft nor archived."""
        return self.state == State.PUBLISHED

    @property
    def is_archived(self) -> bool:
        """Whether it was taken out of its game; who unlocked it keeps it."""
        return self.state == State.ARCHIVED

    @property
    def may_be_named(self) -> bool:
        """Whether players who have not unlocked it may know of it."""
        return self.is_published and not self.hidden

    def is_open(self, at: datetime) -> bool:
        """Say whether a time lies in its window."""
        has_begun = self.available_from is None or at >= self.available_from
        return has_begun and (self.available_until is None or at < self.available_until)

    def texts(self, language: str | None) -> tuple[str, str]:
        """Return name and description in a language or the nearest that there is (`pt-BR` → `pt` → the default)."""
        found = (
            [self.translations.get(code, ("", "")) for code in rules.language_fallbacks(language)]
            if language
            else []
        )
        name = next((name for name, _ in found if name), self.name)
        return name, next((description for _, description in found if description), self.description)


@dataclass(frozen=True, slots=True)
class GameCatalogue:
    """A game's definitions at one version, in their order.

    Attributes:
        available: how many players see.
        goals: of those that stats drive, by achievement.
        by_stat: which of them a stat may unlock, by its key; archived ones are left out, as below.
        metas: which meta achievements an achievement may complete.
        plausibility: by which rules unlocks are weighed; None where the studio never set any.

    """

    game_id: int
    version: int
    by_key: dict[str, Definition]
    available: int
    goals: dict[int, Goal] = field(default_factory=dict)
    by_stat: dict[str, tuple[Definition, ...]] = field(default_factory=dict)
    metas: dict[int, tuple["Meta", ...]] = field(default_factory=dict)
    plausibility: Rules | None = None

    def pace_of(self, achievement_id: int) -> int | None:
        """Return how much progress any minute may bring, by a rule; None without one."""
        return None if self.plausibility is None else self.plausibility.a_minute_of(achievement_id)


@dataclass(frozen=True, slots=True)
class Meta:
    """A meta achievement: unlocked by whoever holds `count` of the achievements `needs`."""

    definition: Definition
    needs: tuple[int, ...]
    count: int


_looks = caches.looks("catalogues")
_kept: OrderedDict[int, GameCatalogue] = OrderedDict()
_kept_lock = Lock()
_loading = Lock()


def catalogue(game_id: int) -> GameCatalogue:
    """Return a game's definitions, maybe old ones: only for what is checked against the version at commit."""
    kept = _kept.get(game_id)
    if kept is not None:
        _looks.hits += 1
    else:
        _looks.misses += 1
        if connection.in_atomic_block:
            return fresh_catalogue(game_id)  # it keeps its connection, so it must not wait for another thread
        lend_back()
        with deadlines.holding(_loading):  # one thread loads, the others wait for it
            kept = _kept.get(game_id) or fresh_catalogue(game_id)
    return kept


# Every report of stats asks this: prepared, it costs a fifth of what the ORM takes.
_VERSION = "SELECT version FROM achievements_catalogue WHERE game_id = $1"


def fresh_catalogue(game_id: int) -> GameCatalogue:
    """Return a game's definitions as they are now; one small query when the kept ones are."""
    rows = run_prepared(_VERSION, [game_id])
    version = rows[0][0] if rows else 0
    kept = _kept.get(game_id)
    if kept is not None and kept.version == version:
        return kept
    loaded = uncached_catalogue(game_id, version=version)
    with _kept_lock:
        _kept[game_id] = loaded
        _kept.move_to_end(game_id)
        while len(_kept) > _KEPT_CATALOGUES:
            _kept.popitem(last=False)
    return loaded


def uncached_catalogue(game_id: int, *, version: int = 0) -> GameCatalogue:
    """Return a game's definitions as this transaction sees them, without keeping them: for edits."""
    texts: dict[int, dict[str, tuple[str, str]]] = {}
    rows = AchievementTranslation.objects.filter(achievement__game_id=game_id)
    for pk, language, name, description in rows.values_list(
        "achievement_id", "language", "name", "description"
    ):
        texts.setdefault(pk, {})[language] = (name, description)
    definitions = Achievement.objects.filter(game_id=game_id).order_by("sort_order", "id")
    by_key = {row.key: _definition(row, texts.get(row.pk, {})) for row in definitions}
    available = sum(1 for definition in by_key.values() if definition.state == State.PUBLISHED)
    open_ones = [one for one in by_key.values() if one.state != State.ARCHIVED]
    goal_of = {one.id: goal for one in by_key.values() if (goal := _goal(one)) is not None}
    return GameCatalogue(
        game_id,
        version,
        by_key,
        available,
        goal_of,
        _by_stat(open_ones, goal_of),
        _metas(open_ones, by_key),
        _plausibility(game_id, by_key),
    )


def _plausibility(game_id: int, by_key: Mapping[str, Definition]) -> Rules | None:
    document = Plausibility.objects.filter(game_id=game_id).values_list("document", flat=True).first()
    if document is None:
        return None
    every = by_key.values()
    return plausibility.read(
        document,
        {one.key: one.id for one in every},
        {one.key for one in every if one.is_published},
        {one.key: None if one.is_driven else one.target for one in every if one.is_incremental},
    )


def _goal(definition: Definition) -> Goal | None:
    if definition.goal is not None:
        return goals.read(definition.goal)
    if definition.stat is not None and definition.target is not None:
        return goals.short_form(definition.stat, definition.target)
    return None


def _by_stat(
    definitions: Iterable[Definition], goal_of: Mapping[int, Goal]
) -> dict[str, tuple[Definition, ...]]:
    found: dict[str, list[Definition]] = {}
    for one in definitions:
        if one.id in goal_of:
            for key in goals.stats_of(goal_of[one.id]):
                found.setdefault(key, []).append(one)
    return {key: tuple(listed) for key, listed in found.items()}


def _metas(
    definitions: Iterable[Definition], by_key: Mapping[str, Definition]
) -> dict[int, tuple[Meta, ...]]:
    found: dict[int, list[Meta]] = {}
    for one in definitions:
        if one.type == Type.META:
            needs = tuple(by_key[key].id for key in one.requires if key in by_key)
            count = one.requires_count or len(one.requires)
            for achievement_id in needs:
                found.setdefault(achievement_id, []).append(Meta(one, needs, count))
    return {achievement_id: tuple(metas) for achievement_id, metas in found.items()}


def fed_by_stats(game_id: int) -> dict[str, list[Use]]:
    """Return which achievements each of a game's stats may unlock, by its key (STAT_USES)."""
    return {
        stat: [Use("achievement", one.key, one.name) for one in listed]
        for stat, listed in fresh_catalogue(game_id).by_stat.items()
    }


def forget_catalogues() -> None:
    """Empty this process's kept catalogues (between tests)."""
    with _kept_lock:
        _kept.clear()


def _definition(row: Achievement, translations: dict[str, tuple[str, str]]) -> Definition:
    return Definition(
        id=row.pk,
        uuid=row.uuid,
        key=row.key,
        name=row.name,
        description=row.description,
        points=row.points,
        type=row.type,
        target=row.target,
        stat=row.stat,
        goal=row.goal,
        requires=tuple(row.requires),
        requires_count=row.requires_count,
        hidden=row.hidden,
        authority=row.authority,
        state=row.state,
        group=row.group,
        sort_order=row.sort_order,
        icon_url=media.absolute(row.icon_url),
        icon_locked_url=media.absolute(row.icon_locked_url),
        available_from=row.available_from,
        available_until=row.available_until,
        translations=translations,
    )


def definitions_by_id(ids: Iterable[int], *, translated: bool = True) -> dict[int, Definition]:
    """Return definitions of any games by internal id, in two queries; in one without their translations."""
    wanted = set(ids)
    texts: dict[int, dict[str, tuple[str, str]]] = {}
    for row in AchievementTranslation.objects.filter(achievement_id__in=wanted) if translated else ():
        texts.setdefault(row.achievement_id, {})[row.language] = (row.name, row.description)
    return {
        row.pk: _definition(row, texts.get(row.pk, {})) for row in Achievement.objects.filter(pk__in=wanted)
    }


def names_in(language: str, keys: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], tuple[str, str]]:
    """Return achievements' names in a language or the nearest that there is, by game and key, in one query.

    Each with the language that it is in; those that are not translated are left out.
    """
    codes = rules.language_fallbacks(language)
    rows = AchievementTranslation.objects.filter(
        language__in=codes,
        achievement__game__uuid__in={game for game, _ in keys},
        achievement__key__in={key for _, key in keys},
    ).exclude(name="")
    found: dict[tuple[UUID, str], dict[str, str]] = {}
    for game, key, code, name in rows.values_list(
        "achievement__game__uuid", "achievement__key", "language", "name"
    ):
        found.setdefault((game, key), {})[code] = name
    return {
        place: next((names[code], code) for code in codes if code in names) for place, names in found.items()
    }


def available_by_game(game_ids: Iterable[int]) -> dict[int, int]:
    """Return how many achievements players see in each game, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT game_id, count(*) FROM achievements_achievement WHERE game_id = ANY(%s) AND state = 'published'"
            " GROUP BY game_id",
            [list(game_ids)],
        )
        return dict(cursor.fetchall())


_COUNTS = """
    SELECT w.game_id,
           (SELECT count(*) FROM achievements_achievement a WHERE a.game_id = w.game_id AND a.state = 'published'),
           (SELECT count(*) FROM achievements_achievement a WHERE a.game_id = w.game_id AND a.state = 'draft'),
           coalesce((SELECT g.players FROM achievements_gameplayers g WHERE g.game_id = w.game_id), 0),
           (SELECT coalesce(sum(c.unlocked), 0)::bigint FROM achievements_achievement a
              JOIN achievements_achievementcount c ON c.achievement_id = a.id WHERE a.game_id = w.game_id)
      FROM unnest($1::bigint[]) AS w (game_id)
"""


def counts_by_game(game_ids: Iterable[int]) -> dict[int, tuple[int, int, int, int]]:
    """Return of each game: published achievements, drafts, players who count, and their unlocks."""
    rows = run_prepared(_COUNTS, [array_literal(game_ids)])
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


def rarities(achievement_ids: Iterable[int]) -> dict[int, rules.Rarity]:
    """Return how rare achievements are, from the kept counters: who holds it of who has played, by the game's tiers."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.id, coalesce(c.unlocked, 0), coalesce(g.players, 0), k.rarity_tiers
              FROM achievements_achievement a
              LEFT JOIN achievements_achievementcount c ON c.achievement_id = a.id
              LEFT JOIN achievements_gameplayers g ON g.game_id = a.game_id
              LEFT JOIN achievements_catalogue k ON k.game_id = a.game_id
             WHERE a.id = ANY(%s)
            """,
            [list(achievement_ids)],
        )
        return {
            pk: rules.rarity(unlocked, players, rules.DEFAULT_TIERS if tiers is None else tiers)
            for pk, unlocked, players, tiers in cursor.fetchall()
        }


def rarity_tiers(game_id: int) -> tuple[int, ...] | None:
    """Return a game's own tiers in per mille, rarest first; None while it has the platform's."""
    row = Catalogue.objects.filter(game_id=game_id).values_list("rarity_tiers", flat=True).first()
    return None if row is None else tuple(row)
