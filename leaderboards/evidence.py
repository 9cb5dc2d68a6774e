"""Why a score was kept apart, in words."""

from collections.abc import Mapping
from typing import Any, Final, cast

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import spoken
from leaderboards.rules import scores as rules
from leaderboards.rules.scores import Sort

RULES: Final = {"bound": gettext_lazy("Beyond the bound"), "zscore": gettext_lazy("Far from the others")}


def sentences(evidence: Mapping[str, Any], *, sort: str) -> tuple[str, ...]:
    """Return a sentence for each rule that was broken."""
    return tuple(_sentence(one, sort=sort, decimals=evidence["decimals"]) for one in evidence["broken"])


def _sentence(one: Mapping[str, Any], *, sort: str, decimals: int) -> str:
    told = {
        name: shown(one[name], sort=sort, decimals=decimals)
        for name in ("score", "bound", "mean")
        if name in one
    }
    if one["rule"] == "bound":
        return _("%(score)s is better than the bound of %(bound)s.") % told
    figures = {
        "z": spoken.spelled(f"{one['z']:,}"),
        "most": spoken.spelled(f"{one['most']:,}"),
        "players": spoken.whole(one["players"]),
    }
    return _(
        "%(score)s is %(z)s standard deviations better than the mean of %(mean)s over %(players)s players; the rule "
        "says %(most)s at most."
    ) % {**told, **figures}


def shown(sort_value: int, *, sort: str, decimals: int) -> str:
    """Return a score as it was sent, with thousands separated."""
    units = rules.sort_value(sort_value, sort=cast("Sort", sort))
    return spoken.spelled(f"{rules.exact(units, decimals=decimals):,}")
