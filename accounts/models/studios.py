"""Studios, who belongs to them, their games and their server keys."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models.users import User
from core.ids import new_id


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
