"""The request log's tables."""

from django.db import models


class Call(models.Model):
    """A call of the API as its studio sees it: refused, or a sample of those that were not.

    The table is made by a migration: partitioned by day, dropped after a week.

    Attributes:
        noted_at: when it was written, up to a minute after it happened; ids are in that order.
        weight: how many calls it stands for: one, a sample for a hundred, and a summary for all that it sums up.
        is_summary: more like others, of which nothing but when, where and what was refused is known.
        key_id: the server key; None with a player token.
        slug, detail, errors: the problem; empty for a success.
        body: JSON without secrets, shortened; empty if there was none, or none that could be copied.

    """

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    noted_at = models.DateTimeField()
    studio_id = models.BigIntegerField()
    key_id = models.BigIntegerField(null=True)
    game = models.UUIDField(null=True)
    method = models.TextField()
    route = models.TextField()
    path = models.TextField()
    status = models.SmallIntegerField()
    slug = models.TextField()
    detail = models.TextField()
    errors = models.TextField(help_text="JSON: a list of objects with `pointer` and `detail`.")
    weight = models.IntegerField()
    is_summary = models.BooleanField()
    duration_us = models.IntegerField(null=True)
    request_id = models.TextField()
    address = models.TextField()
    body = models.TextField()
    body_bytes = models.IntegerField(null=True)

    class Meta:
        managed = False
        db_table = "accounts_call"

    def __str__(self) -> str:
        return f"{self.method} {self.route}: {self.status}"


class CallCount(models.Model):
    """How many calls a studio made on a day (UTC), by how they ended."""

    class Ending(models.TextChoices):
        """How calls ended; `missed` ones are among the refused, and the log knows nothing else of them."""

        OK = "ok"
        REFUSED = "refused"
        FAILED = "failed"
        MISSED = "missed"

    pk = models.CompositePrimaryKey("studio_id", "day", "ending")
    studio_id = models.BigIntegerField()
    day = models.DateField()
    ending = models.CharField(max_length=8, choices=Ending.choices)
    count = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.studio_id} on {self.day}: {self.count} {self.ending}"
