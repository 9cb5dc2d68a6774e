"""Players, and the ids by which studios name them."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Lower

from accounts.models.studios import Game, Studio
from accounts.models.users import User
from core.ids import new_id


class Visibility(models.TextChoices):
    """Who sees a player's page."""

    PUBLIC = "public"
    FRIENDS = "friends"
    PRIVATE = "private"


def _part(said: str) -> "models.CharField[str, str]":
    """Return a field that says who sees a part of a profile."""
    return models.CharField(
        max_length=8,
        choices=Visibility.choices,
        default=Visibility.PUBLIC,
        db_default=Visibility.PUBLIC,
        help_text=said,
    )


class Player(models.Model):
    """A person who plays; several studios' ids may name one."""

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    display_name = models.CharField(max_length=128, blank=True)
    region = models.CharField(max_length=16, blank=True)
    avatar_url = models.CharField(max_length=2000, blank=True)
    visibility = models.CharField(max_length=8, choices=Visibility.choices, default=Visibility.PUBLIC)
    games_visibility = _part("Who sees his games and achievements; never more people than see the profile.")
    feed_visibility = _part("Who is told what he unlocks.")
    presence_visibility = _part("Who sees whether he is there, and what he plays.")
    language = models.CharField(
        max_length=35,
        blank=True,
        default="",
        db_default="",
        help_text="BCP 47: in which language he reads games' texts; empty: as each game's first one.",
    )
    time_zone = models.CharField(
        max_length=64, default="UTC", db_default="UTC", help_text="IANA name: what a day is for the player."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        indexes = [
            # Parts of names have one of their own where the database has pg_trgm: migration 0031.
            models.Index(
                OpClass(Lower("display_name"), name="text_pattern_ops"),
                name="players_by_beginning_of_name",
                condition=~models.Q(display_name=""),
            )
        ]

    def __str__(self) -> str:
        return self.display_name or str(self.uuid)


class PlayerIdentity(models.Model):
    """A studio's own id for a player."""

    studio = models.ForeignKey(Studio, on_delete=models.PROTECT)
    external_id = models.CharField(max_length=128)
    player = models.ForeignKey(
        Player,
        on_delete=models.PROTECT,
        related_name="identities",
        db_index=False,  # see ids_of_players
    )
    banned_at = models.DateTimeField(null=True, blank=True)
    excluded_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when the player is on none of the studio's leaderboards."
    )
    tokens_from = models.DateTimeField(
        null=True, blank=True, help_text="Player tokens that the studio issued before are revoked."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "player identities"
        constraints = [
            models.UniqueConstraint(
                fields=["studio", "external_id"], name="one_player_per_studio_and_external_id"
            ),
        ]
        indexes = [
            # Pages of boards name a hundred players as a studio does: the ids are read from the index alone.
            models.Index(fields=["player", "studio", "id"], include=["external_id"], name="ids_of_players"),
            models.Index(
                fields=["studio", "external_id"],
                opclasses=["int8_ops", "text_pattern_ops"],
                include=["player"],
                name="players_by_beginning_of_id",
            ),
            models.Index(
                fields=["player", "studio"],
                name="excluded_players",
                condition=models.Q(excluded_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.external_id


class Tester(models.Model):
    """A player who may unlock a game's drafts."""

    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="testers")
    player = models.ForeignKey(Player, on_delete=models.CASCADE, related_name="tests")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["game", "player"], name="one_tester_per_game_and_player")
        ]

    def __str__(self) -> str:
        return f"{self.player} tests {self.game}"


class PlayerAccount(models.Model):
    """Who signs in to the player site as which player: each of both has one of the other."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="player_account")
    player = models.OneToOneField(Player, on_delete=models.PROTECT, related_name="account")
    created_at = models.DateTimeField()
    chosen = ArrayField(
        models.CharField(max_length=32),
        default=list,
        db_default=[],
        blank=True,
        help_text="Which of the player's fields the person chose himself: no game's server changes them.",
    )

    def __str__(self) -> str:
        return f"{self.user} as {self.player}"


class Avatar(models.Model):
    """A picture that a player uploaded; one that no player's `avatar_url` names is removed by `accounts.tasks`.

    Attributes:
        uuid: the folder of its files, which says nothing of whose it is.
        player_id: whose it is; the row outlives him, so that the files are found.

    """

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    player_id = models.BigIntegerField(db_index=True)
    digest = models.CharField(max_length=32)
    created_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.uuid} of {self.player_id}"


class JoinedPlayer(models.Model):
    """A player who is gone: his ids name another one, who is the same person.

    Who was erased stands here as joined to himself. `player_id` takes no rows any more:
    `a_joined_player_takes_nothing` (migration 0009) refuses them.

    Attributes:
        uuid: what he was called: final standings are files whose bytes stay.
        time_zone: what a day was for him: what the log says of him is added up by it.

    """

    player_id = models.BigIntegerField(primary_key=True)
    into = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="+")
    joined_at = models.DateTimeField(db_index=True)
    uuid = models.UUIDField(null=True, db_index=True)
    time_zone = models.CharField(max_length=64, default="UTC", db_default="UTC")

    def __str__(self) -> str:
        return f"{self.player_id} is {self.into_id}"
