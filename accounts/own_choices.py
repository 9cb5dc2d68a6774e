"""What a person chose himself in his account: it holds against what his games say of him, and follows his account."""

from accounts.facts import PlayersChanged
from accounts.models import Avatar, Player, PlayerAccount
from core.facts import publish
from core.refusals import Conflict

FIELDS = frozenset(
    {
        "display_name",
        "avatar_url",
        "region",
        "language",
        "time_zone",
        "visibility",
        "games_visibility",
        "feed_visibility",
        "presence_visibility",
    }
)


def of(player_id: int) -> frozenset[str]:
    """Return which of a player's fields his account's owner chose; none for who has no account."""
    chosen = PlayerAccount.objects.filter(player_id=player_id).values_list("chosen", flat=True).first()
    return frozenset(chosen or ())


def note(player_id: int, fields: set[str]) -> None:
    """Note what an account's owner chose, inside the transaction that holds his player's row."""
    account = PlayerAccount.objects.get(player_id=player_id)
    account.chosen = sorted({*account.chosen, *fields})
    account.save(update_fields=["chosen"])


def move(leaves: int, stays: int) -> None:
    """Give the account of a player who is joined to another, with what it chose, to that one.

    Raises:
        Conflict: both have an account: which of both passwords, addresses and devices are his is not ours to say.

    """
    owners = list(PlayerAccount.objects.filter(player_id__in=(leaves, stays)))
    if len(owners) > 1:
        raise Conflict(
            "Both have an account on this site. Erase one of both accounts in its settings, then link the game anew."
        )
    for account in owners:
        if account.player_id == leaves:
            _bring(account, leaves, stays)


def _bring(account: PlayerAccount, leaves: int, stays: int) -> None:
    chosen = FIELDS.intersection(account.chosen)
    if chosen:
        values: dict[str, str] = Player.objects.filter(pk=leaves).values(*chosen).get()
        players = Player.objects.filter(pk=stays)
        if "region" in chosen and not players.filter(region=values["region"]).exists():
            publish(PlayersChanged([[stays, values["region"]]]), studio_id=None)
        players.update(**values)
    Avatar.objects.filter(player_id=leaves).update(player_id=stays)
    PlayerAccount.objects.filter(pk=account.pk).update(player_id=stays)
