"""What unlocks add up to: of players, of achievements and of games."""

from django.db import models
from django.db.models import F, Q

from accounts.models import Game
from achievements.models.definitions import Achievement


class PlayerGame(models.Model):
    """What a player's unlocks in a game add up to, kept by the statement that records them."""

    pk = models.CompositePrimaryKey("player_id", "game_id")
    player_id = models.BigIntegerField()
    game_id = models.BigIntegerField()
    studio_id = models.BigIntegerField()
    region = models.CharField(max_length=16)
    points = models.BigIntegerField()
    unlocked = models.IntegerField()
    points_reached_at = models.DateTimeField()
    first_unlock_at = models.DateTimeField()
    last_unlock_at = models.DateTimeField()
    ranked = models.BooleanField(
        default=True, db_default=True, help_text="Off while the studio excludes the player from its boards."
    )
    version = models.BigIntegerField(help_text="Rises with every change; the newest is what boards show.")

    class Meta:
        indexes = [
            models.Index(
                "game_id",
                F("points").desc(),
                "points_reached_at",
                "player_id",
                name="board_of_game",
                condition=Q(ranked=True),
            ),
            models.Index(
                "game_id",
                "region",
                F("points").desc(),
                "points_reached_at",
                "player_id",
                name="board_of_region",
                # Who has no region is on no region's board, and costs no upkeep.
                condition=Q(region__gt="", ranked=True),
            ),
            models.Index(fields=["player_id"], name="players_off_the_boards", condition=Q(ranked=False)),
        ]

    def __str__(self) -> str:
        return f"{self.player_id} in {self.game_id}: {self.points}"


class PlayerTotal(models.Model):
    """What a player's unlocks in all games add up to."""

    player_id = models.BigIntegerField(primary_key=True)
    region = models.CharField(max_length=16)
    points = models.BigIntegerField()
    unlocked = models.IntegerField()
    points_reached_at = models.DateTimeField()
    version = models.BigIntegerField()

    class Meta:
        indexes = [
            models.Index(F("points").desc(), "points_reached_at", "player_id", name="board_of_everything"),
            models.Index(
                "region",
                F("points").desc(),
                "points_reached_at",
                "player_id",
                name="board_of_all_in_region",
                condition=Q(region__gt=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.player_id}: {self.points}"


class Played(models.Model):
    """A player has unlocked, progressed, reported a stat or had a session in a game; it stays so after a revoke."""

    pk = models.CompositePrimaryKey("player_id", "game_id")
    player_id = models.BigIntegerField()
    game_id = models.BigIntegerField()
    counts = models.BooleanField(
        help_text="Off while the game's studio bans or excludes the player: then rarity passes him by."
    )

    class Meta:
        verbose_name_plural = "played"
        indexes = [
            models.Index(
                fields=["game_id", "player_id"], name="who_does_not_count", condition=Q(counts=False)
            )
        ]

    def __str__(self) -> str:
        return f"{self.player_id} has played {self.game_id}"


class AchievementCount(models.Model):
    """How many players who count have an achievement; kept by a listener and recounted every night."""

    achievement = models.OneToOneField(
        Achievement, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    unlocked = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.achievement_id}: {self.unlocked}"


class GamePlayers(models.Model):
    """How many players who count have played a game; kept as AchievementCount is."""

    game = models.OneToOneField(Game, on_delete=models.CASCADE, primary_key=True, related_name="+")
    players = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "game players"

    def __str__(self) -> str:
        return f"{self.game_id}: {self.players}"


class CountedUntil(models.Model):
    """The last fact that counters and `Played` know, in one row: so a replayed log is not counted twice."""

    id = models.BooleanField(primary_key=True, default=True)
    tx = models.BigIntegerField(default=0)
    fact_id = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=True), name="there_is_one_row")]

    def __str__(self) -> str:
        return f"{self.tx}, {self.fact_id}"
