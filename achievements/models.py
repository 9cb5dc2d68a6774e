"""The rulebook (definitions), the unlocks, and what they add up to."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from accounts.models import Game
from core.ids import new_id


class Catalogue(models.Model):
    """A game's rulebook as a whole: its version rises with every change of a definition.

    An unlock names the version it was checked against; another one makes the statement pass it by, and it is checked
    again. So a process may keep definitions as long as it likes and never answers from old ones.
    """

    game = models.OneToOneField(Game, on_delete=models.CASCADE, primary_key=True, related_name="+")
    version = models.BigIntegerField(default=1)
    stores = ArrayField(
        models.CharField(max_length=16),
        null=True,
        blank=True,
        help_text="Which stores' guidelines its achievements are checked against; null for all.",
    )
    rarity_tiers = ArrayField(
        models.SmallIntegerField(),
        null=True,
        blank=True,
        help_text="The largest share of each tier but the last, in per mille, rarest first; null for the platform's.",
    )

    def __str__(self) -> str:
        return f"{self.game} version {self.version}"


class Type(models.TextChoices):
    """How an achievement is reached."""

    STANDARD = "standard"
    INCREMENTAL = "incremental"
    META = "meta"


class Authority(models.TextChoices):
    """Who may say that it was reached."""

    SERVER = "server"
    CLIENT = "client"


class State(models.TextChoices):
    """Where a definition is in its life."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Achievement(models.Model):
    """A definition."""

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    studio_id = models.BigIntegerField(editable=False)
    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=128)
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=2000, blank=True)
    points = models.IntegerField(default=0)
    type = models.CharField(max_length=12, choices=Type.choices, default=Type.STANDARD)
    target = models.BigIntegerField(null=True, blank=True)
    stat = models.CharField(max_length=128, null=True, blank=True)  # noqa: DJ001 - null: not driven by a stat
    goal = models.JSONField(null=True, blank=True, help_text="What stats must say: achievements/goals.py.")
    requires = ArrayField(models.CharField(max_length=128), default=list, blank=True)
    requires_count = models.IntegerField(null=True, blank=True, help_text="Empty: all of them.")
    hidden = models.BooleanField(default=False)
    authority = models.CharField(max_length=8, choices=Authority.choices, default=Authority.SERVER)
    state = models.CharField(max_length=12, choices=State.choices, default=State.PUBLISHED)
    group = models.CharField(max_length=128, default="base")
    sort_order = models.IntegerField(default=0)
    icon_url = models.CharField(max_length=2000, blank=True)
    icon_locked_url = models.CharField(max_length=2000, blank=True)
    available_from = models.DateTimeField(null=True, blank=True)
    available_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        # (game, studio) also references (id, studio) of the game: migration 0002.
        constraints = [
            models.UniqueConstraint(fields=["game", "key"], name="one_achievement_per_game_and_key"),
            models.CheckConstraint(
                condition=Q(points__gte=0, points__lte=100_000), name="points_are_0_to_100000"
            ),
            models.CheckConstraint(
                condition=Q(target__isnull=True) | Q(target__gte=1), name="a_target_is_at_least_one"
            ),
            models.CheckConstraint(
                condition=Q(available_from__isnull=True)
                | Q(available_until__isnull=True)
                | Q(available_until__gt=F("available_from")),
                name="a_window_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"


class Icon(models.Model):
    """A picture that a studio uploaded for one of a game's achievements, in all its sizes.

    Its files are named by the game and the digest; definitions and what keeps definitions name it by address.
    """

    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="+", db_index=False)
    digest = models.CharField(max_length=32)
    contrast_light = models.FloatField(help_text="With the surface of the light theme, 1 to 21.")
    contrast_dark = models.FloatField(help_text="With the surface of the dark theme, 1 to 21.")
    created_at = models.DateTimeField()
    unnamed_since = models.DateTimeField(
        null=True, help_text="Since when nothing is known that names it; such a one goes after some days."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["game", "digest"], name="one_icon_per_game_and_digest")
        ]
        indexes = [
            models.Index(
                fields=["unnamed_since"], condition=Q(unnamed_since__isnull=False), name="icons_that_go"
            )
        ]

    def __str__(self) -> str:
        return f"{self.game_id}: {self.digest}"


