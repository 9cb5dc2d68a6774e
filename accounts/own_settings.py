"""What a person changes of himself in his account."""

from collections.abc import Mapping

from django.db import transaction

from accounts import own_choices, selectors, shown
from accounts.facts import PlayersChanged
from accounts.models import Player
from core.facts import publish
from core.refusals import Gone


def change(player_id: int, values: Mapping[str, str], *, is_choice: bool = False) -> None:
    """Change fields of one's own player; what is another value now, or all (`is_choice`), no game changes any more.

    Raises:
        Gone: the player was erased, or joined to another one, a moment ago.

    Publishes:
        PlayersChanged.

    """
    with transaction.atomic():
        player = Player.objects.select_for_update().filter(pk=player_id, erased_at=None).first()
        if player is None:
            raise Gone("This player is gone. Open the page again.")
        changed = {name: value for name, value in values.items() if getattr(player, name) != value}
        for name, value in changed.items():
            setattr(player, name, value)
        if chosen := set(values if is_choice else changed):
            own_choices.note(player_id, chosen)
        if changed:
            player.save(update_fields=list(changed))
            publish(PlayersChanged([[player_id, player.region]]), studio_id=None)
            transaction.on_commit(selectors.forget_players, robust=True)
            transaction.on_commit(lambda: shown.forget(player_id), robust=True)
