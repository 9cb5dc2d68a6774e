"""Every write of definitions. Each raises the game's catalogue to a new version in the same transaction."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, transaction

from accounts.selectors import GameInfo
from achievements import backfilling, documents, goals, rules
from achievements.models import (
    Achievement,
    AchievementTranslation,
    Catalogue,
    FlaggedUnlock,
    RevokedUnlock,
    State,
    Unlock,
)
from achievements.selectors import definitions
from achievements.selectors.definitions import Definition
from achievements.services import versions
from achievements.services.versions import Author
from core import media, texts
from core.refusals import Conflict, Invalid, NotFound
from stats.selectors import definitions as stats
from stats.selectors.definitions import StatInfo

_BATCH = 1000


def create(*, game: GameInfo, values: Mapping[str, Any], by: Author) -> Definition:
    """Create a definition from raw values by field name (`key` and `name` at least).

    Raises:
        Invalid: values that can't be, or that contradict each other.
        Conflict: the key is taken.

    """
    key, clean = _clean_new(values)
    with transaction.atomic():
        next_version(game)
        current = definitions.uncached_catalogue(game.id)
        if key in current.by_key:
            raise Conflict(f"The game has an achievement with the key {texts.quoted(key)} already.")
        _require_references(game, key, clean, current.by_key)
        insert(game, [(key, clean)])
        follow_up(game, {}, [key], by=by)
    return _stored(game, key)


def update(
    *, game: GameInfo, key: str, values: Mapping[str, Any], by: Author, announce: bool = False
) -> Definition:
    """Change fields of a definition; what is left out stays. Unlocks keep their time and what they were worth.

    Whoever meets it by now is given it in the background, and told with `announce` only.

    Raises:
        NotFound: the game has no such achievement.
        Invalid: values that can't be, or that contradict each other or what is stored.
        Conflict: a published or archived definition can't become a draft again.

    """
    with transaction.atomic():
        next_version(game)
        current = definitions.uncached_catalogue(game.id)
        before, changes = check(game, key, values, current.by_key)
        change(before.id, changes)
        follow_up(game, current.by_key, [key], by=by, is_silent=not announce)
    return _stored(game, key)


def check(
    game: GameInfo, key: str, values: Mapping[str, Any], by_key: Mapping[str, Definition]
) -> tuple[Definition, dict[str, Any]]:
    """Return a definition and which of the clean values are others than its own. Raises as `update` does."""
    clean = cleaned(values)
    before = _existing(by_key, key)
    if clean.get("state") == State.DRAFT and before.state != State.DRAFT:
        raise Conflict(rules.NEVER_A_DRAFT_AGAIN)
    held = as_values(before)
    _require_consistent({**held, **clean, "key": key})
    _require_references(game, key, clean, by_key)
    return before, {name: value for name, value in clean.items() if held.get(name) != value}


def delete(*, game: GameInfo, key: str, by: Author) -> None:
    """Delete a draft that nobody has unlocked.

    Raises:
        NotFound: the game has no such achievement.
        Conflict: it is or was published, another one requires it, or a tester holds it.

    """
    with transaction.atomic():
        next_version(game)
        by_key = definitions.uncached_catalogue(game.id).by_key
        before = _existing(by_key, key)
        if before.state != State.DRAFT:
            raise Conflict(
                "A published achievement is not deleted: send PATCH with `state` set to `archived`."
            )
        requiring = next((one.key for one in by_key.values() if key in one.requires), None)
        if requiring is not None:
            raise Conflict(
                f"The achievement {texts.quoted(requiring)} requires this one: take it out of its list first."
            )
        # Waits for unlocks on their way and keeps new ones out: with their eyes the achievement is gone or held.
        Catalogue.objects.select_for_update().get(game_id=game.id)
        if Unlock.objects.filter(achievement_id=before.id).exists():
            raise Conflict("A tester holds this draft: archive it instead.")
        if RevokedUnlock.objects.filter(achievement_id=before.id).exists():
            raise Conflict("A tester held this draft, and that is kept: archive it instead.")
        if FlaggedUnlock.objects.filter(achievement_id=before.id).exists():
            raise Conflict("A tester's unlock of this draft was held for review: archive it instead.")
        AchievementTranslation.objects.filter(achievement_id=before.id).delete()
        Achievement.objects.filter(pk=before.id).delete()
        versions.note(game, by_key, {}, [key], by=by)


def follow_up(
    game: GameInfo,
    before: Mapping[str, Definition],
    keys: Sequence[str],
    *,
    by: Author,
    is_silent: bool = True,
) -> None:
    """Note definitions that changed, and have their players looked at, inside the caller's transaction."""
    after = definitions.uncached_catalogue(game.id).by_key
    versions.note(game, before, after, keys, by=by)
    backfilling.ask(
        game_id=game.id,
        achievement_ids=[
            after[key].id for key in keys if backfilling.may_be_met(before.get(key), after[key])
        ],
        is_silent=is_silent,
    )


as_values = documents.as_values