class AchievementTranslation(models.Model):
    """A definition's texts in one language (BCP 47); an empty one is not translated."""

    achievement = models.ForeignKey(Achievement, on_delete=models.CASCADE, related_name="translations")
    language = models.CharField(max_length=35)
    name = models.CharField(max_length=200, blank=True)
    description = models.CharField(max_length=2000, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["achievement", "language"], name="one_translation_per_language")
        ]

    def __str__(self) -> str:
        return f"{self.language}: {self.name}"


class DefinitionVersion(models.Model):
    """A definition became another one: rows are added and never changed (docs/adr/0036-editing-a-definition.md)."""

    class Source(models.TextChoices):
        """By which door."""

        API = "api"
        PORTAL = "portal"
        IMPORT = "import"
        RESTORE = "restore"
        ORDER = "order"

    achievement_id = models.BigIntegerField(help_text="It stays when a draft is deleted.")
    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="+", db_index=False)
    before = models.JSONField(null=True, help_text="The whole definition; null: there was none.")
    after = models.JSONField(null=True, help_text="The whole definition; null: it was deleted.")
    source = models.CharField(max_length=8, choices=Source.choices)
    actor = models.CharField(max_length=254, help_text="`key:<uuid>`, `user:<e-mail address>` or `platform`.")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["achievement_id", "-id"], name="versions_of_definition")]

    def __str__(self) -> str:
        return f"{self.achievement_id} by {self.actor}"


class DefinitionDraft(models.Model):
    """Changes of a definition that wait to be published: until then they are nobody's but the studio's."""

    achievement = models.OneToOneField(
        Achievement, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    changes = models.JSONField(
        help_text="Field → what it becomes, flat (achievements/documents.py); null empties."
    )
    base = models.BigIntegerField(
        help_text="The version of the definition that it was begun from; 0: the first."
    )
    revision = models.UUIDField(help_text="Another one each time it is saved.")
    actor = models.CharField(max_length=254, help_text="Who saved it last: `user:<e-mail address>`.")
    saved_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.achievement_id} by {self.actor}"


