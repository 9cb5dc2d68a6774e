"""What a game's achievements are: definitions, their history, and what waits to be published of them."""

from django.contrib.postgres.fields import ArrayField
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
