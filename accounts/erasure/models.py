"""The ledger of erasures: what keeps a person from coming back, without knowing who that was."""

from django.db import models
from django.db.models import Q

from core.ids import new_id


class Erasure(models.Model):
    """A studio's person was erased, or is being erased.

    Attributes:
        player_id: his internal id, which leads to nobody once no studio has him.
        is_whole: no studio has him any more.
        until_tx: facts of older transactions say nothing of him any more.
        wanted: what leads to him, for the steps that look for it; empty once it is done.
        seen_at: when it was looked at first: whoever was at it had begun before that.
        steps: those that found nothing when they looked last.

    """

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    studio_id = models.BigIntegerField()
    player_id = models.BigIntegerField()
    is_whole = models.BooleanField()
    until_tx = models.BigIntegerField()
    asked_at = models.DateTimeField(db_index=True)
    seen_at = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    error = models.TextField(default="")
    steps = models.JSONField(default=list)
    wanted = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["player_id"], name="erasures_of_player"),
            models.Index(fields=["id"], name="erasures_under_way", condition=Q(done_at=None)),
        ]

    def __str__(self) -> str:
        return str(self.uuid)


class ErasedName(models.Model):
    """A name of somebody who was erased, as a keyed hash (accounts/erasure/ledger.py): nobody is called so again."""

    hash = models.BinaryField(primary_key=True)
    erasure = models.ForeignKey(Erasure, on_delete=models.CASCADE, related_name="names")

    def __str__(self) -> str:
        return f"of {self.erasure_id}"