class Unlock(models.Model):
    """A player has an achievement, once."""

    pk = models.CompositePrimaryKey("player_id", "achievement_id")
    player_id = models.BigIntegerField()
    # (achievement, game, studio) reference those of the definition: migration 0002.
    achievement = models.ForeignKey(
        Achievement, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    game_id = models.BigIntegerField()
    studio_id = models.BigIntegerField()
    points = models.IntegerField(help_text="What it was worth when it was unlocked.")
    unlocked_at = models.DateTimeField(help_text="When the game says that it happened.")
    heard_at = models.DateTimeField(help_text="When the platform heard of it.")
    event_id = models.UUIDField()

    class Meta:
        indexes = [
            # With the player, who need not be looked up in the table then: a funnel reads a hundred thousand of them.
            models.Index(
                fields=["achievement", "unlocked_at"], include=["player_id"], name="unlocks_of_achievement"
            ),
            models.Index(fields=["player_id", "-unlocked_at"], name="unlock_by_player"),
        ]

    def __str__(self) -> str:
        return f"{self.player_id} has {self.achievement_id}"


class RevokedUnlock(models.Model):
    """An unlock that was taken back, as it was: rows are added and never changed."""

    player_id = models.BigIntegerField()
    # (achievement, game, studio) reference those of the definition, as an unlock's do.
    achievement = models.ForeignKey(
        Achievement, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    game_id = models.BigIntegerField()
    studio_id = models.BigIntegerField()
    points = models.IntegerField()
    unlocked_at = models.DateTimeField()
    heard_at = models.DateTimeField()
    event_id = models.UUIDField()
    revoked_at = models.DateTimeField()
    reason = models.CharField(max_length=500)
    actor = models.CharField(max_length=254, help_text="`key:<uuid>` or `user:<e-mail address>`.")

    class Meta:
        indexes = [models.Index(fields=["player_id", "game_id", "-id"], name="revokes_of_player")]

    def __str__(self) -> str:
        return f"{self.player_id} had {self.achievement_id}"


class Plausibility(models.Model):
    """The rules by which a game's unlocks are weighed (achievements/plausibility.py).

    The row stays when the rules are taken away: what was kept apart by then still is.
    """

    game = models.OneToOneField(Game, on_delete=models.CASCADE, primary_key=True, related_name="+")
    document = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "plausibility"

    def __str__(self) -> str:
        return f"rules of {self.game_id}"


class FlaggedUnlock(models.Model):
    """An unlock that broke a rule: answered like any other, and kept apart until somebody decides (ADR 0040)."""

    class State(models.TextChoices):
        """What was decided."""

        OPEN = "open"
        APPROVED = "approved"
        REJECTED = "rejected"

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    player_id = models.BigIntegerField()
    # (achievement, game, studio) are those of the definition: a trigger, as with unlocks.
    achievement = models.ForeignKey(Achievement, on_delete=models.PROTECT, related_name="+")
    game_id = models.BigIntegerField()
    studio_id = models.BigIntegerField()
    points = models.IntegerField(help_text="What it was worth when it was claimed.")
    unlocked_at = models.DateTimeField(help_text="When the game says that it happened.")
    heard_at = models.DateTimeField(help_text="When the platform heard of it.")
    event_id = models.UUIDField()
    offline = models.BooleanField(help_text="Ties are ranked by the time that the game told.")
    rules = ArrayField(models.CharField(max_length=16), help_text="Which rules it broke.")
    evidence = models.JSONField(help_text="The figures: achievements/weighing.py.")
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    actor = models.CharField(max_length=254, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["player_id", "achievement"], name="one_flag_per_player_and_unlock"
            )
        ]
        indexes = [
            models.Index(fields=["studio_id", "state", "-heard_at", "-id"], name="flagged_unlocks_of_studio"),
            models.Index(fields=["game_id", "state", "-heard_at", "-id"], name="flagged_unlocks_of_game"),
        ]

    def __str__(self) -> str:
        return f"{self.player_id} claims {self.achievement_id}"


class Progress(models.Model):
    """How far a player is with an incremental achievement; what is past its target is not kept."""

    pk = models.CompositePrimaryKey("player_id", "achievement_id")
    player_id = models.BigIntegerField()
    achievement = models.ForeignKey(Achievement, on_delete=models.CASCADE, related_name="+")
    current = models.BigIntegerField()
    version = models.BigIntegerField(help_text="Rises with every change; the newest is what is told.")
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "progress"

    def __str__(self) -> str:
        return f"{self.player_id} with {self.achievement_id}: {self.current}"


class ProgressEvent(models.Model):
    """A report of steps to add: it counts once, however often it is sent."""

    pk = models.CompositePrimaryKey("game_id", "event_id")
    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="+", db_index=False)
    event_id = models.UUIDField()
    player_id = models.BigIntegerField()
    achievement_id = models.BigIntegerField()
    heard_at = models.DateTimeField()

    class Meta:
        # Rows come in the order of time: a block range index finds the old ones and costs next to nothing.
        indexes = [BrinIndex(fields=["heard_at"], name="progress_events_by_time")]

    def __str__(self) -> str:
        return f"{self.game_id}: {self.event_id}"


class ConditionMet(models.Model):
    """A condition of an achievement's goal held for a player, first by this event.

    The row says why, and it keeps a condition about a stat's last value, which comes and goes.
    """

    pk = models.CompositePrimaryKey("player_id", "achievement_id", "condition")
    player_id = models.BigIntegerField()
    achievement = models.ForeignKey(Achievement, on_delete=models.CASCADE, related_name="+")
    condition = models.CharField(max_length=16, help_text="Its name: achievements/goals.py.")
    value = models.DecimalField(max_digits=28, decimal_places=6)
    event_id = models.UUIDField()
    met_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "conditions met"

    def __str__(self) -> str:
        return f"{self.player_id} meets {self.condition} of {self.achievement_id}"


class Backfill(models.Model):
    """A definition changed, and who meets it by now is given it in the background, in the order of the players' ids."""

    class State(models.TextChoices):
        """Where it is."""

        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        CANCELLED = "cancelled"

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="+")
    achievement = models.ForeignKey(Achievement, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    is_silent = models.BooleanField(default=True, help_text="Nobody is told: no pushes, no webhooks.")
    total = models.BigIntegerField(
        null=True, help_text="How many players hold anything towards it; null: unknown."
    )
    checked = models.BigIntegerField(default=0)
    unlocked = models.BigIntegerField(default=0)
    checked_until = models.BigIntegerField(default=0, help_text="The last player who was checked.")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["achievement"],
                condition=Q(state="waiting"),
                name="one_backfill_waits_per_achievement",
            )
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state__in=["waiting", "running"]), name="open_backfills")
        ]

    def __str__(self) -> str:
        return f"{self.achievement_id}: {self.state}"


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


# A part of their own; Django looks for a room's models here.
from achievements import report_models  # noqa: E402, F401
