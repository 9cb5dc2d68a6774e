"""Users of the portal and the player site, who sign in by e-mail address."""

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower


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
