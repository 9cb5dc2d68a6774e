"""What is counted of games (docs/adr/0044-analytics.md). Days are those of UTC; ids are the rooms' own upstream."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class ActiveDay(models.Model):
    """A player did something in a game on a day, or was given something: what everything else here is counted from.

    The region is the player's as it was when the day was first heard of.
    """

    pk = models.CompositePrimaryKey("game_id", "player_id", "day")
    game_id = models.BigIntegerField()
    player_id = models.BigIntegerField()
    day = models.DateField()
    region = models.CharField(max_length=16)
    first_at = models.DateTimeField(
        null=True, help_text="The earliest of what he did; null: he was not there, and was given an unlock."
    )
    came_by = models.BigIntegerField(
        default=0, db_default=0, help_text="Which call of the statement knew him first."
    )
    unlocks = models.IntegerField(help_text="Of this day's unlocks, those that were not taken back.")
    points = models.BigIntegerField()
    playtime_ms = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.player_id} in {self.game_id} on {self.day}"


class GameHour(models.Model):
    """What was unlocked in a game within an hour; kept for some weeks."""

    pk = models.CompositePrimaryKey("game_id", "at")
    game_id = models.BigIntegerField()
    at = models.DateTimeField()
    unlocks = models.IntegerField()
    points = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.game_id} at {self.at}"


class _Rollup(models.Model):
    game_id = models.BigIntegerField()
    at = models.DateField()
    active = models.IntegerField(help_text="Players, each once.")
    new = models.IntegerField(help_text="Of these, who were never there before.")
    unlocks = models.IntegerField()
    points = models.BigIntegerField()
    playtime_ms = models.BigIntegerField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.game_id} at {self.at}"


class GameDay(_Rollup):
    """A day of a game in one region."""

    pk = models.CompositePrimaryKey("game_id", "at", "region")
    region = models.CharField(max_length=16)


class GameWeek(_Rollup):
    """A week of a game, by its Monday."""

    pk = models.CompositePrimaryKey("game_id", "at")


class GameMonth(_Rollup):
    """A month of a game, by its first day."""

    pk = models.CompositePrimaryKey("game_id", "at")


class Reach(models.Model):
    """By how much the players of the last 7 and of the last 30 days become more or fewer on a day.

    Added up from the first day on they are the weekly and the monthly active players of every day, exactly.
    """

    pk = models.CompositePrimaryKey("game_id", "day")
    game_id = models.BigIntegerField()
    day = models.DateField()
    weekly = models.IntegerField()
    monthly = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.game_id} on {self.day}"


class Retention(models.Model):
    """How many of those who came first on a day were there that many days later."""

    pk = models.CompositePrimaryKey("game_id", "cohort", "age")
    game_id = models.BigIntegerField()
    cohort = models.DateField()
    age = models.SmallIntegerField()
    players = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.game_id}: {self.players} of {self.cohort} after {self.age} days"


class AchievementDay(models.Model):
    """How often an achievement was unlocked on a day, of what was not taken back."""

    pk = models.CompositePrimaryKey("game_id", "achievement_id", "day")
    game_id = models.BigIntegerField()
    achievement_id = models.BigIntegerField()
    day = models.DateField()
    unlocks = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.achievement_id} on {self.day}"


class BoardDay(models.Model):
    """How many scores of a board's main span changed on a day."""

    pk = models.CompositePrimaryKey("game_id", "board_id", "day")
    game_id = models.BigIntegerField()
    board_id = models.BigIntegerField()
    day = models.DateField()
    scores = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.board_id} on {self.day}"


class Distributions(models.Model):
    """What is taken of a whole game now and then: times to unlock, playtime, values; and when that is due again."""

    game_id = models.BigIntegerField(primary_key=True)
    changed_at = models.DateTimeField(help_text="When the listener last counted something of the game.")
    figures = models.JSONField(null=True, help_text="analytics/distributions.py; null: never taken.")
    as_of = models.DateTimeField(null=True)
    took_ms = models.BigIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True, help_text="Somebody takes them until then.")

    class Meta:
        verbose_name_plural = "distributions"

    def __str__(self) -> str:
        return f"{self.game_id} as of {self.as_of}"


class Heard(models.Model):
    """The last fact that is counted, in one row: so a replayed log is not counted twice."""

    id = models.BooleanField(primary_key=True, default=True)
    tx = models.BigIntegerField(default=0)
    fact_id = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "heard"
        constraints = [models.CheckConstraint(condition=Q(id=True), name="analytics_hears_in_one_row")]

    def __str__(self) -> str:
        return f"{self.tx}, {self.fact_id}"


class Usage(models.Model):
    """How much of something a studio's games did on a day (UTC), or in a month for `players_month`."""

    class Kind(models.TextChoices):
        """What is counted."""

        UNLOCKS = "unlocks"
        VALUES = "values"
        SCORES = "scores"
        PLAYERS = "players"
        PLAYERS_MONTH = "players_month"
        NEW_PLAYERS = "new_players"

    pk = models.CompositePrimaryKey("studio_id", "day", "kind")
    studio_id = models.BigIntegerField()
    day = models.DateField()
    kind = models.CharField(max_length=16, choices=Kind.choices)
    count = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.studio_id} on {self.day}: {self.count} {self.kind}"


class ActivePlayer(models.Model):
    """A player who was active in a studio's games on a day, or in the month that begins on it; so each counts once."""

    pk = models.CompositePrimaryKey("studio_id", "begin", "is_month", "player_id")
    studio_id = models.BigIntegerField()
    begin = models.DateField()
    is_month = models.BooleanField()
    player_id = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["begin"], name="active_players_by_age")]

    def __str__(self) -> str:
        return f"{self.player_id} of {self.studio_id} from {self.begin}"


class ChosenFunnel(models.Model):
    """Which achievements a game's funnel shows unless a page is asked for others."""

    game_id = models.BigIntegerField(primary_key=True)
    achievement_ids = ArrayField(models.BigIntegerField())

    def __str__(self) -> str:
        return f"{self.game_id}: {self.achievement_ids}"
