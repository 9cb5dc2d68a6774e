"""The log's tables, and the kept answers of idempotent requests."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Fact(models.Model):
    """One row of the log: what happened, to a batch of things.

    The table is made by migration 0002: partitioned by day, with `tx xid8` and an index on `(tx, id)`.
    """

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    kind = models.TextField()
    studio_id = models.BigIntegerField(null=True)
    size = models.IntegerField()
    payload = models.TextField(
        help_text="JSON, in a column of type `json`: as it was written, for it is only read."
    )
    trace = models.TextField(
        help_text="The `traceparent` of what it came of, if that was sampled; else null."
    )

    class Meta:
        managed = False
        db_table = "core_fact"

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class LogBeginning(models.Model):
    """Up to where facts of a studio are gone, since their days were dropped; studio 0 is the whole log.

    Whoever has read a studio's facts up to `(tx, fact_id)` or further has missed none of them.
    """

    studio_id = models.BigIntegerField(primary_key=True)
    tx = models.BigIntegerField(default=0)
    fact_id = models.BigIntegerField(default=0)
    at = models.DateTimeField(help_text="The end of the day that was dropped.")

    def __str__(self) -> str:
        return f"{self.studio_id}: {self.at:%Y-%m-%d}"


class Follower(models.Model):
    """How far a listener has read the log. Its cursor `(tx, fact_id)` moves with its own rows."""

    name = models.TextField(primary_key=True)
    tx = models.BigIntegerField(default=0)
    fact_id = models.BigIntegerField(default=0)
    attempts = models.IntegerField(default=0)
    attempted_at = models.DateTimeField(null=True, blank=True)
    isolating = models.IntegerField(default=0)
    error = models.TextField(default="", blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    hears = ArrayField(
        models.TextField(),
        default=list,
        db_default=models.Value("{}"),
        blank=True,
        help_text="Kinds of facts that its listener hears, by the newest version that migrated (docs/adr/0072).",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(attempts__gte=0), name="attempts_are_counted_from_zero")
        ]

    def __str__(self) -> str:
        return self.name


class DeadLetter(models.Model):
    """A fact that a listener failed on three times, with its error; kept until a month after it is replayed."""

    follower = models.TextField()
    fact_id = models.BigIntegerField()
    fact_tx = models.BigIntegerField()
    fact_at = models.DateTimeField()
    kind = models.TextField()
    studio_id = models.BigIntegerField(null=True, blank=True)
    payload = models.JSONField()
    error = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    replayed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["follower", "fact_id"], name="one_dead_letter_per_follower_and_fact"
            )
        ]

    def __str__(self) -> str:
        return f"{self.follower}: {self.kind} {self.fact_id}"


class IdempotencyKey(models.Model):
    """The answer that a caller got under an Idempotency-Key."""

    pk = models.CompositePrimaryKey("caller", "key")
    caller = models.TextField()
    key = models.TextField()
    fingerprint = models.BinaryField()
    status = models.SmallIntegerField()
    body = models.BinaryField()
    created_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"


class AuditEntry(models.Model):
    """What somebody did to something of a studio, and why.

    A trigger refuses to remove it, and every change but its seal and an erasure (migration 0008). What the last five
    columns are is told in core/audit/seals.py; `number` and `hash` are null until it is sealed.
    """

    studio_id = models.BigIntegerField()
    at = models.DateTimeField()
    actor = models.TextField(help_text="`key:<uuid>` or `user:<e-mail address>`.")
    action = models.CharField(max_length=64)
    object_kind = models.CharField(max_length=32)
    object_id = models.TextField()
    reason = models.CharField(max_length=500)
    details = models.JSONField(default=dict)
    actor_proof = models.BinaryField(editable=False)
    content_proof = models.BinaryField(editable=False)
    mark = models.BinaryField(editable=False, unique=True)
    number = models.BigIntegerField(null=True, editable=False)
    hash = models.BinaryField(null=True, editable=False)

    class Meta:
        verbose_name_plural = "audit entries"
        constraints = [
            models.UniqueConstraint(fields=["studio_id", "number"], name="one_audit_entry_per_number"),
        ]
        indexes = [
            models.Index("studio_id", models.F("at").desc(), models.F("id").desc(), name="audit_in_time"),
            models.Index(
                "studio_id", "actor", models.F("at").desc(), models.F("id").desc(), name="audit_by_actor"
            ),
            models.Index(
                "studio_id", "action", models.F("at").desc(), models.F("id").desc(), name="audit_by_action"
            ),
            models.Index(
                "studio_id", "object_id", models.F("at").desc(), models.F("id").desc(), name="audit_by_object"
            ),
            models.Index(fields=["id"], condition=models.Q(number=None), name="audit_not_sealed"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_kind} {self.object_id}"


class AuditHead(models.Model):
    """Where a studio's chain of audit entries ends; its mark says that we wrote so."""

    studio_id = models.BigIntegerField(primary_key=True)
    number = models.BigIntegerField()
    hash = models.BinaryField(editable=False)
    mark = models.BinaryField(editable=False)

    def __str__(self) -> str:
        return f"{self.studio_id}: {self.number}"


