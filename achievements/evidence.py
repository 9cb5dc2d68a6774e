"""Why an unlock was kept apart, in words."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core import spoken
from core.clock import from_microseconds

RULES: Final = {
    "earliest": gettext_lazy("Too early"),
    "rate": gettext_lazy("Too many a minute"),
    "order": gettext_lazy("Out of order"),
    "session": gettext_lazy("No session"),
    "pace": gettext_lazy("Progress too fast"),
}
_SINCE = {
    "session": gettext_lazy("%(seconds)s s after the first session; the rule says %(needed)s s."),
    "studio": gettext_lazy("%(seconds)s s after the player was first named; the rule says %(needed)s s."),
    "now": gettext_lazy("The first thing ever heard of the player; the rule says %(needed)s s later."),
    "before": gettext_lazy("%(seconds)s s before the first session; the rule says %(needed)s s after it."),
}
_ORDER = {
    "locked": gettext_lazy("“%(first)s” comes before it, and is locked."),
    "open": gettext_lazy("“%(first)s” comes before it, and is being checked itself."),
    "rejected": gettext_lazy("“%(first)s” comes before it, and was rejected."),
}


def keys(evidence: Mapping[str, Any]) -> list[str]:
    """Return the keys of achievements that the sentences name."""
    return [one["first"] for one in evidence["broken"] if one["rule"] == "order"]


def sentences(evidence: Mapping[str, Any], *, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return a sentence for each rule that was broken; `names` are those of the game's achievements by key."""
    return tuple(_WORDS[one["rule"]](_named(one, names)) for one in evidence["broken"])


def _named(one: Mapping[str, Any], names: Mapping[str, str]) -> Mapping[str, Any]:
    """Return what was broken with the name of what comes before, as far as there is one beside its key."""
    name = names.get(one["first"]) if "first" in one else None
    return {**one, "first": f"{name} ({one['first']})"} if name else one


def circumstances(evidence: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what else was known when it was heard of."""
    session = evidence["session"]
    if session is None:
        told = [_("No session of the player was known.")]
    else:
        times = {name: _clock(session[f"{name}_us"]) for name in ("first", "began", "seen")}
        count = session["count"]
        text = ngettext(
            "%(count)s session, from %(began)s to %(seen)s.",
            "%(count)s sessions since %(first)s, the last one from %(began)s to %(seen)s.",
            count,
        )
        told = [text % {"count": spoken.whole(count), **times}]
    if evidence["device"]:
        told.append(_("The player's own device sent it: its clock is not believed."))
    return tuple(told)


def _earliest(one: Mapping[str, Any]) -> str:
    since = "before" if one["since"] == "session" and one["seconds"] < 0 else one["since"]
    return str(_SINCE[since]) % {
        "seconds": spoken.whole(abs(one["seconds"])),
        "needed": spoken.whole(one["needed"]),
    }


def _rate(one: Mapping[str, Any]) -> str:
    told = {"count": spoken.whole(one["count"]), "most": spoken.whole(one["most"])}
    return _("%(count)s unlocks in one minute; the rule says %(most)s at most.") % told


def _order(one: Mapping[str, Any]) -> str:
    return str(_ORDER[one["state"]]) % {"first": one["first"]}


def _session(one: Mapping[str, Any]) -> str:
    if one["sessions"]:
        return _("No session of the player is known from that time.")
    return _("The player never had a session.")


def _pace(one: Mapping[str, Any]) -> str:
    told = {name: spoken.whole(one[name]) for name in ("steps", "seconds", "most", "a_minute")}
    told["when"] = _clock(one["until_us"])
    if not one["seconds"]:
        text = _("%(steps)s steps in one report, at %(when)s; the rule says %(a_minute)s a minute at most.")
    elif one["most"] == one["a_minute"]:
        text = _(
            "%(steps)s steps within %(seconds)s s, until %(when)s; the rule says %(a_minute)s a minute at most."
        )
    else:
        text = _(
            "%(steps)s steps within %(seconds)s s, until %(when)s; the rule says %(a_minute)s a minute at most, so "
            "%(most)s."
        )
    return text % told


_WORDS = {"earliest": _earliest, "rate": _rate, "order": _order, "session": _session, "pace": _pace}


def _clock(at_us: int) -> str:
    return spoken.second(from_microseconds(at_us))
