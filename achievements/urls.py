"""Addresses of achievements under /api/v1/."""

from django.urls import path

from achievements.api.backfills import BackfillsView, PreviewView
from achievements.api.definitions import DefinitionsView, DefinitionView
from achievements.api.explain import ExplainView
from achievements.api.icons import IconView
from achievements.api.imports import ExportView, ImportView
from achievements.api.linting import LintView
from achievements.api.plausibility import PlausibilityView
from achievements.api.players import PlayerAchievementsView
from achievements.api.progress import ProgressView
from achievements.api.reports import ReportsView
from achievements.api.revokes import ResetView, RevokesView, RevokeView
from achievements.api.tiers import TiersView
from achievements.api.unlocks import BatchView, UnlockView

# Keys and players' ids may hold slashes, so what is neither comes first: a definition with the key `import`,
# `export` or `lint` is read in the list and changed by an import.
urlpatterns = [
    path("achievements/unlock", UnlockView.as_view()),
    path("achievements/unlock/batch", BatchView.as_view()),
    path("achievements/progress", ProgressView.as_view()),
    path("achievements/revoke", RevokeView.as_view()),
    path("achievements/reset", ResetView.as_view()),
    path("games/<str:game_id>/achievements", DefinitionsView.as_view()),
    path("games/<str:game_id>/achievements/import", ImportView.as_view()),
    path("games/<str:game_id>/achievements/export", ExportView.as_view()),
    path("games/<str:game_id>/achievements/lint", LintView.as_view()),
    path("games/<str:game_id>/achievements/<path:key>/preview", PreviewView.as_view()),
    path("games/<str:game_id>/achievements/<path:key>/icon", IconView.as_view()),
    path("games/<str:game_id>/achievements/<path:key>", DefinitionView.as_view()),
    path("games/<str:game_id>/rarity-tiers", TiersView.as_view()),
    path("games/<str:game_id>/plausibility", PlausibilityView.as_view()),
    path("games/<str:game_id>/backfills", BackfillsView.as_view()),
    path("players/<path:player>/achievements/<path:key>/explain", ExplainView.as_view()),
    path("players/<path:player>/revokes", RevokesView.as_view()),
    path("players/<path:player>/reports", ReportsView.as_view()),
    path("players/<path:player>/achievements", PlayerAchievementsView.as_view()),
]
