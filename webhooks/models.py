"""Endpoints of studios' servers, what is to be delivered to them, and every attempt to."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models import Game, Studio
from core.ids import new_id


class Disabled(models.TextChoices):
    """Why an endpoint gets nothing."""

    NO = "", "it gets everything"
    BY_HAND = "by_hand", "the studio disabled it"
    GONE = "gone", "it answered 410"
    FAILING = "failing", "it failed for five days"


class Endpoint(models.Model):
    """A server of a studio that wants to hear.

    Attributes:
        secret, previous_secret: what signs; two of them until `previous_until`, so that a receiver can change over.
        failing_since: when the first attempt failed since the last success.
        deleted_at: nothing is shown of it any more; its rows go in the background.

    """

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    studio = models.ForeignKey(Studio, on_delete=models.CASCADE, related_name="+")
    game = models.ForeignKey(Game, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    url = models.CharField(max_length=2048)
    description = models.CharField(max_length=200, blank=True)
    events = ArrayField(models.CharField(max_length=64))
    secret = models.BinaryField()
    previous_secret = models.BinaryField(null=True)
    previous_until = models.DateTimeField(null=True)
    disabled = models.CharField(max_length=8, choices=Disabled.choices, blank=True, default=Disabled.NO)
    disabled_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["studio", "id"], name="endpoints_of_studio", condition=Q(deleted_at=None))
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(disabled="", disabled_at=None) | (~Q(disabled="") & ~Q(disabled_at=None)),
                name="who_is_disabled_is_so_since_a_time",
            )
        ]

    def __str__(self) -> str:
        return self.url


class State(models.TextChoices):
    """How far a delivery has come."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    PARKED = "parked"


class Delivery(models.Model):
    """One message to one endpoint.

    Attributes:
        uuid: the `webhook-id`, the same on every attempt.
        payload: the body, as it is sent every time.
        created_at: when the fact was recorded that is told of.
        state: parked ones are tried no more unless somebody asks for it.
        failures: attempts since it was queued that did not succeed, for the schedule.
        attempts: all of them, for the log.
        trace: the `traceparent` of what it tells of, if that was sampled.
        next_attempt_at: when it is due. Who takes it sets it half a minute ahead: should he die, it is due again.

    """

    uuid = models.UUIDField()
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="+", db_index=False)
    event = models.CharField(max_length=64)
    payload = models.TextField()
    created_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State.choices)
    failures = models.SmallIntegerField(default=0)
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_attempt_at = models.DateTimeField(null=True)
    last_status = models.SmallIntegerField(null=True)
    last_error = models.TextField(blank=True, default="")
    trace = models.TextField(blank=True, default="", db_default="")

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at", "id"],
                name="deliveries_due",
                condition=Q(state="pending"),
            ),
            models.Index(fields=["endpoint", "-id"], name="deliveries_of_endpoint"),
            models.Index(fields=["state", "created_at"], name="deliveries_by_age"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "uuid"], name="one_delivery_per_endpoint_and_message"
            ),
            models.CheckConstraint(
                condition=~Q(state="pending") | ~Q(next_attempt_at=None),
                name="what_is_pending_is_due_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.uuid}"


class Attempt(models.Model):
    """One attempt: what was sent and what was answered, its first 4 KiB. It goes with its delivery."""

    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    number = models.IntegerField()
    at = models.DateTimeField()
    duration_ms = models.IntegerField()
    status = models.SmallIntegerField(null=True)
    error = models.TextField(blank=True)
    url = models.TextField()
    request_headers = models.TextField(help_text="JSON.")
    response_headers = models.TextField(help_text="JSON.")
    response_body = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["delivery", "number"], name="attempts_of_delivery")]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.delivery_id}"
