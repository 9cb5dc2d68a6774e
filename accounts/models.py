"""Who is calling: users of the portal, studios, games, server keys, and the players that studios name."""

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Lower, Now

from core.ids import new_id


class UserManager(BaseUserManager["User"]):
    """Makes users who sign in by e-mail address."""

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Return an address as it is kept: in lower case, since nobody has two that differ in nothing else."""
        return super().normalize_email(email).lower()

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create an operator of the instance, who need not prove the address: whoever runs this command may all."""
        user = self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
        self.vouch_for(user)
        return user

    def vouch_for(self, user: "User") -> None:
        """Take a user's address as proved, and the only one: an operator says so."""
        addresses = EmailAddress.objects.using(self._db)
        addresses.filter(user=user).exclude(email=user.email).delete()
        addresses.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


class User(AbstractUser):
    """A person who signs in to the portal or the admin, by e-mail address."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(unique=True)
    language = models.CharField(
        max_length=8,
        blank=True,
        default="",
        db_default="",
        help_text="What mail is written in; empty: the default.",
    )

    plays = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Signed up to play: is led to the player site, not to the portal.",
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_user_per_email_in_any_case")]

    @property
    def actor(self) -> str:
        """The user as the audit log names him."""
        return f"user:{self.email}"


class Studio(models.Model):
    """A tenant."""

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member may do, from most to least."""

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    SUPPORT = "support"
    ANALYST = "analyst"


class Member(models.Model):
    """A user's role in a studio."""

    studio = models.ForeignKey(Studio, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)
    inbox_seen_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="What happened until then is read (ADR 0049)."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["studio", "user"], name="one_membership_per_studio_and_user")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.studio}: {self.role}"


class Invitation(models.Model):
    """An offer to join a studio, sent to an e-mail address: who has the link's secret, kept as a SHA-256 hash, got it.

    It is open while it is neither accepted nor withdrawn nor expired.
    """

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    studio = models.ForeignKey(Studio, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(help_text="In lower case.")
    role = models.CharField(max_length=16, choices=Role.choices)
    hash = models.BinaryField(unique=True, editable=False)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["studio", "email"],
                condition=models.Q(accepted_at=None, withdrawn_at=None),
                name="one_open_invitation_per_studio_and_address",
            )
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.studio_id}: {self.role}"


class Game(models.Model):
    """A studio's game."""

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    studio = models.ForeignKey(Studio, on_delete=models.PROTECT, related_name="games")
    title = models.CharField(max_length=200)
    regions = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when the studio has put it away."
    )
    signed_requests = models.BooleanField(
        default=False, db_default=False, help_text="Whether players' devices sign what they send (ADR 0063)."
    )

    class Meta:
        # What composite foreign keys of tenant-owned rows point at: a reference across studios can't be stored.
        constraints = [models.UniqueConstraint(fields=["id", "studio"], name="one_studio_per_game")]

    def __str__(self) -> str:
        return self.title


class ServerKey(models.Model):
    """A studio's secret, kept only as a SHA-256 hash."""

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    studio = models.ForeignKey(Studio, on_delete=models.CASCADE, related_name="keys")
    game = models.ForeignKey(Game, on_delete=models.CASCADE, null=True, blank=True, related_name="keys")
    name = models.CharField(max_length=100)
    hash = models.BinaryField(unique=True, editable=False)
    hint = models.CharField(
        max_length=4, editable=False, help_text="The key's last characters, to tell keys apart."
    )
    scopes = ArrayField(models.CharField(max_length=32))
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="To the minute.")
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    rotated_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Since then it is about to end: `expires_at` says when.",
    )
    replaced_by = models.OneToOneField(
        "self", on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="replaces"
    )
    # Items a second; none: the instance's (settings.RATES).
    writes_per_s = models.PositiveIntegerField(null=True, blank=True)
    reads_per_s = models.PositiveIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} (lrl_sk_…{self.hint})"


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


class PlayerSession(models.Model):
    """A browser in which a player is signed in, by a cookie that is kept only as a SHA-256 hash.

    `studio` is whose token it was begun with: a ban by that studio ends it. One without was begun by who signed in to
    the player site himself: it ends with that login.
    """

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    player = models.ForeignKey(Player, on_delete=models.CASCADE, related_name="sessions")
    studio = models.ForeignKey(Studio, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    login = models.BinaryField(
        null=True, editable=False, help_text="SHA-256 of the key of the login session that it belongs to."
    )
    hash = models.BinaryField(unique=True, editable=False)
    user_agent = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["login"], name="player_sessions_of_login", condition=models.Q(login__isnull=False)
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(studio=None) ^ models.Q(login=None),
                name="a_player_session_is_by_token_or_by_login",
            )
        ]

    def __str__(self) -> str:
        return f"{self.player} since {self.created_at}"


class Dismissal(models.Model):
    """Somebody may not listen any more: for `live` processes, which ask every two seconds; kept for a day.

    Attributes:
        studio_id: whose tokens, of what is a studio's matter.
        session_id: which session, when one was ended.

    """

    class Kind(models.TextChoices):
        """What ended."""

        TOKENS = "tokens"
        SESSION = "session"
        BAN = "ban"
        PLAYER = "player"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    player_id = models.BigIntegerField()
    studio_id = models.BigIntegerField(null=True)
    session_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(db_index=True, db_default=Now())

    def __str__(self) -> str:
        return f"{self.kind} of {self.player_id}"


class LinkCode(models.Model):
    """A code that joins another id to a player, once and for ten minutes; kept as a keyed hash only.

    A used one is kept for a while, so that who did not hear the answer may ask again.
    """

    player = models.ForeignKey(Player, on_delete=models.CASCADE, related_name="+")
    studio = models.ForeignKey(
        Studio, on_delete=models.CASCADE, related_name="+", help_text="Who asked for it."
    )
    hash = models.BinaryField(unique=True, editable=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["player"], condition=models.Q(used_at=None), name="one_open_link_code_per_player"
            )
        ]

    def __str__(self) -> str:
        return f"for {self.player_id} until {self.expires_at}"


class LinkFailure(models.Model):
    """A studio gave a code that is not valid: too many, and it has to wait."""

    studio = models.ForeignKey(Studio, on_delete=models.CASCADE, related_name="+", db_index=False)
    external_id = models.CharField(max_length=128)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["studio", "-at"], name="link_failures_of_studio")]

    def __str__(self) -> str:
        return f"{self.external_id} of {self.studio_id} at {self.at}"


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


class AccountLinkFailure(models.Model):
    """Somebody gave a link code on the player site that is not valid: too many, and he has to wait."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.user_id} at {self.at}"


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


class Nonce(models.Model):
    """A signature's nonce that was used, with its token, as a hash: neither is used again."""

    digest = models.BinaryField(primary_key=True)
    used_at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return bytes(self.digest).hex()


# Of packages of their own; Django looks for a room's models here.
from accounts.calls import models as call_models  # noqa: E402, F401
from accounts.erasure import models as erasure_models  # noqa: E402, F401
