"""Boards that studios declare, their periods, and the scores in them. Points boards are kept by achievements."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import Game
from core.ids import new_id
from leaderboards.rules.ranks import TIE_BREAKS
from leaderboards.rules.scores import LARGEST, MOST_DECIMALS, OPERATORS, SORTS


def _choices(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


class Authority(models.TextChoices):
    """Who may submit."""

    SERVER = "server"
    CLIENT = "client"


class Format(models.TextChoices):
    """How a score is meant to be shown; it is kept and sent as a number all the same."""

    NUMBER = "number"
    TIME_MS = "time_ms"
    TIME_S = "time_s"
    CURRENCY = "currency"
    PERCENT = "percent"


class ResetEvery(models.TextChoices):
    """When the board's main span begins anew."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    CRON = "cron"


class Leaderboard(models.Model):
    """What a studio declares of a board. How scores are weighed and ranked never changes once there are scores.

    Scores, bounds and the unit are whole numbers of the smallest step (leaderboards/rules/scores.py).
    """

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    studio_id = models.BigIntegerField(editable=False)
    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=128)
    name = models.CharField(max_length=200)
    sort = models.CharField(max_length=4, choices=_choices(SORTS), default="desc")
    operator = models.CharField(max_length=4, choices=_choices(OPERATORS), default="best")
    tie_break = models.CharField(max_length=8, choices=_choices(TIE_BREAKS), default="shared")
    decimals = models.SmallIntegerField(default=0)
    format = models.CharField(max_length=8, choices=Format.choices, default=Format.NUMBER)
    authority = models.CharField(max_length=8, choices=Authority.choices, default=Authority.SERVER)
    stat = models.CharField(max_length=128, null=True, blank=True)  # noqa: DJ001 - null: fed by submissions
    reset = models.CharField(max_length=8, choices=ResetEvery.choices, default=ResetEvery.NEVER)
    cron = models.CharField(max_length=100, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    spans = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    attempts_limit = models.IntegerField(null=True, blank=True, help_text="Submissions a player and period.")
    min_units = models.BigIntegerField(null=True, blank=True)
    max_units = models.BigIntegerField(null=True, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    flag_units = models.BigIntegerField(
        null=True, blank=True, help_text="A better score than this is looked at before it counts."
    )
    flag_z = models.FloatField(
        null=True, blank=True, help_text="So is one that is so many standard deviations better than the mean."
    )
    metadata = models.JSONField(default=dict, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    epoch = models.IntegerField(default=1, help_text="Rises when the board is reset by hand.")
    version = models.BigIntegerField(default=1, help_text="Rises with every change of what is declared.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        # (game, studio) also references (id, studio) of the game: migration 0002.
        constraints = [
            models.UniqueConstraint(fields=["game", "key"], name="one_leaderboard_per_game_and_key"),
            models.CheckConstraint(
                condition=Q(decimals__gte=0, decimals__lte=MOST_DECIMALS), name="decimals_are_0_to_6"
            ),
            models.CheckConstraint(
                condition=Q(min_units__isnull=True)
                | Q(max_units__isnull=True)
                | Q(min_units__lte=F("max_units")),
                name="a_lowest_score_is_not_above_the_highest",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="a_leaderboard_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"


class PeriodState(models.TextChoices):
    """Open, then finalising (late scores still count), then final; or discarded by a reset of the board."""

    OPEN = "open"
    FINALISING = "finalising"
    FINAL = "final"
    DISCARDED = "discarded"


class Period(models.Model):
    """A piece of time in which a board counts by itself. A reset begins a new row and deletes nothing."""

    leaderboard = models.ForeignKey(Leaderboard, on_delete=models.CASCADE, related_name="periods")
    studio_id = models.BigIntegerField(editable=False)
    span = models.CharField(max_length=5)
    name = models.CharField(max_length=20, help_text="The period's id in the API, such as 2026-W48.")
    epoch = models.IntegerField(default=1)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=PeriodState.choices, default=PeriodState.OPEN)
    finalised_at = models.DateTimeField(null=True)
    players = models.BigIntegerField(null=True, help_text="How many stand in the final standings.")
    standings_hash = models.BinaryField(null=True, help_text="SHA-256 over the final standings' CSV.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["leaderboard", "name", "epoch"], name="one_period_per_leaderboard_and_name"
            ),
        ]
        # Few of ever more: what the jobs look for that turn periods and keep boards whole.
        indexes = [
            models.Index(
                fields=["id"], name="periods_that_may_change", condition=Q(state__in=["open", "finalising"])
            ),
            models.Index(
                fields=["id"],
                name="final_periods_to_hash",
                condition=Q(state="final", standings_hash__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.leaderboard_id}: {self.name}"


class Score(models.Model):
    """What a player holds in a period; smaller sort values are better (leaderboards/rules/scores.py).

    A hidden one is on no board, an excluded one belongs to a player whom the studio took off all of its boards.
    """

    pk = models.CompositePrimaryKey("player_id", "period_id")
    player_id = models.BigIntegerField()
    # (period, studio) reference those of the period: migration 0002.
    period = models.ForeignKey(
        Period, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    studio_id = models.BigIntegerField()
    region = models.CharField(max_length=16)
    sort_value = models.BigIntegerField()
    reached_at = models.DateTimeField()
    attempts = models.IntegerField()
    metadata = models.TextField(null=True, help_text="JSON as it was sent, which is only read.")  # noqa: DJ001
    event_id = models.UUIDField(help_text="The submission that reached it.")
    hidden_at = models.DateTimeField(null=True)
    excluded_at = models.DateTimeField(null=True)
    version = models.BigIntegerField(help_text="Rises with every change; the newest is what boards show.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(sort_value__gte=-LARGEST, sort_value__lte=LARGEST), name="a_score_is_kept_exactly"
            ),
        ]
        indexes = [
            models.Index(
                fields=["period", "sort_value", "reached_at", "player_id"],
                name="board_of_period",
                condition=Q(hidden_at__isnull=True, excluded_at__isnull=True),
            ),
            models.Index(
                fields=["period", "region", "sort_value", "reached_at", "player_id"],
                name="board_of_period_in_region",
                condition=Q(region__gt="", hidden_at__isnull=True, excluded_at__isnull=True),
            ),
            # Says at once that nobody sent any, which is so on most boards: their pages need not look it up.
            models.Index(fields=["period"], name="scores_with_metadata", condition=Q(metadata__isnull=False)),
            # Few of very many: whom a studio took off, for those who look after its boards.
            models.Index(
                fields=["period", "player_id"],
                name="scores_taken_off",
                condition=Q(hidden_at__isnull=False) | Q(excluded_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.player_id} in {self.period_id}: {self.sort_value}"


class BoardSketch(models.Model):
    """A very large board in steps (leaderboards/rules/estimates.py); made anew as it changes."""

    name = models.CharField(max_length=64, primary_key=True, help_text="What keys call the board.")
    made_at = models.DateTimeField()
    changes = models.BigIntegerField(default=0, help_text="Players who moved since.")
    players = models.BigIntegerField()
    step = models.BigIntegerField()
    sort_values = ArrayField(models.BigIntegerField())
    reached_us = ArrayField(models.BigIntegerField())
    player_ids = ArrayField(models.BigIntegerField())
    scores_before = ArrayField(models.BigIntegerField())
    scores = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.name}: {self.players}"


class Mending(models.Model):
    """A board that was found to hold otherwise than PostgreSQL, and was mended. There should be none."""

    at = models.DateTimeField()
    board = models.CharField(max_length=64)
    players = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.board}: {self.players}"


class Snapshot(models.Model):
    """A look at a board's first places, one for a board and span of time (`window`)."""

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    board = models.CharField(max_length=64, help_text="What keys call the board.")
    window = models.BigIntegerField()
    taken_at = models.DateTimeField()
    players = models.BigIntegerField()
    period = models.CharField(max_length=20)
    top = models.TextField(help_text="JSON: [player, rank, sort value, reached µs] each.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["board", "window"], name="one_snapshot_per_board_and_window")
        ]
        indexes = [
            models.Index(fields=["board", "taken_at"], name="snapshots_of_board"),
            models.Index(fields=["taken_at"], name="snapshots_in_time"),
        ]

    def __str__(self) -> str:
        return f"{self.board} at {self.taken_at}"


class RankSample(models.Model):
    """Where a player whom somebody asked for stood when a snapshot was taken."""

    pk = models.CompositePrimaryKey("board", "player_id", "taken_at")
    board = models.CharField(max_length=64)
    player_id = models.BigIntegerField()
    taken_at = models.DateTimeField()
    rank = models.BigIntegerField()
    sort_value = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["taken_at"], name="rank_samples_in_time")]

    def __str__(self) -> str:
        return f"{self.player_id} on {self.board}: {self.rank}"


class Submission(models.Model):
    """A submission that named its event: it counts once, however often it is sent."""

    pk = models.CompositePrimaryKey("leaderboard_id", "event_id")
    leaderboard = models.ForeignKey(Leaderboard, on_delete=models.CASCADE, related_name="+", db_index=False)
    event_id = models.UUIDField()
    player_id = models.BigIntegerField()
    heard_at = models.DateTimeField()

    class Meta:
        # New rows take the room of deleted ones: by a block range index, every block might hold old ones for ever.
        indexes = [models.Index(fields=["heard_at"], name="submissions_in_time")]

    def __str__(self) -> str:
        return f"{self.leaderboard_id}: {self.event_id}"


class FlaggedScore(models.Model):
    """A submission that broke its board's rule: answered like any other, and kept apart (ADR 0040).

    One waits for each player and main period: a better one takes its place, or is added, as the board weighs scores.
    """

    class State(models.TextChoices):
        """What was decided."""

        OPEN = "open"
        APPROVED = "approved"
        REJECTED = "rejected"

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    player_id = models.BigIntegerField()
    # (board, studio) reference those of the board: migration 0011.
    leaderboard = models.ForeignKey(
        Leaderboard, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    game_id = models.BigIntegerField()
    studio_id = models.BigIntegerField()
    period = models.CharField(max_length=20, help_text="Of the board's main span, by its name.")
    sort_value = models.BigIntegerField()
    metadata = models.TextField(null=True)  # noqa: DJ001
    reached_at = models.DateTimeField()
    heard_at = models.DateTimeField()
    event_id = models.UUIDField()
    submissions = models.IntegerField(default=1)
    rules = ArrayField(models.CharField(max_length=16))
    evidence = models.JSONField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    actor = models.CharField(max_length=254, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["player_id", "leaderboard", "period"],
                condition=Q(state="open"),
                name="one_open_flag_per_player_and_period",
            )
        ]
        indexes = [
            models.Index(fields=["studio_id", "state", "-heard_at", "-id"], name="flagged_scores_of_studio"),
            models.Index(fields=["game_id", "state", "-heard_at", "-id"], name="flagged_scores_of_game"),
            models.Index(fields=["player_id"], name="flagged_scores_of_player"),
        ]

    def __str__(self) -> str:
        return f"{self.player_id} claims {self.sort_value} in {self.leaderboard_id}"