class ExportJob(models.Model):
    """A file that is made in the background for a studio's members, piece by piece, and kept for some days.

    Attributes:
        kind: which export of EXPORTS it is; `about` is what that one asks for.
        title: what it is about, in the words of whoever asked for it.
        after: where the next piece begins, as the export says; null before the first one.
        pieces, rows, size: what is made so far; `size` in bytes as they are sent.
        tries: how often the next piece was begun and not finished.
        worked_at: when the latest try began; a while later its worker is taken for dead.

    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    uuid = models.UUIDField(unique=True)
    studio_id = models.BigIntegerField()
    kind = models.CharField(max_length=64)
    about = models.JSONField(default=dict)
    title = models.CharField(max_length=200)
    file_name = models.CharField(max_length=200)
    actor = models.TextField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    after = models.JSONField(null=True)
    pieces = models.IntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    percent = models.SmallIntegerField(default=0)
    tries = models.SmallIntegerField(default=0)
    error = models.TextField(default="")
    created_at = models.DateTimeField()
    worked_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["studio_id", "kind"],
                condition=models.Q(state__in=["queued", "running"]),
                name="one_export_at_a_time",
            ),
            models.CheckConstraint(condition=models.Q(percent__range=(0, 100)), name="percent_of_an_export"),
        ]
        indexes = [
            models.Index("studio_id", models.F("created_at").desc(), name="exports_of_studio"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.title}"


class ExportPiece(models.Model):
    """A piece of an export's file, packed with zlib."""

    pk = models.CompositePrimaryKey("job_id", "number")
    job = models.ForeignKey(ExportJob, on_delete=models.CASCADE, related_name="+", db_index=False)
    number = models.IntegerField()
    packed = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.job_id}: {self.number}"


class Lease(models.Model):
    """A turn that one process has until then, unless it gives it back before (core/leases.py)."""

    name = models.CharField(max_length=64, primary_key=True)
    holder = models.UUIDField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} until {self.until}"


class Job(models.Model):
    """How a scheduled job went last (core/metrics/jobs.py).

    Attributes:
        succeeded_at: at most half a minute too early.
        seconds: how long it took the last time.
        error: why it failed at `failed_at`.

    """

    name = models.TextField(primary_key=True)
    succeeded_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    seconds = models.FloatField()
    error = models.TextField(default="", blank=True)

    def __str__(self) -> str:
        return self.name


class Backup(models.Model):
    """A base backup that was taken whole, and verified; those that are gone stay listed.

    Attributes:
        name: its folder's, or what another tool calls it.
        finished_at: from then on a restore can begin with it.
        size: in bytes as they are kept; 0 where another tool took it.

    """

    name = models.CharField(max_length=200)
    finished_at = models.DateTimeField(db_index=True)
    size = models.BigIntegerField()

    def __str__(self) -> str:
        return self.name


class Reopening(models.Model):
    """The database was restored, and opened again: what others had heard of it since may be lost.

    Its number names the log that goes on from there: positions in an earlier one mean something else, or nothing.

    Attributes:
        restored: what the server says of its restore (`laurel.restored`); empty where it says nothing.
        tx: the first transaction of the log that goes on from there.

    """

    restored = models.CharField(max_length=200)
    at = models.DateTimeField()
    tx = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.pk}: {self.restored}"
