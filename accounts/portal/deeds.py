"""What was done, in words: one sentence for each action of the audit log, and what it was done to."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# An action that is not here is shown by its own name (`deed`): a line here is all that a new one needs.
DEEDS: Final[dict[str, Promise]] = {
    "achievement.archive": _("Archived achievements"),
    "achievement.change": _("Changed a draft"),
    "achievement.create": _("Made an achievement"),
    "achievement.delete": _("Deleted drafts"),
    "achievement.discard": _("Discarded changes that were not published"),
    "achievement.draft": _("Kept changes to be published"),
    "achievement.grant": _("Granted an achievement"),
    "achievement.icon": _("Changed an achievement's icon"),
    "achievement.import": _("Imported a file"),
    "achievement.move": _("Moved an achievement in the order"),
    "achievement.publish": _("Published achievements"),
    "achievement.remove_icon": _("Removed an achievement's icon"),
    "achievement.restore": _("Went back to an earlier version"),
    "achievements.revoke": _("Revoked unlocks"),
    "analytics.funnel": _("Chose the steps of a funnel"),
    "entry.delete": _("Deleted scores of a board"),
    "entry.hide": _("Hid scores of a board"),
    "entry.restore": _("Restored scores of a board"),
    "export.create": _("Asked for an export"),
    "game.archive": _("Put a game away"),
    "game.create": _("Made a game"),
    "game.restore": _("Took a game up again"),
    "game.set_stores": _("Chose the stores that a game is checked for"),
    "game.update": _("Changed a game"),
    "invitation.accept": _("Accepted an invitation"),
    "invitation.create": _("Invited somebody"),
    "invitation.withdraw": _("Withdrew an invitation"),
    "key.issue": _("Made an API key"),
    "key.limits": _("Changed an API key's limits"),
    "key.revoke": _("Revoked an API key"),
    "key.rotate": _("Rotated an API key"),
    "leaderboard.archive": _("Archived a board"),
    "leaderboard.create": _("Made a board"),
    "leaderboard.delete": _("Deleted a board"),
    "leaderboard.reset": _("Reset a board"),
    "leaderboard.restore": _("Took a board up again"),
    "leaderboard.update": _("Changed a board"),
    "member.change_role": _("Changed a member's role"),
    "member.leave": _("Left the studio"),
    "member.remove": _("Removed a member"),
    "plausibility.change": _("Changed the rules of plausibility"),
    "player.ban": _("Banned a player"),
    "player.erase": _("Erased a player"),
    "player.exclude": _("Took a player off the boards"),
    "player.export": _("Exported a player's data"),
    "player.include": _("Let a player back on the boards"),
    "player.link": _("Joined an id to a player"),
    "player.link_code": _("Made a link code for a player"),
    "player.linked": _("Link code of a player was used"),
    "player.revoke_tokens": _("Signed a player out everywhere"),
    "player.unban": _("Let a banned player back"),
    "report.answer": _("Answered a player's report"),
    "report.reopen": _("Opened a player's report again"),
    "report.resolve": _("Resolved a player's report"),
    "score.approve": _("Approved flagged scores"),
    "score.reject": _("Rejected flagged scores"),
    "stat.archive": _("Archived a stat"),
    "stat.create": _("Made a stat"),
    "stat.delete": _("Deleted a stat"),
    "stat.restore": _("Took a stat up again"),
    "stat.update": _("Changed a stat"),
    "stats.reset": _("Reset a player's stats"),
    "studio.create": _("Made the studio"),
    "studio.rename": _("Renamed the studio"),
    "tester.add": _("Made a player a tester"),
    "tester.remove": _("Made a tester a player again"),
    "unlock.approve": _("Approved flagged unlocks"),
    "unlock.reject": _("Rejected flagged unlocks"),
    "webhook.change": _("Changed a webhook"),
    "webhook.create": _("Made a webhook"),
    "webhook.delete": _("Deleted a webhook"),
    "webhook.disable": _("Stopped a webhook that failed"),
    "webhook.enable": _("Started a webhook again"),
    "webhook.rotate_secret": _("Rotated a webhook's secret"),
}
KINDS: Final[dict[str, Promise]] = {
    "achievement": _("Achievement"),
    "erasure": _("Erasure"),
    "export": _("Export"),
    "game": _("Game"),
    "invitation": _("Invitation"),
    "key": _("API key"),
    "leaderboard": _("Leaderboard"),
    "member": _("Member"),
    "player": _("Player"),
    "stat": _("Stat"),
    "studio": _("Studio"),
    "webhook": _("Webhook"),
}
ACTORS: Final[dict[str, Promise]] = {
    "code": _("A link code"),
    "erased": _("Somebody who was erased"),
    "platform": _("Laurel"),
}


def deed(action: str) -> str:
    """Return an action in words: `game.set_regions` without words of its own as “Game: set regions”."""
    return str(DEEDS.get(action) or _spelled(action))


def kind(name: str) -> str:
    """Return what kind of thing something was done to."""
    return str(KINDS.get(name) or _spelled(name))


def _spelled(name: str) -> str:
    text = name.replace(".", ": ", 1).replace("_", " ")
    return text[:1].upper() + text[1:]
