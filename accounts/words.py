"""What pages call roles, and how they explain them; what they may is in accounts/roles.py."""

from django.utils.translation import gettext_lazy as _

ROLE_NAMES = {
    "owner": _("Owner"),
    "admin": _("Admin"),
    "developer": _("Developer"),
    "support": _("Support"),
    "analyst": _("Analyst"),
}
ROLE_TEXTS = {
    "owner": _("Everything, and who else owns the studio."),
    "admin": _(
        "Everything but its owners: members, the studio's name, the audit log, games, keys and players."
    ),
    "developer": _("Games, achievements, stats and leaderboards; API keys and webhooks; players; analytics."),
    "support": _("Players: find them, grant, revoke, ban and answer. Looks at definitions and analytics."),
    "analyst": _("Looks at definitions and analytics, and changes nothing."),
}
