"""The inbox: what a player is told, in the order of his own sequence. It is the truth; a socket is only a hint."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.ids import new_id


class Notification(models.Model):
    """One thing that a player is told.

    `uuid` is the event's id. It is made from the fact that is told of, so telling it twice finds it there
    (social/events.py). `seq` rises by commit: whoever sees a player's number n sees every lower one too.
    """

    pk = models.CompositePrimaryKey("player_id", "seq")
    player_id = models.BigIntegerField()
    seq = models.BigIntegerField()
    uuid = models.UUIDField()
    kind = models.TextField(help_text="The event's type.")
    game_id = models.BigIntegerField(null=True)
    studio_id = models.BigIntegerField(null=True)
    payload = models.TextField(help_text="The event's data as it was pushed: JSON, which is only read.")
    created_at = models.DateTimeField(db_index=True, help_text="When the fact was recorded that is told of.")
    read_at = models.DateTimeField(null=True)
    is_quiet = models.BooleanField(
        default=False, db_default=False, help_text="Live connections are not told, at once or later."
    )
    deleted_at = models.DateTimeField(
        null=True, help_text="Its player took it away. It stays, so that a replayed fact finds it there."
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["player_id", "game_id"],
                name="unread_ranks",
                condition=Q(kind="leaderboard.updated", read_at__isnull=True),
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["player_id", "uuid"], name="one_notification_per_player_and_event"
            ),
            models.CheckConstraint(condition=Q(seq__gte=1), name="an_inbox_counts_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uuid}"


class InboxCounter(models.Model):
    """The last number given in a player's inbox; its row is locked by whoever adds to the inbox, until commit.

    It stays when notifications are deleted, so that a number is never given twice. Numbers may be left out.
    """

    player_id = models.BigIntegerField(primary_key=True)
    last_seq = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.player_id}: {self.last_seq}"


class ToldProgress(models.Model):
    """How far a player is with an achievement, and what he was told of it last.

    Attributes:
        current: how far he is; the target once it is unlocked, and then he is told nothing more.
        version: of what is known of his progress; a higher one is newer (achievements.facts.ProgressChanged).
        told: how far he was when he was told last.
        told_seq: which notification of his inbox tells it, so that the next one replaces it; 0 for none.

    """

    pk = models.CompositePrimaryKey("player_id", "achievement_id")
    player_id = models.BigIntegerField()
    achievement_id = models.BigIntegerField()
    game_id = models.BigIntegerField()
    studio_id = models.BigIntegerField()
    current = models.BigIntegerField()
    target = models.BigIntegerField()
    version = models.BigIntegerField()
    told = models.BigIntegerField()
    told_seq = models.BigIntegerField()
    told_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "told progress"
        indexes = [
            models.Index(fields=["told_at"], name="progress_to_tell", condition=~Q(told=models.F("current")))
        ]

    def __str__(self) -> str:
        return f"{self.player_id} of {self.achievement_id}: {self.current}/{self.target}"


class Friendship(models.Model):
    """Two players are friends: a row each way, so that one look at the key finds all friends of one."""

    pk = models.CompositePrimaryKey("player_id", "friend_id")
    player_id = models.BigIntegerField()
    friend_id = models.BigIntegerField()
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(player_id=models.F("friend_id")), name="nobody_is_his_own_friend"
            )
        ]

    def __str__(self) -> str:
        return f"{self.player_id} and {self.friend_id}"


class FriendRequest(models.Model):
    """A player asks another to be friends; it goes when it is answered."""

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    sender_id = models.BigIntegerField()
    receiver_id = models.BigIntegerField(db_index=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sender_id", "receiver_id"], name="one_request_per_pair"),
            models.CheckConstraint(
                condition=~Q(sender_id=models.F("receiver_id")), name="nobody_asks_himself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sender_id} asks {self.receiver_id}"


class Block(models.Model):
    """A player wants nothing to do with another, who is not told."""

    pk = models.CompositePrimaryKey("player_id", "blocked_id")
    player_id = models.BigIntegerField()
    blocked_id = models.BigIntegerField(db_index=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.player_id} blocks {self.blocked_id}"


class NotificationPreference(models.Model):
    """What a player chose to be told and when; who has no row is told everything.

    Attributes:
        not_told: kinds of which he is told nothing at all.
        not_pushed: kinds that wait in his inbox and are not pushed.
        quiet_from, quiet_until: minutes of his own day between which nothing is pushed; both or neither.

    """

    player_id = models.BigIntegerField(primary_key=True)
    not_told = ArrayField(models.TextField(), default=list)
    not_pushed = ArrayField(models.TextField(), default=list)
    quiet_from = models.SmallIntegerField(null=True)
    quiet_until = models.SmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(
                    quiet_from__isnull=False,
                    quiet_until__isnull=False,
                    quiet_from__range=(0, 1439),
                    quiet_until__range=(0, 1439),
                ),
                name="quiet_hours_begin_and_end",
            )
        ]

    def __str__(self) -> str:
        return f"{self.player_id}"


class Presence(models.Model):
    """When somebody was last seen, and the `live` processes that he is connected to.

    A process that was killed leaves its number here; it counts for five minutes only (social/presence.py).
    No index but the key, so that a sign of life is written in place (migration 0032).
    """

    player_id = models.BigIntegerField(primary_key=True)
    seen_at = models.DateTimeField()
    places = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        verbose_name_plural = "presence"

    def __str__(self) -> str:
        return f"{self.player_id} at {self.seen_at}"


class FriendNews(models.Model):
    """What a player's friends are to be told of his unlocks in one game: at most one thing a minute.

    Attributes:
        achievement_id, points, unlocked_us, at, event: the latest unlock, and the event that tells of it.
        waiting: how many unlocks of his nobody was told of yet.
        fact_tx, fact_id: the last fact that was heard, so that a replayed one is known.
        told_at: when friends were told last.
        due_at: when what waits is to be told; null for nothing.

    """

    pk = models.CompositePrimaryKey("player_id", "game_id")
    player_id = models.BigIntegerField()
    game_id = models.BigIntegerField()
    studio_id = models.BigIntegerField()
    achievement_id = models.BigIntegerField()
    points = models.BigIntegerField()
    unlocked_us = models.BigIntegerField()
    at = models.DateTimeField()
    event = models.UUIDField()
    waiting = models.BigIntegerField()
    fact_tx = models.BigIntegerField()
    fact_id = models.BigIntegerField()
    told_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "friend news"
        indexes = [
            models.Index(fields=["due_at"], name="friend_news_to_tell", condition=Q(due_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.player_id} in {self.game_id}: {self.waiting}"
