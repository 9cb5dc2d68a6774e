"""What studios declare of their stats, and what players hold of them."""

from django.db import models
from django.db.models import F, Q

from accounts.models import Game
from core.ids import new_id
from stats.rules.values import AGGREGATIONS, LARGEST, MOST_DECIMALS

_DIGITS = len(str(LARGEST)) + MOST_DECIMALS


class Authority(models.TextChoices):
    """Who may report."""

    SERVER = "server"
    CLIENT = "client"


class Stat(models.Model):
    """What a studio declares of a stat. How values are made never changes once somebody has one."""

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    studio_id = models.BigIntegerField(editable=False)
    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=128)
    name = models.CharField(max_length=200)
    aggregation = models.CharField(
        max_length=4, choices=[(name, name) for name in AGGREGATIONS], default="sum"
    )
    min = models.DecimalField(max_digits=_DIGITS, decimal_places=MOST_DECIMALS, null=True, blank=True)
    max = models.DecimalField(max_digits=_DIGITS, decimal_places=MOST_DECIMALS, null=True, blank=True)
    max_delta = models.DecimalField(
        max_digits=_DIGITS,
        decimal_places=MOST_DECIMALS,
        null=True,
        blank=True,
        help_text="How far one report may change a value.",
    )
    increment_only = models.BooleanField(default=False)
    authority = models.CharField(max_length=8, choices=Authority.choices, default=Authority.SERVER)
    default = models.DecimalField(
        max_digits=_DIGITS,
        decimal_places=MOST_DECIMALS,
        null=True,
        blank=True,
        help_text="What a player holds before the first report.",
    )
    archived_at = models.DateTimeField(null=True, blank=True)
    version = models.BigIntegerField(default=1, help_text="Rises with every change of what is declared.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        # (game, studio) also references (id, studio) of the game: migration 0002.
        constraints = [
            models.UniqueConstraint(fields=["game", "key"], name="one_stat_per_game_and_key"),
            models.CheckConstraint(
                condition=Q(min__isnull=True) | Q(max__isnull=True) | Q(min__lte=F("max")),
                name="a_lowest_value_is_not_above_the_highest",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"


class StatValue(models.Model):
    """What a player holds of a stat."""

    pk = models.CompositePrimaryKey("player_id", "stat_id")
    player_id = models.BigIntegerField()
    # (stat, studio) reference those of the stat: migration 0002.
    stat = models.ForeignKey(Stat, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    studio_id = models.BigIntegerField()
    value = models.DecimalField(max_digits=_DIGITS, decimal_places=MOST_DECIMALS)
    reached_at = models.DateTimeField(help_text="When the game says it was reached.")
    version = models.BigIntegerField(help_text="Rises with every change.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(value__gte=-LARGEST, value__lte=LARGEST), name="a_value_is_kept_exactly"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.player_id} of {self.stat_id}: {self.value}"


class Playtime(models.Model):
    """How long somebody played a game, and the session that he was in last."""

    pk = models.CompositePrimaryKey("player_id", "game_id")
    player_id = models.BigIntegerField()
    # (game, studio) also references (id, studio) of the game: migration 0004.
    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="+", db_index=False)
    studio_id = models.BigIntegerField()
    session_id = models.UUIDField()
    first_at = models.DateTimeField(help_text="Of the first sign of life.")
    started_at = models.DateTimeField(help_text="Of the session.")
    seen_at = models.DateTimeField(help_text="Of the last sign of life.")
    has_ended = models.BooleanField()
    session_ms = models.BigIntegerField()
    total_ms = models.BigIntegerField()
    sessions = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["player_id", "-seen_at"], name="games_played_last")]

    def __str__(self) -> str:
        return f"{self.player_id} in {self.game_id}: {self.total_ms} ms"


class Report(models.Model):
    """A report that named its event: it counts once, however often it is sent."""

    pk = models.CompositePrimaryKey("game_id", "event_id")
    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="+", db_index=False)
    event_id = models.UUIDField()
    player_id = models.BigIntegerField()
    heard_at = models.DateTimeField()

    class Meta:
        # New rows take the room of deleted ones: by a block range index, every block might hold old ones for ever.
        indexes = [models.Index(fields=["heard_at"], name="reports_in_time")]

    def __str__(self) -> str:
        return f"{self.game_id}: {self.event_id}"
