"""What the forms of games take."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts import selectors
from accounts.api.games import MOST_REGIONS
from accounts.once_form import OnceForm
from accounts.selectors import PlayerInfo
from accounts.services import MAX_EXTERNAL_ID, clean_region
from core.forms import PortalForm, ReasonForm

_TITLE_LENGTH = 200


class RegionsField(forms.Field):
    """Regions, separated by commas or white space: a list of names in capitals, each once."""

    def to_python(self, value: Any) -> list[str]:
        """Read them."""
        names = re.split(r"[\s,;]+", str(value or ""))
        try:
            regions = [clean_region(name) for name in names if name]
        except ValueError as error:
            raise ValidationError(str(error)) from None
        if len(set(regions)) < len(regions):
            raise ValidationError(_("Each region is listed once."))
        if len(regions) > MOST_REGIONS:
            raise ValidationError(_("A game has at most %(most)s regions."), params={"most": MOST_REGIONS})
        return regions

    def prepare_value(self, value: Any) -> Any:
        """Write them."""
        return ", ".join(value) if isinstance(value, list | tuple) else value


class GameForm(PortalForm):
    """A game's title and regions. What the sender did not touch is not written: somebody else may have, meanwhile."""

    title = forms.CharField(label=_("Title"), max_length=_TITLE_LENGTH, show_hidden_initial=True)
    regions = RegionsField(
        label=_("Regions"),
        required=False,
        show_hidden_initial=True,
        help_text=_("Such as EU, NA, ASIA. Each gets its own view of every leaderboard. Empty: no regions."),
    )

    signed_requests = forms.BooleanField(
        label=_("Players' devices sign what they send"),
        required=False,
        show_hidden_initial=True,
        help_text=_(
            "Unlocks, progress, stats and scores that come with a player token are refused unsigned. Turn it on when "
            "every released version of the game signs."
        ),
    )

    @property
    def changes(self) -> dict[str, Any]:
        """What is to be changed."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


class NewGameForm(OnceForm):
    """A new game."""

    purpose = "new-game"
    title = forms.CharField(label=_("Title"), max_length=_TITLE_LENGTH)
    regions = RegionsField(
        label=_("Regions"),
        required=False,
        help_text=_(
            "Such as EU, NA, ASIA. Each gets its own view of every leaderboard. Can be changed later."
        ),
    )


class TesterForm(PortalForm):
    """A player, by the studio's own id."""

    player = forms.CharField(
        label=_("Player"),
        max_length=MAX_EXTERNAL_ID,
        strip=False,
        help_text=_("Your own id for the player, as your game sends it."),
    )

    def __init__(self, *args: Any, studio_id: int, **kwargs: Any) -> None:
        """Know whose players are meant."""
        super().__init__(*args, **kwargs)
        self._studio_id = studio_id

    def clean_player(self) -> PlayerInfo:
        """Return the player."""
        name = self.cleaned_data["player"]
        info = selectors.player_of_studio(self._studio_id, name) if name.isprintable() else None
        if info is None or info.erased:
            raise ValidationError(
                _("Your studio knows no such player. The first report about a player makes the id known.")
            )
        return info


class PutAwayForm(ReasonForm):
    """Why a game is put away, and its title as a second thought."""

    title = forms.CharField(label=_("The game's title"), strip=True, required=True)

    def __init__(self, *args: Any, title: str, **kwargs: Any) -> None:
        """Know what is to be typed."""
        super().__init__(*args, **kwargs)
        self._title = title
        self.fields["title"].label = _("Type “%(title)s”") % {"title": title}
        self.fields["title"].widget.attrs["autocomplete"] = "off"

    def clean_title(self) -> str:
        """Compare it."""
        typed: str = self.cleaned_data["title"]
        if typed.split() != self._title.split():
            raise ValidationError(_("Type the title as it is written above."))
        return typed
