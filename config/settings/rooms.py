"""Who does for a room what lies downstream of it: rooms upstream import nobody, and call these by name."""

__all__ = [
    "ACHIEVEMENT_GROWTH",
    "DEFINITION_SECTIONS",
    "ERASURE_STEPS",
    "EXPORTS",
    "GAME_BOARDS",
    "GAME_HOLDERS",
    "LEADERBOARD_FRIENDS",
    "PLAYERS_SEEN",
    "PLAYER_ERASURES",
    "PLAYER_FRIENDS",
    "PLAYER_HOLDINGS",
    "PLAYER_MOVES",
    "PLAYER_NUMBERS",
    "PLAYER_SIGHT",
    "PORTAL_NEEDS",
    "REPORT_CONSEQUENCES",
    "REVIEW_SOURCES",
    "STATS_RESET",
    "STAT_USES",
    "STUDIO_LIMITS",
    "SUBSCRIPTIONS",
]

SUBSCRIPTIONS = "config.subscriptions.SUBSCRIPTIONS"
EXPORTS = "config.exports.EXPORTS"
# Whom a friends' board shows: leaderboards lie upstream of social and may not import it.
LEADERBOARD_FRIENDS = "social.selectors.friend_ids"
# Who may see whom: accounts know players and social knows their friends.
PLAYER_SIGHT = "social.selectors.seeing.sees"
# What the players' pages of games and achievements show of rooms downstream (achievements/selectors/company.py).
PLAYER_FRIENDS = "social.selectors.seeing.friends_of"
PLAYERS_SEEN = "social.selectors.seeing.seen"
GAME_BOARDS = "leaderboards.selectors.showcase.of_game"
ACHIEVEMENT_GROWTH = "analytics.selectors.growth.by_month"
# What needs somebody of a studio: the portal's home asks each room of its own things (accounts/needs.py).
PORTAL_NEEDS = [
    "webhooks.needing.webhooks",
    "accounts.portal.needing.keys",
    "accounts.portal.needing.review_queue",
    "achievements.portal.needing.unanswered",
    "achievements.portal.needing.drafts",
]
# What has to happen in the commit of a report of stats: stats lie upstream of achievements and may not import them.
REPORT_CONSEQUENCES = ["achievements.services.thresholds.follow"]
# What reads a game's stats, which whoever changes one is told: those rooms lie downstream, too.
STAT_USES = [
    "achievements.selectors.definitions.fed_by_stats",
    "leaderboards.selectors.definitions.fed_by_stats",
]
# Which rooms hold something of a player, which goes over if he is joined to another: accounts may not import them
# (ADR 0031).
PLAYER_HOLDINGS = [
    "stats.selectors.values.holds_anything",
    "achievements.selectors.unlocks.holds_anything",
    "leaderboards.selectors.submitted.holds_anything",
    "social.selectors.holds_anything",
]
# Who takes stats away where a player begins anew in a game, in the commit that takes back the unlocks (ADR 0039).
STATS_RESET = "stats.services.resets.reset"
# How many players hold something of a game, which whoever puts it away is told.
GAME_HOLDERS = "achievements.selectors.standings.holders"
# Which limits a studio's page of usage shows; rooms do not know each other.
STUDIO_LIMITS = [
    "accounts.allowances.limits",
    "webhooks.allowances.limits",
    "stats.allowances.limits",
    "leaderboards.allowances.limits",
    "achievements.allowances.limits",
    "social.allowances.limits",
]
# Who moves it, one after the other in the order in which reports take their locks (ADR 0033).
PLAYER_MOVES = [
    "stats.services.joining.move",
    "achievements.services.joining.move",
    "leaderboards.services.joining.move",
    "social.joining.move",
]
# Who takes away what rooms have of somebody who is erased, in the commit of that and in the same order (ADR 0047).
PLAYER_ERASURES = [
    "stats.services.erasing.erase",
    "achievements.services.erasing.erase",
    "leaderboards.services.erasing.erase",
    "social.erasing.erase",
]
# What rooms have of him, in words, which whoever is about to erase him is told.
PLAYER_NUMBERS = [
    "achievements.selectors.persons.in_numbers",
    "leaderboards.selectors.persons.in_numbers",
    "stats.selectors.persons.in_numbers",
]
# Who looks afterwards for what is left of him, and takes it away by its keys; again until all find nothing (ADR 0084).
ERASURE_STEPS = {
    "accounts": "accounts.erasure.texts.look",
    "stats": "stats.services.erasing.look",
    "achievements": "achievements.services.erasing.look",
    "leaderboards": "leaderboards.services.erasing.look",
    "social": "social.erasing.look",
    "history": "history.services.erasing.look",
    "archive": "history.services.erasing.look_into_archive",
    "analytics": "analytics.services.erasing.look",
    "webhooks": "webhooks.services.erasing.look",
    "log": "core.persons_kept.look",
}
# What is kept apart until somebody looks at it: who lists and decides each kind (ADR 0040).
REVIEW_SOURCES = {
    "unlock": "achievements.services.flagged.SOURCE",
    "score": "leaderboards.services.flagged.SOURCE",
}
# Parts of a game's file of definitions, besides its achievements: who stores them and reads them out.
DEFINITION_SECTIONS = {
    "stats": "stats.services.importing.SECTION",
    "leaderboards": "leaderboards.services.importing.SECTION",
}
