"""Every write of social: the inbox, and what is pushed of it."""

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce

from achievements.facts import AchievementsRevoked, AchievementsUnlocked, ProgressChanged, ReportAnswered
from core import clock, shifts
from core.facts import Fact
from core.redis import breaker, client
from core.refusals import NotFound
from leaderboards.facts import RanksChanged
from social import announcing, inbox, joining, keys, nearing, preferences
from social.facts import FriendAccepted, FriendRequested
from social.preferences import Choices
from social.selectors.inboxes import Inbox

KEPT = timedelta(days=30)
NEWS = timedelta(minutes=10)  # older ranks and progress are told with the next move
_DEEDS = (AchievementsUnlocked.kind, AchievementsRevoked.kind)
_OF_FRIENDS = (FriendRequested.kind, FriendAccepted.kind)


def apply_facts(facts: Sequence[Fact]) -> None:
    """Tell players of deeds, progress, ranks and friends: inbox rows with the cursor, one PUBLISH after commit.

    Applying a fact again adds nothing. One that is older than the inbox keeps makes no row, nor does a rank that is no
    news. A rank replaces what was told of the same board and not read: of a busy evening the last one is left to read.
    """
    now = clock.now()
    facts = joining.as_they_are(facts)
    gone = joining.erased(facts)
    of_others = joining.with_nobody(facts, gone)
    deeds = announcing.deed_notices([fact for fact in facts if fact.kind in _DEEDS and fact.at > now - KEPT])
    ranks = announcing.rank_notices(
        [fact for fact in facts if fact.kind == RanksChanged.kind and fact.at > now - NEWS]
    )
    friends = announcing.friend_notices(
        [fact for fact in of_others if fact.kind in _OF_FRIENDS and fact.at > now - KEPT]
    )
    answers = announcing.answer_notices(
        [fact for fact in of_others if fact.kind == ReportAnswered.kind and fact.at > now - KEPT]
    )
    deeds, ranks = ([one for one in told if one.player_id not in gone] for told in (deeds, ranks))
    ways = nearing.hear([fact for fact in of_others if _is_of_a_way(fact, now)], now=now)
    everything = itertools.chain(ways.notices, deeds, ranks, friends, answers)
    choices = preferences.choices({notice.player_id for notice in everything}, at=now)
    ranked = inbox.replace_unread(choices.of(ranks))
    told = [*choices.of(deeds), *ranked, *choices.of(friends), *choices.of(answers)]
    _tell(ways, told, choices)


def _is_of_a_way(fact: Fact, now: datetime) -> bool:
    return fact.kind in nearing.KINDS and (fact.kind != ProgressChanged.kind or fact.at > now - NEWS)


def _tell(ways: nearing.Batch, others: Sequence[inbox.Notice], choices: Choices) -> None:
    """Tell both; of a way that its player wants to hear nothing of no notice stays in his inbox (0)."""
    seqs = iter(tell([*choices.of(ways.notices), *others], choices=choices))
    ways.save([next(seqs) if choices.takes(notice) else 0 for notice in ways.notices])


def tell(notices: Sequence[inbox.Notice], *, choices: Choices) -> list[int]:
    """Add to inboxes inside the caller's transaction, and push after its commit what is not to be quiet.

    Returns:
        The number of each notice in its inbox.

    """
    if not notices:
        return []
    quiet = [choices.is_quiet(notice) for notice in notices]
    seqs, all_new = inbox.add(notices, quiet=quiet)
    loud = [place for place, is_quiet in enumerate(quiet) if not is_quiet]
    if loud and all_new:
        # Of a replayed batch open pages get what is new by their sweep.
        pushed = [notices[place] for place in loud], [seqs[place] for place in loud]
        transaction.on_commit(lambda: push(*pushed), robust=True)
    return seqs


def tell_due(*, now: datetime) -> int:
    """Tell players of progress that had to wait for its second; return how many are told."""
    with transaction.atomic():
        ways = nearing.due(now=now)
        _tell(ways, [], preferences.choices({notice.player_id for notice in ways.notices}, at=now))
    return len(ways.notices)


def push(notices: Sequence[inbox.Notice], seqs: Sequence[int]) -> None:
    """Tell the `live` processes of a batch, if Valkey is there; without it they read the inbox by themselves."""
    message = "\n".join(announcing.lines(notices, seqs))
    breaker("live").call(lambda: client("live").publish(keys.live_channel(), message), otherwise=lambda: 0)


def mark_read(of: Inbox, *, uuids: Sequence[UUID] | None, at: datetime, until_seq: int | None = None) -> int:
    """Mark notifications of an inbox as read, all of them if `uuids` is None; return how many were unread.

    Ids that are not in the inbox are passed by. With `until_seq` nothing newer is marked: nobody has seen it.
    """
    unread = of.rows.filter(read_at=None)
    if uuids is not None:
        unread = unread.filter(uuid__in=uuids)
    if until_seq is not None:
        unread = unread.filter(seq__lte=until_seq)
    return unread.update(read_at=at)


def delete(of: Inbox, *, uuid: UUID, at: datetime) -> None:
    """Take a notification out of its player's sight, on his live connections too. Raises NotFound."""
    found = of.rows.filter(uuid=uuid, deleted_at=None)
    if not found.update(deleted_at=at, read_at=Coalesce("read_at", Value(at)), is_quiet=True):
        raise NotFound("There is no such notification.")


def keep_inbox(*, now: datetime) -> int:
    """Delete what is older than 30 days, in short transactions; return how many notifications."""
    deleted = 0
    while not shifts.is_over() and (batch := inbox.forget(before=now - KEPT)):
        deleted += batch
    while not shifts.is_over() and nearing.forget_some(before=now - KEPT):
        pass
    return deleted