def _clean_new(values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    clean, errors = _clean({name: value for name, value in values.items() if name != "key"})
    key = ""
    try:
        key = texts.clean_key(values.get("key"))
    except ValueError as error:
        errors.insert(0, {"pointer": "/key", "detail": str(error)})
    if "name" not in values:
        errors.append({"pointer": "/name", "detail": "A new achievement needs a name."})
    if errors:
        raise Invalid("A value of the request can't be.", errors=errors)
    _require_consistent({**clean, "key": key})
    return key, clean


def cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by field as they are stored. Raises Invalid with what is wrong with each."""
    clean, errors = _clean(values)
    if errors:
        raise Invalid("A value of the request can't be.", errors=errors)
    return clean


def _clean(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    clean: dict[str, Any] = {}
    errors: list[dict[str, str]] = []
    for name, value in values.items():
        try:
            clean[name] = rules.CLEAN[name](value)
        except ValueError as error:
            errors.append({"pointer": f"/{name}", "detail": str(error)})
    return clean, errors


def _require_consistent(values: Mapping[str, Any]) -> None:
    found = rules.contradictions({name: value for name, value in values.items() if value is not None})
    if found:
        raise Invalid(
            "The values contradict each other.", errors=[{"pointer": "", "detail": one} for one in found]
        )


def _require_references(
    game: GameInfo, key: str, clean: Mapping[str, Any], by_key: Mapping[str, Definition]
) -> None:
    """Refuse achievements and stats that the game does not have, archived stats, and circles."""
    requires = clean.get("requires", ())
    unknown = [each for each in requires if each not in by_key and each != key]
    if unknown:
        raise Invalid.value("/requires", f"The game has no achievement {texts.quoted(unknown[0])}.")
    found = (
        goals.circle({**{one.key: one.requires for one in by_key.values()}, key: requires})
        if requires
        else []
    )
    if found:
        raise Invalid.value("/requires", circle_text(found))
    wanted = stats_named(clean)
    problem = stat_problem(wanted, stats.fresh_stats(game.id)) if wanted else None
    if problem is not None:
        field = "/goal" if clean.get("goal") is not None else "/stat"
        raise Conflict(problem) if problem.endswith(ARCHIVED) else Invalid.value(field, problem)


ARCHIVED = "is archived: it takes no reports, so nobody would get there."


def stats_named(clean: Mapping[str, Any]) -> set[str]:
    """Return the keys of the stats that a definition's clean values ask about."""
    goal, stat = clean.get("goal"), clean.get("stat")
    named = goals.stats_of(goals.read(goal)) if goal is not None else set()
    return named | ({stat} if stat is not None else set())


def stat_problem(wanted: Iterable[str], known: Mapping[str, StatInfo]) -> str | None:
    """Return why one of the stats can't drive an achievement, None if all can."""
    for key in sorted(wanted):
        if key not in known:
            return f"The game has no stat {texts.quoted(key)}: declare it first."
        if known[key].archived:
            return f"The stat {texts.quoted(key)} {ARCHIVED}"
    return None


def circle_text(keys: Sequence[str]) -> str:
    """Return what is wrong with achievements that require each other."""
    shown = " → ".join(texts.quoted(key) for key in [*keys[:5], keys[0]])
    return (
        f"The achievements require each other ({shown}), so nobody could get any of them: break the circle."
    )


def _existing(by_key: Mapping[str, Definition], key: str) -> Definition:
    if key not in by_key:
        raise NotFound("The game has no such achievement.")
    return by_key[key]


def _stored(game: GameInfo, key: str) -> Definition:
    return definitions.fresh_catalogue(game.id).by_key[key]


def set_rarity_tiers(*, game: GameInfo, tiers: Sequence[int] | None) -> None:
    """Give a game tiers of its own, clean and in per mille, or take them away; the catalogue's version stays."""
    Catalogue.objects.update_or_create(
        game_id=game.id, defaults={"rarity_tiers": None if tiers is None else list(tiers)}
    )


def next_version(game: GameInfo) -> None:
    """Raise the catalogue's version. The row's lock makes edits of one game wait for each other until commit.

    Versions come from a clock, not from counting: a rolled back edit must not give its number to the next one, since
    this process may have kept what it saw in between.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO achievements_catalogue AS c (game_id, version)"
            " VALUES (%s, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"
            " ON CONFLICT (game_id) DO UPDATE SET version = greatest(excluded.version, c.version + 1)",
            [game.id],
        )


def hold(game: GameInfo) -> None:
    """Keep others from changing the game's definitions until the caller's transaction ends; reports go on meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM achievements_catalogue WHERE game_id = %s FOR NO KEY UPDATE", [game.id])
        is_held = cursor.rowcount > 0
    if not is_held:
        next_version(game)


def insert(game: GameInfo, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Store new definitions as `(key, clean values)`, inside the caller's transaction."""
    made = Achievement.objects.bulk_create(
        [
            Achievement(studio_id=game.studio_id, game_id=game.id, key=key, **_columns(values))
            for key, values in rows
        ],
        batch_size=_BATCH,
    )
    texts = [
        _translation(row.pk, language, translated)
        for row, (_, values) in zip(made, rows, strict=True)
        for language, translated in values.get("translations", {}).items()
    ]
    AchievementTranslation.objects.bulk_create(texts, batch_size=_BATCH)


def change(pk: int, changes: Mapping[str, Any]) -> None:
    """Store clean values of a definition, inside the caller's transaction."""
    columns = _columns(changes)
    if columns:
        row = Achievement(pk=pk, **columns)
        row.save(force_update=True, update_fields=[*columns, "updated_at"])
    if "translations" in changes:
        AchievementTranslation.objects.filter(achievement_id=pk).delete()
        texts = [
            _translation(pk, language, translated) for language, translated in changes["translations"].items()
        ]
        AchievementTranslation.objects.bulk_create(texts)


def _translation(pk: int, language: str, texts: Mapping[str, str]) -> AchievementTranslation:
    return AchievementTranslation(
        achievement_id=pk,
        language=language,
        name=texts.get("name", ""),
        description=texts.get("description", ""),
    )


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is stored in the definition's own row."""
    columns = {name: value for name, value in values.items() if name != "translations"}
    if "requires" in columns:
        columns["requires"] = list(columns["requires"])
    if columns.get("group") == "":
        columns["group"] = "base"
    for name in ("icon_url", "icon_locked_url"):
        if name in columns:
            columns[name] = media.relative(columns[name])
    return columns
