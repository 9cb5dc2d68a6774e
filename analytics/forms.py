"""What the portal's forms of analytics take."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.doorway import Visit
from accounts.once_form import OnceForm
from core.exports.kinds import exports


class ExportForm(OnceForm):
    """A file to be made."""

    purpose = "export"
    kind = forms.ChoiceField(label=_("What"), widget=forms.RadioSelect)
    game = forms.ChoiceField(label=_("Of which game"))

    def __init__(self, data: QueryDict | None = None, *, visit: Visit, **kwargs: Any) -> None:
        """Offer what there is, and the studio's games; the one that was looked at last comes first."""
        super().__init__(data, visit=visit, **kwargs)
        kinds = [(one.kind, f"{one.label} – {one.explanation}") for one in exports().values()]
        games = [(str(game.uuid), game.title) for game in (*visit.games, *visit.put_away)]
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]
        self.fields["game"].choices = games  # type: ignore[attr-defined]
        self.initial.update(kind=kinds[0][0], game=str(visit.game.uuid) if visit.game else "")
